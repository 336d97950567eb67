"""Rules of a few lines: who is admitted, which API is meant, what may be shown."""

import pytest

from mapae.server.domain.caller import printable
from mapae.server.domain.login import Admitted, NotAdmitted, judge
from mapae.server.domain.problems import ProblemCode
from mapae.server.domain.resource_servers import ResourceServer, Target, UnknownScope, choose_target
from mapae.server.domain.sessions import rounded_to_the_hour
from mapae.server.domain.users import User

ISSUER = "https://auth.example.com"
ORDERS = ResourceServer("https://orders.example.com", ("read", "write"))
STOCK = ResourceServer("https://stock.example.com", ("read", "count"))


def user(disabled_at: int | None = None) -> User:
    return User("u", "Alice", "alice", "$argon2id$", (), 0, disabled_at=disabled_at)


@pytest.mark.parametrize(
    ("who", "right", "outcome"),
    [
        (None, False, NotAdmitted(ProblemCode.INVALID_CREDENTIALS, None)),
        (user(), False, NotAdmitted(ProblemCode.INVALID_CREDENTIALS, "u")),
        (user(5), False, NotAdmitted(ProblemCode.INVALID_CREDENTIALS, "u")),
        (user(5), True, NotAdmitted(ProblemCode.USER_DISABLED, "u")),
        (user(), True, Admitted(user())),
    ],
)
def test_who_is_admitted(who: User | None, right: bool, outcome: Admitted | NotAdmitted) -> None:
    assert judge(who, password_right=right) == outcome


@pytest.mark.parametrize(
    ("servers", "requested", "target"),
    [
        ([], None, Target(ISSUER, ())),
        ([ORDERS, STOCK], None, Target(ORDERS.audience, ("read", "write"))),
        ([ORDERS, STOCK], ["read"], Target(ORDERS.audience, ("read",))),
        ([ORDERS, STOCK], ["count", "read"], Target(STOCK.audience, ("count", "read"))),
        ([ORDERS, STOCK], ["write", "write"], Target(ORDERS.audience, ("write",))),
    ],
)
def test_which_resource_server_a_sign_in_means(
    servers: list[ResourceServer], requested: list[str] | None, target: Target
) -> None:
    assert choose_target(servers, requested, issuer=ISSUER) == target


@pytest.mark.parametrize(("servers", "requested"), [([], ["read"]), ([ORDERS, STOCK], ["write", "count"])])
def test_scopes_of_no_single_resource_server_are_unknown(
    servers: list[ResourceServer], requested: list[str]
) -> None:
    with pytest.raises(UnknownScope):
        choose_target(servers, requested, issuer=ISSUER)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, None),
        ("", None),
        (" \t\n\x00 ", None),
        ("curl/8.5", "curl/8.5"),
        ("a\x1b[31mred\r\nX-Header: 1", "a[31mredX-Header: 1"),
        ("right\u202eleft", "rightleft"),
        ("x" * 300, "x" * 20),
        ("\x00" * 1000 + "x", None),
    ],
)
def test_what_may_be_kept_and_shown_of_a_callers_text(text: str | None, shown: str | None) -> None:
    assert printable(text, limit=20) == shown


@pytest.mark.parametrize(("moment", "hour"), [(0, 0), (3599, 0), (3600, 3600), (7261, 7200)])
def test_last_used_is_told_by_the_hour(moment: int, hour: int) -> None:
    assert rounded_to_the_hour(moment) == hour
