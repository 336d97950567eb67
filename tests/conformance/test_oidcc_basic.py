"""`oidcc-basic-certification-test-plan`: client_secret_basic, static clients."""

import hashlib
import json
import secrets
import time

from joserfc.util import urlsafe_b64encode

from tests.conformance import checks
from tests.conformance.conftest import Conformance
from tests.conformance.relying_party import Grant, RelyingParty, unsigned


class TestBasic:
    """Each test is the module of its name. The plan of form_post has the same ones."""

    response_mode: str | None = None

    def run(self, conformance: Conformance, client: str = "client") -> RelyingParty:
        return conformance.run({}, client=client, response_mode=self.response_mode)

    def test_oidcc_server(self, conformance: Conformance) -> None:
        self.is_happy(self.run(conformance).granted())

    def is_happy(self, grant: Grant) -> None:
        checks.is_hash_of(grant.claims, grant.tokens["access_token"])
        checks.is_unguessable(grant.code)

    def test_oidcc_response_type_missing(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        response = rp.authorize(rp.request(response_type=None))
        checks.is_authorization_error(response, "invalid_request", "unsupported_response_type")

    def test_oidcc_idtoken_signature(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        header = rp.header_of(rp.granted().id_token)
        assert header["alg"] == "RS256"
        assert header["kid"]

    def test_oidcc_userinfo_get(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        grant = rp.granted()
        assert set(rp.claims_of(rp.userinfo(grant), grant)) == {"sub"}

    def test_oidcc_userinfo_post_header(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        grant = rp.granted()
        rp.claims_of(rp.userinfo(grant, "POST"), grant)

    def test_oidcc_userinfo_post_body(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        grant = rp.granted()
        form = {"access_token": grant.tokens["access_token"]}
        rp.claims_of(rp.userinfo(grant, "POST", data=form), grant)

    def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(
        self, conformance: Conformance
    ) -> None:
        grant = self.run(conformance).granted(nonce=None)
        assert "nonce" not in grant.claims

    def test_oidcc_scope_profile(self, conformance: Conformance) -> None:
        self.scope(conformance, "openid profile")

    def test_oidcc_scope_email(self, conformance: Conformance) -> None:
        self.scope(conformance, "openid email")

    def test_oidcc_scope_address(self, conformance: Conformance) -> None:
        self.scope(conformance, "openid address")

    def test_oidcc_scope_phone(self, conformance: Conformance) -> None:
        self.scope(conformance, "openid phone")

    def test_oidcc_scope_all(self, conformance: Conformance) -> None:
        self.scope(conformance, "openid address email phone profile")

    def scope(self, conformance: Conformance, scope: str) -> None:
        rp = self.run(conformance)
        assert set(scope.split()) <= set(rp.metadata["scopes_supported"])
        grant = rp.granted(scope=scope)
        claims = rp.claims_of(rp.userinfo(grant), grant)
        checks.are_claims_of_scope(claims, scope)
        assert set(claims) == {name for one in scope.split() for name in checks.CLAIMS_OF_SCOPE[one]}

    def test_oidcc_ensure_other_scope_order_succeeds(self, conformance: Conformance) -> None:
        self.run(conformance).granted(scope="email openid")

    def test_oidcc_display_page(self, conformance: Conformance) -> None:
        self.run(conformance).granted(display="page")

    def test_oidcc_display_popup(self, conformance: Conformance) -> None:
        self.run(conformance).granted(display="popup")

    def test_oidcc_prompt_login(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        first = rp.granted()
        second = rp.granted(prompt="login")
        assert "Sign in" in rp.browser.done
        assert "Sign in" in rp.browser.pictures[0]
        assert second.claims["auth_time"] != first.claims["auth_time"]
        assert second.claims["sub"] == first.claims["sub"]

    def test_oidcc_prompt_none_not_logged_in(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        response = rp.authorize(rp.request(prompt="none", state=secrets.token_hex(64)))
        checks.is_authorization_error(response, *checks.NEEDS_A_PAGE)

    def test_oidcc_prompt_none_logged_in(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        self.is_same(rp, rp.granted(), rp.granted(prompt="none"))

    def is_same(self, rp: RelyingParty, first: Grant, second: Grant) -> None:
        """The second answer came without a page, and is about the same authentication."""
        assert "Sign in" not in rp.browser.done
        assert "Allow" not in rp.browser.done
        assert second.claims["auth_time"] == first.claims["auth_time"]
        assert second.claims["sub"] == first.claims["sub"]

    def test_oidcc_max_age_1(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        first = rp.granted()
        signed_in_at = first.claims["auth_time"] - 2
        conformance.provider.wait(2)
        second = rp.granted(max_age="1")
        assert "Sign in" in rp.browser.done
        assert "Sign in" in rp.browser.pictures[0]
        assert second.claims["auth_time"] > signed_in_at
        assert abs(time.time() - second.claims["auth_time"]) < 60

    def test_oidcc_max_age_10000(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        first = rp.granted(max_age="15000")
        assert "auth_time" in first.claims
        self.is_same(rp, first, rp.granted(max_age="10000"))

    def test_oidcc_ensure_request_with_unknown_parameter_succeeds(self, conformance: Conformance) -> None:
        self.run(conformance).granted(extra="foobar")

    def test_oidcc_id_token_hint(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        first = rp.granted()
        self.is_same(rp, first, rp.granted(prompt="none", id_token_hint=first.id_token))

    def test_oidcc_login_hint(self, conformance: Conformance) -> None:
        self.run(conformance).granted(login_hint=conformance.provider.config["server"]["login_hint"])
        self.run(conformance).granted(login_hint="buffy@op.example.com")

    def test_oidcc_ui_locales(self, conformance: Conformance) -> None:
        self.run(conformance).granted(ui_locales="se")

    def test_oidcc_claims_locales(self, conformance: Conformance) -> None:
        self.run(conformance).granted(claims_locales="se")

    def test_oidcc_ensure_request_with_acr_values_succeeds(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        supported = rp.metadata["acr_values_supported"]
        assert rp.granted(acr_values=" ".join(supported)).claims["acr"] in supported

    def test_oidcc_codereuse(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        grant = rp.granted()
        checks.is_token_error(rp.redeem(grant.code, grant.request), "invalid_grant")

    def test_oidcc_codereuse_30seconds(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        grant = rp.granted()
        conformance.provider.wait(30)
        assert rp.userinfo(grant).status_code == 200
        checks.is_token_error(rp.redeem(grant.code, grant.request), "invalid_grant")
        # RFC 6749 section 4.1.2: what the code was good for SHOULD be revoked.
        refused = rp.userinfo(grant)
        assert refused.status_code == 401
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]

    def test_oidcc_ensure_registered_redirect_uri(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        rp.send(rp.request(redirect_uri=f"{rp.address}/callback/{secrets.token_hex(5)}"))
        self.is_told_on_a_page(rp)

    def is_told_on_a_page(self, rp: RelyingParty) -> None:
        """The browser was sent nowhere, and a picture of the error was taken."""
        assert rp.browser.take() == []
        assert rp.browser.page.url.startswith(rp.metadata["issuer"])
        assert "error" in rp.browser.pictures[0]

    def test_oidcc_ensure_post_request_succeeds(self, conformance: Conformance) -> None:
        self.run(conformance).granted(method="POST")

    def test_oidcc_server_client_secret_post(self, conformance: Conformance) -> None:
        rp = self.run(conformance, "client_secret_post")
        assert "client_secret_post" in rp.metadata["token_endpoint_auth_methods_supported"]
        self.is_happy(rp.granted())

    def test_oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(
        self, conformance: Conformance
    ) -> None:
        rp = self.run(conformance)
        request = rp.request()
        rp.send(in_request_object(request))
        (received,) = rp.browser.take()
        # Where the answer is looked for is known from the request object alone: form_post stands only there.
        response = received.form if self.response_mode == "form_post" else received.query
        assert response is not None
        checks.is_authorization_error(response, "request_not_supported")

    def test_oidcc_ensure_request_object_with_redirect_uri(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        elsewhere = f"{rp.address}/callback/{secrets.token_hex(5)}"
        rp.send({**in_request_object(rp.request()), "redirect_uri": elsewhere})
        self.is_told_on_a_page(rp)

    def test_oidcc_claims_essential(self, conformance: Conformance) -> None:
        rp = self.run(conformance)
        grant = rp.granted(claims=json.dumps({"userinfo": {"name": {"essential": True}}}))
        assert rp.claims_of(rp.userinfo(grant), grant)["name"] == "Alice Q. Example"

    def test_oidcc_refresh_token(self, conformance: Conformance) -> None:
        first, second = self.run(conformance), self.run(conformance, "client2")
        second.browser = first.browser
        scope = "openid offline_access"
        assert "offline_access" in first.metadata["scopes_supported"]
        assert "refresh_token" in first.metadata["grant_types_supported"]
        self.renewed(conformance, first, scope, asked={"scope": scope})
        theirs = self.renewed(conformance, second, scope, asked={}, nonce=secrets.token_hex(22)[:43])
        checks.is_token_error(first.refresh(theirs, scope=scope), "invalid_grant")
        assert second.refresh(theirs).status_code == 200

    def renewed(
        self,
        conformance: Conformance,
        rp: RelyingParty,
        scope: str,
        *,
        asked: dict[str, str],
        **changed: str,
    ) -> str:
        """Sign in, refresh, and compare: the refresh token that comes with it."""
        grant = rp.granted(scope=scope, prompt="consent", **changed)
        assert "Allow" in rp.browser.done
        conformance.provider.wait(100)
        tokens = checks.is_token_response(rp.refresh(grant.tokens["refresh_token"], **asked))
        assert tokens["access_token"] != grant.tokens["access_token"]
        # Core 12.2: issued now, about the sign-in of then; the nonce may be left out.
        claims = rp.verified(tokens["id_token"], {"client_id": rp.client_id})
        assert claims["iat"] >= grant.claims["iat"]
        assert claims["auth_time"] == grant.claims["auth_time"] - 100
        assert [claims[name] for name in ("iss", "sub", "aud")] == [
            grant.claims[name] for name in ("iss", "sub", "aud")
        ]
        assert "azp" not in claims
        assert rp.userinfo(Grant(grant.request, grant.code, tokens, claims)).status_code == 200
        return str(tokens["refresh_token"])

    def test_oidcc_ensure_request_with_valid_pkce_succeeds(self, conformance: Conformance) -> None:
        verifier = secrets.token_urlsafe(48)
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode()
        self.run(conformance).granted(
            verifier=verifier, code_challenge=challenge, code_challenge_method="S256"
        )


def in_request_object(request: dict[str, str]) -> dict[str, str]:
    """The same request as a request object, beside the parameters that may not stand in there alone (Core 6.1)."""
    beside = ("response_type", "client_id", "scope", "redirect_uri")
    return {**{name: request[name] for name in beside}, "request": unsigned(request)}
