"""Forms, and the token requests in them."""

import pytest

from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.form import Form
from mapae.oauth.scope import Scope
from mapae.oauth.token_request import (
    GRANT_TYPES,
    ClientCredentialsRequest,
    CodeRequest,
    RefreshRequest,
    parse_token_request,
)


def test_a_form_is_read_by_name_and_what_is_empty_was_not_sent() -> None:
    form = Form.parse(b"grant_type=client_credentials&scope=a%20b+c&client_id=&x=%C3%A9")
    assert dict(form) == {"grant_type": "client_credentials", "scope": "a b c", "x": "\u00e9"}
    assert form.text("x") == "\u00e9"


@pytest.mark.parametrize(
    "body",
    [
        b"a=1&a=2",
        b"a=1&a=",
        b"a=%FF",
        b"a=%00",
        b"a=\xc3\xa9",
        b"%00=a",
        b"&".join(b"p%d=1" % number for number in range(101)),
    ],
    ids=["twice", "twice, once empty", "no UTF-8", "NUL", "not encoded", "NUL in a name", "101 parameters"],
)
def test_what_is_no_sound_form_is_an_invalid_request(body: bytes) -> None:
    with pytest.raises(OAuthError) as refused:
        Form.parse(body)
    assert refused.value.code is ErrorCode.INVALID_REQUEST


def test_a_parameter_that_is_missing_is_named() -> None:
    with pytest.raises(OAuthError) as refused:
        Form.parse(b"token=").text("token")
    assert refused.value.description == "The parameter token is missing."


def test_a_form_does_not_print_what_it_holds() -> None:
    assert repr(Form.parse(b"code=for-nobody-else")) == "Form(code)"


def test_each_grant_type_has_its_request() -> None:
    code = parse_token_request(
        Form.parse(b"grant_type=authorization_code&code=c&redirect_uri=https://a.example&code_verifier=v")
    )
    assert isinstance(code, CodeRequest)
    assert (code.code.reveal(), code.redirect_uri) == ("c", "https://a.example")
    assert code.verifier is not None
    assert code.verifier.reveal() == "v"
    refresh = parse_token_request(Form.parse(b"grant_type=refresh_token&refresh_token=r&scope=a%20b"))
    assert isinstance(refresh, RefreshRequest)
    assert (refresh.refresh_token.reveal(), refresh.scope) == ("r", Scope.parse("a b"))
    own = parse_token_request(Form.parse(b"grant_type=client_credentials&resource=https://api.example"))
    assert own == ClientCredentialsRequest(None, "https://api.example")
    assert (code.grant_type, refresh.grant_type, own.grant_type) == GRANT_TYPES


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", ErrorCode.INVALID_REQUEST),
        (b"grant_type=", ErrorCode.INVALID_REQUEST),
        (b"grant_type=password&username=a&password=b", ErrorCode.UNSUPPORTED_GRANT_TYPE),
        (b"grant_type=implicit", ErrorCode.UNSUPPORTED_GRANT_TYPE),
        (b"grant_type=Client_credentials", ErrorCode.UNSUPPORTED_GRANT_TYPE),
        (b"grant_type=authorization_code", ErrorCode.INVALID_REQUEST),
        (b"grant_type=refresh_token&code=c", ErrorCode.INVALID_REQUEST),
        (b"grant_type=client_credentials&scope=a++b", ErrorCode.INVALID_SCOPE),
        (b"grant_type=client_credentials&scope=%22", ErrorCode.INVALID_SCOPE),
        (b"grant_type=client_credentials&resource=a:b&resource=a:c", ErrorCode.INVALID_TARGET),
    ],
)
def test_what_is_no_token_request_is_refused_with_its_code(body: bytes, code: ErrorCode) -> None:
    with pytest.raises(OAuthError) as refused:
        parse_token_request(Form.parse(body))
    assert refused.value.code is code
