"""Bearer: the header as RFC 6750 section 2.1 has it, the challenge as its section 3 has it."""

import pytest

from mapae.oauth.bearer import MAX_TOKEN_LENGTH, challenge, presented
from mapae.oauth.errors import ErrorCode, OAuthError


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    assert presented([f"{scheme} aA0-._~+/=="]) == "aA0-._~+/=="


def test_more_than_one_space_may_stand_before_the_token() -> None:
    assert presented(["Bearer   abc"]) == "abc"


@pytest.mark.parametrize("headers", [[], ["Basic YTpi"], ["Bearerx abc"], ["DPoP abc"], [""], ["abc"]])
def test_a_request_without_the_scheme_presents_nothing(headers: list[str]) -> None:
    assert presented(headers) is None


@pytest.mark.parametrize(
    "token", ["", " ", "a ", "a b", "a,b", "=a", "a=b", "é", "a\n", "a\x00", "a" * (MAX_TOKEN_LENGTH + 1)]
)
def test_what_is_no_b64token_is_an_invalid_token(token: str) -> None:
    with pytest.raises(OAuthError) as refused:
        presented([f"Bearer {token}"])

    assert refused.value.code is ErrorCode.INVALID_TOKEN


def test_a_token_of_the_greatest_length_is_read() -> None:
    assert presented(["Bearer " + "a" * MAX_TOKEN_LENGTH]) == "a" * MAX_TOKEN_LENGTH


@pytest.mark.parametrize("second", ["Bearer a", "Bearer b", "Basic b", ""])
def test_two_authorization_headers_are_an_invalid_request(second: str) -> None:
    with pytest.raises(OAuthError) as refused:
        presented(["Bearer a", second])

    assert refused.value.code is ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize("query", ["access_token=a", "x=1&access_token=a", "access_token="])
def test_a_token_in_header_and_query_is_an_invalid_request(query: str) -> None:
    with pytest.raises(OAuthError) as refused:
        presented(["Bearer a"], query=query)

    assert refused.value.code is ErrorCode.INVALID_REQUEST


def test_a_token_in_the_query_alone_is_not_accepted() -> None:
    assert presented([], query="access_token=a") is None
    assert presented(["Bearer a"], query="my_access_token=b") == "a"


def test_a_challenge_quotes_its_parameters_in_order_and_leaves_out_none() -> None:
    value = challenge(realm="api", scope=None, error=ErrorCode.INVALID_TOKEN, error_description="It is over.")

    assert value == 'Bearer realm="api", error="invalid_token", error_description="It is over."'


def test_a_challenge_cannot_be_broken_out_of() -> None:
    value = challenge(realm='a"\r\nSet-Cookie: b\\é')

    assert value == 'Bearer realm="a???Set-Cookie: b??"'


def test_a_challenge_of_nothing_is_the_scheme() -> None:
    assert challenge("Basic") == "Basic"
