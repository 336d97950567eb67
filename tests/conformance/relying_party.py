"""The suite's client: it asks as the modules ask, and looks at every answer as each of them does."""

import json
import secrets
import string
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
from joserfc import jws
from joserfc.jwk import KeySet
from joserfc.util import urlsafe_b64encode

from tests.conformance import checks
from tests.conformance.browser import Browser, Page, Received
from tests.conformance.provider import Provider

#: What the suite leaves as it is in a query.
_PLAIN = "-._~!$'()*,;:@/?"


@dataclass(frozen=True)
class Grant:
    """What one sign-in came to."""

    request: Mapping[str, str]
    code: str
    tokens: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def id_token(self) -> str:
        """The ID token as it was sent."""
        return str(self.tokens["id_token"])


@dataclass
class RelyingParty:
    """One client in one run of a module. `client` is the member of the configuration that it is."""

    provider: Provider
    browser: Browser
    suite: str
    client: str = "client"
    response_mode: str | None = None
    #: As the suite has them: read once, at the start of a module.
    metadata: Mapping[str, Any] = field(init=False)
    keys: KeySet = field(init=False)

    def __post_init__(self) -> None:
        self.metadata = self.provider.metadata()
        self.keys = self.provider.keys()

    @property
    def client_id(self) -> str:
        """Who it is."""
        return str(self.provider.config[self.client]["client_id"])

    @property
    def address(self) -> str:
        """Where its addresses are."""
        return f"{self.suite}/test/a/{self.provider.config['alias']}"

    @cached_property
    def _proof(self) -> tuple[dict[str, str], dict[str, str]]:
        """Header and parameters that say who it is (Core section 9)."""
        secret = self.provider.config[self.client]["client_secret"]
        if self.client == "client_secret_post":
            return {}, {"client_id": self.client_id, "client_secret": secret}
        joined = f"{quote_plus(self.client_id)}:{quote_plus(secret)}"
        return {"Authorization": f"Basic {b64encode(joined.encode()).decode()}"}, {}

    def request(self, **changed: str | None) -> dict[str, str]:
        """An authorization request as every module begins with, with these parameters changed (None: left out)."""
        parameters = {
            "client_id": self.client_id,
            "redirect_uri": f"{self.address}/callback",
            "scope": "openid",
            "state": secrets.token_hex(5),
            "nonce": secrets.token_hex(5),
            "response_type": "code",
            "response_mode": self.response_mode,
            **changed,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def send(self, request: Mapping[str, str], *, method: str = "GET") -> Page:
        """Send the browser to the authorization endpoint."""
        return self.browser.visit(_url(self.metadata["authorization_endpoint"], request), method=method)

    def authorize(self, request: Mapping[str, str], *, method: str = "GET") -> dict[str, str]:
        """The answer to a request: it comes to the callback, in the way that was asked for, and from this issuer."""
        self.send(request, method=method)
        (received,) = self.browser.take()
        response = self._response(received, form_post=request.get("response_mode") == "form_post")
        assert received.path == "callback"
        # RFC 9207 section 2.4.
        assert response["iss"] == self.metadata["issuer"]
        assert response.get("state") == request.get("state")
        return response

    def granted(self, *, method: str = "GET", verifier: str | None = None, **changed: str | None) -> Grant:
        """All of a sign-in that succeeds: code, tokens, the checks of the ID token, a call of the userinfo endpoint."""
        request = self.request(**changed)
        response = self.authorize(request, method=method)
        assert "error" not in response, response
        tokens = checks.is_token_response(self.redeem(response["code"], request, verifier=verifier))
        grant = Grant(request, response["code"], tokens, self.verified(tokens["id_token"], request))
        assert self.userinfo(grant).status_code == 200
        return grant

    def redeem(self, code: str, request: Mapping[str, str], *, verifier: str | None = None) -> httpx.Response:
        """The token endpoint's answer to a code."""
        verifiers = {"code_verifier": verifier} if verifier is not None else {}
        redirect_uri = request["redirect_uri"]
        return self.token(grant_type="authorization_code", code=code, redirect_uri=redirect_uri, **verifiers)

    def refresh(self, refresh_token: str, **more: str) -> httpx.Response:
        """The token endpoint's answer to a refresh token."""
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **more)

    def token(self, **form: str) -> httpx.Response:
        """An answer of the token endpoint."""
        header, parameters = self._proof
        return self.provider.http.post(
            self.metadata["token_endpoint"], data={**form, **parameters}, headers=header
        )

    def verified(self, id_token: str, request: Mapping[str, str]) -> dict[str, Any]:
        """The claims of an ID token that answers a request."""
        claims = checks.verified_id_token(id_token, self.keys).claims
        checks.is_id_token_of(claims, request, issuer=self.metadata["issuer"])
        return claims

    def header_of(self, id_token: str) -> dict[str, Any]:
        """The header of an ID token, whatever its signature is worth."""
        return dict(jws.extract_compact(id_token.encode()).headers())

    def userinfo(self, grant: Grant, method: str = "GET", **sent: Any) -> httpx.Response:
        """An answer of the userinfo endpoint; the token is in the header unless a form is `sent`."""
        headers = {"Accept": "application/json;charset=UTF-8", "Accept-Charset": "utf-8"}
        if "data" not in sent:
            headers["Authorization"] = f"Bearer {grant.tokens['access_token']}"
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self.provider.http.request(method, self.metadata["userinfo_endpoint"], headers=headers, **sent)

    def claims_of(self, answer: httpx.Response, grant: Grant) -> dict[str, Any]:
        """The claims of a userinfo response, about the user of the ID token (Core 5.3.2)."""
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].partition(";")[0] == "application/json"
        claims: dict[str, Any] = answer.json()
        assert claims["sub"] == grant.claims["sub"]
        checks.has_standard_types(claims)
        return claims

    def log_out(self, **request: str | None) -> Page:
        """Send the browser to the end session endpoint."""
        sent = {name: value for name, value in request.items() if value is not None}
        endpoint = self.metadata["end_session_endpoint"]
        return self.browser.visit(_url(endpoint, sent) if sent else endpoint)

    def is_signed_out(self) -> None:
        """Nobody is signed in in the browser: an authorization without a page is refused."""
        response = self.authorize(self.request(prompt="none", state=secrets.token_hex(64)))
        checks.is_authorization_error(response, *checks.NEEDS_A_PAGE)

    def _response(self, received: Received, *, form_post: bool) -> dict[str, str]:
        if form_post:
            # Form Post Response Mode section 2; nothing of the answer may be in the query.
            assert received.method == "POST"
            assert not received.query
            assert received.form is not None
            return dict(received.form)
        assert received.method == "GET"
        return dict(received.query)


def end_session_state() -> str:
    """Every character that a state may have (RFC 6749 appendix A.5), but for the two that the suite leaves out."""
    return "".join(sorted(set(string.printable[:94]) - {"+"}, key=lambda _: secrets.randbelow(1000)))


def unsigned(claims: Mapping[str, str]) -> str:
    """A request object without a signature (Core 6.1)."""
    parts = ({"alg": "none"}, dict(claims))
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts) + "."


def _url(endpoint: str, parameters: Mapping[str, str]) -> str:
    query = "&".join(f"{name}={quote(value, safe=_PLAIN)}" for name, value in parameters.items())
    return f"{endpoint}?{query}"
