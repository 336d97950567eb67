"""What happens next with an authorization request, row by row of the table in `domain/authorize`."""

from dataclasses import replace
from typing import Any

import pytest

from mapae.jose import jwt
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from mapae.oauth.authorization_response import ReplyTo, ResponseMode
from mapae.oauth.client_metadata import ClientMetadata
from mapae.oauth.errors import ErrorCode
from mapae.oauth.parameters import Parameters
from mapae.oauth.scope import Scope
from mapae.server.domain.authorize import (
    AskConsent,
    Issue,
    Known,
    LogIn,
    RefuseAtClient,
    RefuseHere,
    SignedIn,
    Step,
    next_step,
)
from mapae.server.domain.clients import COMMAND_LINE, Client
from mapae.server.domain.consents import Consent
from mapae.server.domain.problems import ProblemCode
from mapae.server.domain.resource_servers import ResourceServer
from mapae.server.domain.users import User

NOW = 1_700_000_000
ISSUER = "https://auth.example.com"
API = ResourceServer("https://api.example.com", ("orders:read", "orders:write"))
CALLBACK = "https://app.example.com/callback"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
KEY = Jwk.generate("RS256", kid="one")
CLIENT = Client(
    "web",
    ClientMetadata(
        client_name="Web shop",
        redirect_uris=(CALLBACK,),
        grant_types=("authorization_code", "refresh_token"),
        scope=Scope.parse("openid profile email offline_access orders:read"),
    ),
)
ALICE = User("alice-id-123", "Alice", "alice", "$argon2id$…", (), NOW - 9000)
CONSENT = Consent(ALICE.id, "web", "app.example.com", Scope.parse("openid profile orders:read"), NOW - 500)
SIGNED_IN = SignedIn(ALICE, "session-1234", NOW - 100, ALICE.id, (CONSENT,))
KNOWN = Known(
    issuer=ISSUER,
    keys=JwkSet([KEY.public()]),
    servers=(API,),
    client=CLIENT,
    signed_in=SIGNED_IN,
    began=None,
    now=NOW,
)
SOUND = {
    "client_id": "web",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid profile",
    "state": "a state",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def after(known: Known = KNOWN, /, *pairs: tuple[str, str], **changed: str | None) -> Step:
    """What happens with the sound request once these parameters are changed (None: left out) or added."""
    members = {name: value for name, value in {**SOUND, **changed}.items() if value is not None}
    return next_step(Parameters.of([*members.items(), *pairs]), known)


def of(known: Known = KNOWN, **metadata: Any) -> Known:
    """The same, with another client metadata."""
    return replace(known, client=replace(CLIENT, metadata=replace(CLIENT.metadata, **metadata)))


def hint(key: Jwk = KEY, typ: str = "JWT", **changed: Any) -> str:
    claims = {"iss": ISSUER, "sub": ALICE.id, "aud": "web", "sid": "session-1234", "exp": NOW - 1, **changed}
    return jwt.sign_claims(claims, key, typ=typ)


def refused(step: Step) -> ErrorCode:
    """The code that the client is told."""
    assert isinstance(step, RefuseAtClient), step
    return step.error.code


SIGNED_OUT = replace(KNOWN, signed_in=None)
NEW = replace(KNOWN, signed_in=replace(SIGNED_IN, consents=()))


class TestRow1:
    @pytest.mark.parametrize("client_id", [None, "", "w\x00b", "ü", "x" * 256])
    def test_a_client_id_that_can_be_nobodys(self, client_id: str | None) -> None:
        step = after(replace(KNOWN, client=None), client_id=client_id)
        assert isinstance(step, RefuseHere)
        assert step.code is ProblemCode.INVALID_REQUEST

    def test_an_unknown_client(self) -> None:
        step = after(replace(KNOWN, client=None), client_id="nobody")
        assert isinstance(step, RefuseHere)
        assert step.code is ProblemCode.UNKNOWN_CLIENT

    def test_a_repeated_client(self) -> None:
        assert isinstance(after(KNOWN, ("client_id", "web")), RefuseHere)


class TestRow2:
    @pytest.mark.parametrize(
        "redirect_uri", [None, CALLBACK + "/", CALLBACK + "?a=b", "https://evil.example"]
    )
    def test_a_redirect_uri_that_is_not_registered(self, redirect_uri: str | None) -> None:
        step = after(redirect_uri=redirect_uri)
        assert isinstance(step, RefuseHere)
        assert step.code is ProblemCode.UNREGISTERED_REDIRECT_URI

    def test_a_repeated_redirect_uri(self) -> None:
        assert isinstance(after(KNOWN, ("redirect_uri", CALLBACK)), RefuseHere)

    def test_it_comes_before_all_other_faults(self) -> None:
        assert isinstance(after(redirect_uri="https://evil.example", response_type="foo"), RefuseHere)


class TestRow3:
    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"response_type": None}, ErrorCode.INVALID_REQUEST),
            ({"response_type": "foo"}, ErrorCode.UNSUPPORTED_RESPONSE_TYPE),
            ({"response_type": "token"}, ErrorCode.UNSUPPORTED_RESPONSE_TYPE),
            ({"response_type": "code id_token"}, ErrorCode.UNSUPPORTED_RESPONSE_TYPE),
            ({"response_mode": "web_message"}, ErrorCode.INVALID_REQUEST),
            ({"response_type": "id_token", "response_mode": "query"}, ErrorCode.INVALID_REQUEST),
            ({"request": "eyJhbGciOiJub25lIn0.e30."}, ErrorCode.REQUEST_NOT_SUPPORTED),
            ({"request_uri": "https://app.example.com/r"}, ErrorCode.REQUEST_URI_NOT_SUPPORTED),
            ({"registration": "{}"}, ErrorCode.REGISTRATION_NOT_SUPPORTED),
            ({"scope": "openid  profile"}, ErrorCode.INVALID_SCOPE),
            ({"prompt": "none login"}, ErrorCode.INVALID_REQUEST),
            ({"prompt": "dance"}, ErrorCode.INVALID_REQUEST),
            ({"max_age": "-1"}, ErrorCode.INVALID_REQUEST),
            ({"max_age": "abc"}, ErrorCode.INVALID_REQUEST),
            ({"max_age": "1" * 11}, ErrorCode.INVALID_REQUEST),
            ({"claims": "{"}, ErrorCode.INVALID_REQUEST),
            ({"nonce": "a\x00b"}, ErrorCode.INVALID_REQUEST),
            ({"nonce": "n" * 513}, ErrorCode.INVALID_REQUEST),
            ({"code_challenge": "short"}, ErrorCode.INVALID_REQUEST),
            ({"code_challenge_method": "plain"}, ErrorCode.INVALID_REQUEST),
            ({"code_challenge_method": None}, ErrorCode.INVALID_REQUEST),
            ({"code_challenge": None}, ErrorCode.INVALID_REQUEST),
        ],
    )
    def test_what_is_malformed_or_not_supported(self, changed: dict[str, Any], code: ErrorCode) -> None:
        assert refused(after(**changed)) is code

    @pytest.mark.parametrize("name", ["state", "scope", "nonce", "prompt", "claims", "response_mode"])
    def test_a_parameter_twice(self, name: str) -> None:
        assert refused(after(KNOWN, (name, "one"), (name, "two"))) is ErrorCode.INVALID_REQUEST

    def test_two_resources_are_two_audiences(self) -> None:
        two = ("resource", API.audience), ("resource", "https://other.example.com")
        assert refused(after(KNOWN, *two)) is ErrorCode.INVALID_TARGET

    @pytest.mark.parametrize(
        ("changed", "mode", "state"),
        [
            ({"prompt": "dance"}, ResponseMode.QUERY, "a state"),
            ({"prompt": "dance", "response_mode": "form_post"}, ResponseMode.FORM_POST, "a state"),
            ({"response_type": "id_token"}, ResponseMode.FRAGMENT, "a state"),
            ({"prompt": "dance", "response_mode": "nonsense"}, ResponseMode.QUERY, "a state"),
            ({"prompt": "dance", "state": None}, ResponseMode.QUERY, None),
        ],
    )
    def test_where_the_error_goes(
        self, changed: dict[str, Any], mode: ResponseMode, state: str | None
    ) -> None:
        step = after(**changed)
        assert isinstance(step, RefuseAtClient)
        assert step.reply_to == ReplyTo(CALLBACK, mode, state)

    def test_unknown_parameters_are_ignored(self) -> None:
        assert isinstance(after(extra="foobar", display="popup", ui_locales="se", acr_values="9"), Issue)


class TestRow4:
    def test_a_client_of_another_grant(self) -> None:
        assert refused(after(of(grant_types=("client_credentials",)))) is ErrorCode.UNAUTHORIZED_CLIENT


class TestRow5:
    def test_a_confidential_client_sends_a_challenge_unless_the_operator_lets_it_go_without(self) -> None:
        without = {"code_challenge": None, "code_challenge_method": None}
        assert refused(after(**without)) is ErrorCode.INVALID_REQUEST
        assert isinstance(after(of(require_pkce=False), **without), Issue)

    def test_a_public_client_always(self) -> None:
        public = of(require_pkce=False, token_endpoint_auth_method="none")
        step = after(public, code_challenge=None, code_challenge_method=None)
        assert refused(step) is ErrorCode.INVALID_REQUEST


class TestRow6:
    @pytest.mark.parametrize("scope", [None, "nonsense", "phone", "orders:write"])
    def test_nothing_that_may_be_granted(self, scope: str | None) -> None:
        assert refused(after(scope=scope)) is ErrorCode.INVALID_SCOPE

    def test_an_unknown_resource(self) -> None:
        assert refused(after(resource="https://other.example.com")) is ErrorCode.INVALID_TARGET

    def test_scopes_that_the_client_is_not_registered_for_are_left_out(self) -> None:
        step = after(scope="openid profile phone orders:read nonsense")
        assert isinstance(step, Issue)
        assert (str(step.scope), step.audience) == ("openid profile orders:read", API.audience)

    def test_without_the_grant_there_is_no_offline_access(self) -> None:
        step = after(of(grant_types=("authorization_code",)), scope="openid offline_access")
        assert isinstance(step, Issue)
        assert (str(step.scope), step.audience) == ("openid", ISSUER)


class TestRow7:
    @pytest.mark.parametrize(
        ("acr", "fits"),
        [
            ('{"essential": true, "values": ["9"]}', False),
            ('{"essential": true, "values": ["9", "1"]}', True),
            ('{"essential": true}', True),
            ('{"values": ["9"]}', True),
        ],
    )
    def test_an_essential_acr(self, acr: str, fits: bool) -> None:
        step = after(claims=f'{{"id_token": {{"acr": {acr}}}}}')
        assert isinstance(step, Issue) if fits else refused(step) is ErrorCode.ACCESS_DENIED


class TestRow8:
    @pytest.mark.parametrize(
        "token",
        [
            "nonsense",
            "eyJhbGciOiJub25lIn0.e30.",
            hint(iss="https://other.example.com"),
            hint(typ="at+jwt"),
            hint(typ="logout+jwt"),
            hint(aud="another-client"),
            hint(aud=["web"]),
            hint()[:-6] + "AAAAAA",
            hint(Jwk.generate("RS256", kid="one")),
            hint(Jwk.generate("RS256", kid="two"), iss="https://other.example.com"),
        ],
    )
    def test_a_hint_that_is_not_an_id_token_for_this_client(self, token: str) -> None:
        assert refused(after(id_token_hint=token)) is ErrorCode.INVALID_REQUEST

    def test_an_expired_hint_is_a_good_one(self) -> None:
        assert isinstance(after(id_token_hint=hint()), Issue)

    def test_a_hint_by_a_key_that_is_gone_says_nothing(self) -> None:
        gone = hint(Jwk.generate("RS256", kid="gone"), sub="somebody else")
        assert isinstance(after(id_token_hint=gone), Issue)


class TestRow9:
    @pytest.mark.parametrize(
        ("known", "changed"),
        [
            (SIGNED_OUT, {}),
            (KNOWN, {"max_age": "100"}),
            (KNOWN, {"max_age": "0"}),
            (KNOWN, {"id_token_hint": hint(sub="bob-id-12345")}),
            (KNOWN, {"claims": '{"id_token": {"sub": {"value": "bob-id-12345"}}}'}),
            (of(default_max_age=100), {}),
        ],
    )
    def test_who_has_to_sign_in_and_may_not_be_shown_a_page(
        self, known: Known, changed: dict[str, str]
    ) -> None:
        assert refused(after(known, prompt="none", **changed)) is ErrorCode.LOGIN_REQUIRED


class TestRow10:
    def test_another_user_who_has_just_signed_in(self) -> None:
        just = replace(KNOWN, began=NOW - 100)
        step = after(just, id_token_hint=hint(sub="bob-id-12345"))
        assert refused(step) is ErrorCode.LOGIN_REQUIRED
        assert isinstance(after(replace(just, began=NOW - 99), id_token_hint=hint(sub="bob-id-12345")), LogIn)


class TestRow11:
    @pytest.mark.parametrize(
        ("known", "changed"),
        [
            (SIGNED_OUT, {}),
            (KNOWN, {"prompt": "login"}),
            (KNOWN, {"prompt": "select_account"}),
            (KNOWN, {"prompt": "login consent"}),
            (KNOWN, {"max_age": "100"}),
            (of(default_max_age=100), {}),
        ],
    )
    def test_who_has_to_sign_in_and_who_has_done_so_since(
        self, known: Known, changed: dict[str, str]
    ) -> None:
        assert isinstance(after(known, **changed), LogIn)
        assert isinstance(after(replace(known, began=NOW - 99), **changed), LogIn)
        signed_in = replace(SIGNED_IN, authenticated_at=NOW - 50)
        done = after(replace(known, signed_in=signed_in, began=NOW - 50), **changed)
        assert isinstance(done, AskConsent if "consent" in changed.get("prompt", "") else Issue)

    @pytest.mark.parametrize("max_age", ["101", "10000"])
    def test_a_max_age_that_is_not_reached(self, max_age: str) -> None:
        assert isinstance(after(of(default_max_age=1), max_age=max_age), Issue)

    @pytest.mark.parametrize(
        ("known", "changed", "username"),
        [
            (SIGNED_OUT, {}, None),
            (SIGNED_OUT, {"login_hint": "bob"}, "bob"),
            (KNOWN, {"prompt": "login"}, "Alice"),
            (KNOWN, {"prompt": "select_account"}, None),
            (KNOWN, {"prompt": "login", "login_hint": "bob"}, "bob"),
        ],
    )
    def test_whom_the_page_proposes(
        self, known: Known, changed: dict[str, str], username: str | None
    ) -> None:
        step = after(known, **changed)
        assert isinstance(step, LogIn)
        assert step.username == username


class TestRow12:
    def test_who_has_to_be_asked_and_may_not_be_shown_a_page(self) -> None:
        assert refused(after(NEW, prompt="none")) is ErrorCode.CONSENT_REQUIRED
        assert isinstance(after(KNOWN, prompt="none"), Issue)


class TestRow13:
    def test_a_user_who_was_never_asked(self) -> None:
        step = after(NEW, scope="openid email")
        assert isinstance(step, AskConsent)
        assert (str(step.scope), step.destination) == ("openid email", "app.example.com")

    def test_a_scope_that_has_grown(self) -> None:
        assert isinstance(after(scope="openid email"), AskConsent)

    def test_a_destination_that_has_moved(self) -> None:
        moved = "https://other.example.com/callback"
        assert isinstance(after(of(redirect_uris=(moved,)), redirect_uri=moved), AskConsent)

    def test_single_claims_are_asked_for_in_the_words_of_their_scope(self) -> None:
        step = after(claims='{"userinfo": {"email": {"essential": true}}}')
        assert isinstance(step, AskConsent)
        assert str(step.scope) == "openid profile email"
        agreed = replace(CONSENT, scope=Scope.parse("openid profile email"))
        known = replace(KNOWN, signed_in=replace(SIGNED_IN, consents=(agreed,)))
        done = after(known, claims='{"userinfo": {"email": {"essential": true}}}')
        assert isinstance(done, Issue)
        assert str(done.scope) == "openid profile"

    def test_when_the_client_wants_it_once_a_request(self) -> None:
        assert isinstance(after(prompt="consent"), AskConsent)
        assert isinstance(after(replace(KNOWN, began=NOW - 499), prompt="consent"), AskConsent)
        assert isinstance(after(replace(KNOWN, began=NOW - 500), prompt="consent"), Issue)

    def test_an_agreement_to_less_in_the_same_request_is_not_enough(self) -> None:
        assert isinstance(after(replace(KNOWN, began=NOW - 500), scope="openid email"), AskConsent)

    def test_clients_that_the_operator_vouches_for_do_not_ask(self) -> None:
        vouched = replace(of(skip_consent=True), signed_in=NEW.signed_in)
        assert isinstance(after(vouched), Issue)
        assert isinstance(after(vouched, prompt="consent"), AskConsent)

    def test_a_native_client_asks_every_time_even_if_the_operator_vouches_for_it(self) -> None:
        loopback = "http://127.0.0.1/callback"
        native = of(application_type="native", redirect_uris=(loopback,), skip_consent=True)
        agreed = replace(CONSENT, destination="127.0.0.1")
        known = replace(native, signed_in=replace(SIGNED_IN, consents=(agreed,)))
        asked = {"redirect_uri": "http://127.0.0.1:51004/callback"}
        assert isinstance(after(known, **asked), AskConsent)
        assert isinstance(after(replace(known, began=NOW - 500), **asked), Issue)

    def test_a_native_client_at_an_address_that_nobody_else_can_have_is_remembered(self) -> None:
        assert isinstance(after(of(application_type="native")), Issue)


class TestRow14:
    def test_what_is_issued(self) -> None:
        step = after(nonce="n-0S6", scope="openid orders:read")
        assert isinstance(step, Issue)
        assert (step.client, step.signed_in, step.reply_to.redirect_uri) == (CLIENT, SIGNED_IN, CALLBACK)
        assert (str(step.scope), step.audience, step.request.nonce) == (
            "openid orders:read",
            API.audience,
            "n-0S6",
        )

    def test_our_own_command_line_gets_the_first_api_when_it_names_nothing(self) -> None:
        agreed = Consent(ALICE.id, "mapae", "127.0.0.1", Scope.of(API.scopes), NOW)
        signed_in = replace(SIGNED_IN, consents=(agreed,))
        known = replace(KNOWN, client=COMMAND_LINE, signed_in=signed_in, began=NOW)
        step = after(known, client_id="mapae", redirect_uri="http://127.0.0.1:5/callback", scope=None)
        assert isinstance(step, Issue)
        assert (tuple(step.scope), step.audience) == (API.scopes, API.audience)
