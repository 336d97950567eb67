"""The attacker lies about where they come from or who they are (RFC 9700 section 4.13, OWASP WSTG-IDNT-04)."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mapae.server.adapters import argon2_hasher
from tests.attacks.victim import LOGIN, Answer, Victim, get, post, tokens_of, victim_process
from tests.server.http.conftest import Server

FORGED = [
    ("X-Forwarded-For: 203.0.113.9",),
    ("X-Forwarded-For: 203.0.113.9, 127.0.0.1",),
    ("Forwarded: for=203.0.113.9",),
    ("X-Real-IP: 203.0.113.9", "X-Client-IP: 203.0.113.9", "True-Client-IP: 203.0.113.9"),
]


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    with victim_process(tmp_path_factory.mktemp("victim")) as made:
        yield made
        assert made.is_well()


@pytest.fixture(scope="module")
def behind_proxies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    folder = tmp_path_factory.mktemp("behind")
    with victim_process(folder, MAPAE_TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8") as made:
        yield made
        assert made.is_well()


def seen_address(victim: Victim, *headers: str) -> str:
    """Where the server thinks that a sign-in with these headers came from."""
    token = tokens_of(victim, *headers)["access_token"]
    answer = victim.ask(get("/auth/sessions", f"Authorization: Bearer {token}"))
    (current,) = [one for one in json.loads(answer.body)["sessions"] if one["current"]]
    return str(current["address"])


@pytest.mark.parametrize("headers", FORGED)
def test_a_stranger_is_believed_nothing(victim: Victim, headers: tuple[str, ...]) -> None:
    assert seen_address(victim, *headers) == "127.0.0.1"


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        (("X-Forwarded-For: 203.0.113.9",), "203.0.113.9"),
        (("X-Forwarded-For: 198.51.100.1, 203.0.113.9",), "203.0.113.9"),
        (("X-Forwarded-For: 198.51.100.1, 203.0.113.9, 10.1.2.3",), "203.0.113.9"),
        (("X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 203.0.113.9, 10.1.2.3"), "203.0.113.9"),
        (("X-Forwarded-For: 203.0.113.9, nonsense",), "127.0.0.1"),
        (("X-Forwarded-For: 203.0.113.9, nonsense, 10.1.2.3",), "10.1.2.3"),
        (("X-Forwarded-For: <script>",), "127.0.0.1"),
        (("X-Forwarded-For: " + "203.0.113.9, " * 1000 + "2001:db8::1",), "2001:db8::1"),
        (('Forwarded: for=198.51.100.1, for="[2001:db8::2]:4711"',), "2001:db8::2"),
        (("Forwarded: for=203.0.113.9", "X-Forwarded-For: 198.51.100.1"), "127.0.0.1"),
        (("Forwarded: for=203.0.113.9", "X-Forwarded-For: 203.0.113.9"), "203.0.113.9"),
    ],
)
def test_a_proxy_is_believed_what_it_added_and_nobody_left_of_a_stranger(
    behind_proxies: Victim, headers: tuple[str, ...], address: str
) -> None:
    assert seen_address(behind_proxies, *headers) == address


def test_a_trailer_forges_no_address(behind_proxies: Victim) -> None:
    body = b"%x\r\n%b\r\n0\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n" % (len(LOGIN), LOGIN)
    framing = "Transfer-Encoding: chunked\r\nX-Forwarded-For: 198.51.100.7"
    token = json.loads(behind_proxies.ask(post("/auth/login", body, framing=framing)).body)["access_token"]
    answer = behind_proxies.ask(get("/auth/sessions", f"Authorization: Bearer {token}"))
    (current,) = [one for one in json.loads(answer.body)["sessions"] if one["current"]]
    assert current["address"] == "198.51.100.7"


@pytest.mark.parametrize("name", ["Mapae-Instance", "Mapae-Attempt"])
@pytest.mark.parametrize(
    "values",
    [
        ("short",),
        ("x" * 87,),
        ("x" * 15_000,),
        ("an installation of the client",),
        ("an-installation\x7fof-the-client",),
        ("\xe4n-installation-of-the-client",),
        ("' OR 1=1 --" + "x" * 20,),
        ("an-installation-of-the-client", "an-installation-of-the-client"),
        ("",),
    ],
    ids=lambda values: repr([value[:24] for value in values]),
)
def test_an_instance_is_one_value_of_base64url_or_the_request_is_refused(
    victim: Victim, name: str, values: tuple[str, ...]
) -> None:
    answer = victim.ask(post("/auth/login", LOGIN, *(f"{name}: {value}" for value in values)))
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert name not in victim.log.read_text()


def test_a_stolen_refresh_token_is_noticed_when_it_comes_from_another_instance(victim: Victim) -> None:
    mine, other = f"Mapae-Instance: {'m' * 22}", f"Mapae-Instance: {'o' * 22}"
    body = json.dumps({"refresh_token": tokens_of(victim, mine)["refresh_token"]}).encode()
    stolen = victim.ask(post("/auth/refresh", body, other))
    assert json.loads(stolen.body)["reason"] == "replayed"
    assert victim.ask(post("/auth/refresh", body, mine)).code == "session_ended"


def credentials(username: str, password: str = "not the password") -> bytes:
    return json.dumps({"username": username, "password": password}).encode()


def without_its_own(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """An answer without what differs between any two answers."""
    headers = {name: value for name, value in answer.headers.items() if name not in {"date", "x-request-id"}}
    return answer.status, headers, answer.body


@pytest.mark.parametrize(
    "username", ["nobody", "alice@example.com", "a" * 255, "' OR 1=1 --", "no such\x00name", "alíce", "admin"]
)
def test_an_unknown_user_gets_the_very_answer_of_a_wrong_password(victim: Victim, username: str) -> None:
    known, unknown = (victim.ask(post("/auth/login", credentials(name))) for name in ("alice", username))
    assert known.code == "invalid_credentials"
    assert without_its_own(unknown) == without_its_own(known)


Recorded = list[tuple[int, int, int]]


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """What every Argon2 computation of this process cost: passes, KiB, lanes."""
    recorded: Recorded = []

    def noted(compute: Callable[..., Any]) -> Callable[..., Any]:
        def run(first: bytes, *arguments: Any, **named: Any) -> Any:
            if named:
                cost = (named["time_cost"], named["memory_cost"], named["parallelism"])
            else:
                found = argon2_hasher.check_encoded_hash(first.decode())
                cost = (found.time_cost, found.memory_kib, found.parallelism)
            recorded.append(cost)
            return compute(first, *arguments, **named)

        return run

    for name in ("hash_secret", "verify_secret"):
        monkeypatch.setattr(argon2_hasher, name, noted(getattr(argon2_hasher, name)))
    return recorded


async def test_an_unknown_user_costs_the_very_hash_of_a_wrong_password(
    server: Server, costs: Recorded
) -> None:
    per_name = []
    for username in ("alice", "nobody"):
        costs.clear()
        await server.login(username, "not the password")
        per_name.append(list(costs))
    assert per_name[0] == per_name[1] == [(5, 7168, 1)]
