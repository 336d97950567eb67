"""What a request presents of its client: one method, in the form of RFC 6749 section 2.3.1."""

from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapae.oauth.client_credentials import (
    JWT_BEARER,
    ClientCredentials,
    JustNamed,
    WithAssertion,
    WithSecret,
    presented,
)
from mapae.oauth.client_members import AUTH_METHODS
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.secret import Secret


def basic(text: str | bytes) -> str:
    return "Basic " + b64encode(text.encode() if isinstance(text, str) else text).decode()


@pytest.mark.parametrize(
    ("authorization", "form", "expected"),
    [
        ([], {"client_id": "web"}, JustNamed("web")),
        ([], {"client_id": "web", "client_secret": ""}, JustNamed("web")),
        (
            [],
            {"client_id": "web", "client_secret": "s: é"},
            WithSecret("web", Secret("s: é"), "client_secret_post"),
        ),
        ([basic("web:secret")], {}, WithSecret("web", Secret("secret"), "client_secret_basic")),
        ([basic("web:se:cret")], {}, WithSecret("web", Secret("se:cret"), "client_secret_basic")),
        ([basic("web:")], {}, WithSecret("web", Secret(""), "client_secret_basic")),
        (
            [basic("a%3Ab+c:%C3%A9%25+")],
            {},
            WithSecret("a:b c", Secret("é% "), "client_secret_basic"),
        ),
        ([basic("web:%zz")], {}, WithSecret("web", Secret("%zz"), "client_secret_basic")),
        (
            [basic("web:secret").replace("Basic", "bAsIc")],
            {"client_id": "web"},
            WithSecret("web", Secret("secret"), "client_secret_basic"),
        ),
        (
            [],
            {"client_assertion": "a.b.c", "client_assertion_type": JWT_BEARER},
            WithAssertion(None, "a.b.c"),
        ),
        (
            [],
            {"client_id": "web", "client_assertion": "a.b.c", "client_assertion_type": JWT_BEARER},
            WithAssertion("web", "a.b.c"),
        ),
    ],
)
def test_what_a_request_presents(
    authorization: list[str], form: dict[str, str], expected: ClientCredentials
) -> None:
    assert presented(authorization, form) == expected


ASSERTION = {"client_assertion": "a.b.c", "client_assertion_type": JWT_BEARER}


@pytest.mark.parametrize(
    ("authorization", "form"),
    [
        ([basic("web:secret"), basic("web:secret")], {}),
        ([basic("web:secret")], {"client_id": "web", "client_secret": "secret"}),
        ([basic("web:secret")], {"client_secret": "secret"}),
        ([basic("web:secret")], ASSERTION),
        ([], {"client_id": "web", "client_secret": "secret", **ASSERTION}),
        ([basic("web:secret")], {"client_id": "other"}),
    ],
)
def test_two_ways_at_once_are_an_invalid_request(authorization: list[str], form: dict[str, str]) -> None:
    with pytest.raises(OAuthError) as refused:
        presented(authorization, form)
    assert refused.value.code is ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize(
    ("authorization", "form"),
    [
        ([], {}),
        ([], {"client_id": ""}),
        ([], {"client_secret": "secret"}),
        ([], {"client_id": "web", "client_assertion": "a.b.c"}),
        ([], {"client_assertion": "a.b.c", "client_assertion_type": "urn:of:something:else"}),
        (["Bearer abc"], {"client_id": "web"}),
        (["Basic"], {}),
        ([""], {}),
        (["Basic !!!"], {}),
        (["Basic d2Vi"], {}),  # no colon
        ([basic(":secret")], {}),
        ([basic(b"web:\xff")], {}),
        ([basic("web:%ff")], {}),
        ([basic("web:secret") + ", Basic x"], {}),
    ],
)
def test_what_names_no_client_is_an_invalid_client(authorization: list[str], form: dict[str, str]) -> None:
    with pytest.raises(OAuthError) as refused:
        presented(authorization, form)
    assert refused.value.code is ErrorCode.INVALID_CLIENT


@given(st.lists(st.text(), max_size=2), st.dictionaries(st.text(max_size=20), st.text(max_size=20)))
def test_anything_at_all_is_read_or_refused(headers: list[str], form: dict[str, str]) -> None:
    with suppress(OAuthError):
        found = presented([f"Basic {header}" for header in headers], {"client_id": "web", **form})
        assert found.method in AUTH_METHODS
