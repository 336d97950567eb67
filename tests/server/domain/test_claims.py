"""Scopes and claims of domain/claims."""

from mapae.oauth.claims_request import ClaimsRequest
from mapae.server.domain.claims import USER_CLAIMS, claims_of_scopes, known_claims, scopes_of_claims
from mapae.server.domain.users import User

ALICE = User(
    id="id",
    username="Alice",
    username_key="alice",
    password_hash=None,
    roles=("member",),
    created_at=7,
    email="alice@example.com",
    claims={"name": "Alice Example", "address": {"country": "KR"}, "phone_number": "+82 2 312 3456"},
)


def test_each_scope_asks_for_its_claims_and_openid_for_none() -> None:
    assert claims_of_scopes(["openid", "email", "orders:read"]) == ("email", "email_verified")
    assert claims_of_scopes(["profile", "email", "address", "phone"]) == USER_CLAIMS


def test_what_is_known_is_told_under_the_names_that_were_asked_for() -> None:
    names = claims_of_scopes(["profile", "address"])
    assert known_claims(ALICE, names) == {
        "name": "Alice Example",
        "preferred_username": "Alice",
        "updated_at": 7,
        "address": {"country": "KR"},
    }


def test_what_nobody_asked_for_and_what_is_no_claim_of_a_user_stays_here() -> None:
    assert known_claims(ALICE, ["email", "roles", "password_hash", "id"]) == {"email": "alice@example.com"}


def test_a_user_without_an_address_has_none_that_could_be_verified() -> None:
    nobody = User("id", "bob", "bob", None, (), 7)
    assert known_claims(nobody, ["email", "email_verified"]) == {}


def test_single_claims_are_asked_for_in_the_words_of_their_scopes() -> None:
    asked = ClaimsRequest(id_token=("email",), userinfo=("name", "acr"))
    assert scopes_of_claims(asked) == ("profile", "email")
