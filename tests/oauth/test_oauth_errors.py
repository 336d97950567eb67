"""OAuth errors: the words for the client and those for the log do not mix."""

from mapae.oauth.errors import ErrorCode, OAuthError


def test_an_error_keeps_what_is_sent_apart_from_what_is_logged() -> None:
    error = OAuthError(ErrorCode.INVALID_GRANT, detail="family f1 ended: replayed")

    assert error.code == "invalid_grant"
    assert error.code.status == 400
    assert "f1" not in error.description
    assert str(error) == "invalid_grant: family f1 ended: replayed"


def test_the_words_for_the_client_can_be_chosen() -> None:
    error = OAuthError(ErrorCode.INVALID_REQUEST, description="The parameter code is missing.")

    assert error.description == "The parameter code is missing."


def test_every_description_may_stand_in_an_answer_and_in_a_header() -> None:
    # RFC 6749 section 5.2 and RFC 6750 section 3: %x20-21 / %x23-5B / %x5D-7E
    for code in ErrorCode:
        assert all(" " <= character <= "~" and character not in '"\\' for character in code.description)
