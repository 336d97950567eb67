"""The stamp that says when an authorization request began."""

import pytest

from mapae.oauth.parameters import Parameters
from mapae.oauth.scope import Scope
from mapae.server.domain.authorize import SignedIn, beginning
from mapae.server.domain.began import LIFE_S, began_at, stamped
from mapae.server.domain.consents import Consent
from mapae.server.domain.users import User

NOW = 1_700_000_000
KEY = b"k" * 32
REQUEST = Parameters.of([("client_id", "web"), ("state", "a b&c=ü"), ("prompt", "login")])
STAMPED = stamped(REQUEST, KEY, began=NOW)
ALICE = User("alice-id-123", "Alice", "alice", None, (), NOW)


def test_a_request_without_a_stamp_begins_now() -> None:
    assert began_at(REQUEST, KEY, now=NOW) is None


@pytest.mark.parametrize(
    ("now", "began"), [(NOW, NOW), (NOW - 2, NOW), (NOW + LIFE_S - 1, NOW), (NOW + LIFE_S, None)]
)
def test_a_stamp_is_good_for_an_hour(now: int, began: int | None) -> None:
    assert began_at(STAMPED, KEY, now=now) == began


def test_it_survives_the_way_through_an_address() -> None:
    assert began_at(Parameters.of_query(STAMPED.to_query()), KEY, now=NOW) == NOW


def test_a_new_stamp_takes_the_place_of_the_old_one() -> None:
    again = stamped(STAMPED, KEY, began=NOW + 5)
    assert len(again.all("began")) == 1
    assert began_at(again, KEY, now=NOW) == NOW + 5


@pytest.mark.parametrize(
    "forged",
    [
        Parameters.of([*STAMPED.pairs, ("scope", "openid")]),
        Parameters.of([("client_id", "other"), *STAMPED.pairs[1:]]),
        Parameters.of([*STAMPED.pairs, STAMPED.pairs[-1]]),
        REQUEST.and_one("began", "0." + STAMPED.pairs[-1][1].partition(".")[2]),
        REQUEST.and_one("began", f"{NOW}"),
        REQUEST.and_one("began", f"{NOW}.{'A' * 43}"),
        stamped(REQUEST, b"another key", began=NOW),
    ],
)
def test_a_stamp_is_good_for_one_request_alone(forged: Parameters) -> None:
    assert began_at(forged, KEY, now=NOW) is None


@pytest.mark.parametrize(
    ("authenticated_at", "granted_at", "began"),
    [
        (NOW - 9, NOW - 5, NOW),
        (NOW, NOW - 5, NOW + 1),
        (NOW - 9, NOW, NOW + 1),
        (NOW + 1, NOW, NOW + 2),
    ],
)
def test_a_request_begins_after_all_that_was_before_it_also_within_one_second(
    authenticated_at: int, granted_at: int, began: int
) -> None:
    consent = Consent(ALICE.id, "web", "app.example.com", Scope.parse("openid"), granted_at)
    signed_in = SignedIn(ALICE, "session-1234", authenticated_at, ALICE.id, (consent,))
    assert beginning(signed_in, now=NOW) == began
    assert beginning(None, now=NOW) == NOW
