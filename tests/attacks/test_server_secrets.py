"""The attacker reads the log (OWASP ASVS 5.0 chapter 16): a day in the life of a server that logs all it can."""

import json
import re
import sqlite3
from collections.abc import Iterator

import pytest

from tests.attacks.victim import LOGIN, PASSWORD, SECRET_KEY, Victim, get, post, tokens_of, victim_process

INSTANCE = "an-installation-of-the-client"
ATTEMPT = "an-attempt-of-the-installation"


@pytest.fixture(params=["json", "human"])
def victim(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    folder = tmp_path_factory.mktemp("victim")
    with victim_process(folder, MAPAE_LOG_FORMAT=request.param) as made:
        yield made


def test_a_log_of_everything_holds_no_secret(victim: Victim) -> None:
    instance = f"Mapae-Instance: {INSTANCE}"
    first = tokens_of(victim, instance)
    refresh = json.dumps({"refresh_token": first["refresh_token"]}).encode()
    second = json.loads(
        victim.ask(post("/auth/refresh", refresh, instance, f"Mapae-Attempt: {ATTEMPT}")).body
    )
    secrets = [
        PASSWORD, SECRET_KEY, INSTANCE, ATTEMPT,
        *(tokens[name] for tokens in (first, second) for name in ("access_token", "refresh_token")),
    ]  # fmt: skip
    for secret in secrets:
        victim.send(post("/auth/login", json.dumps({"username": secret[:255], "password": secret}).encode()))
        victim.send(post("/auth/login", json.dumps({"username": secret, "scope": secret}).encode()))
        victim.send(post("/auth/login", f'{{"password": "{secret}"'.encode()))
        victim.send(post("/auth/refresh", json.dumps({"refresh_token": secret}).encode()))
        victim.send(post("/auth/logout", json.dumps({"refresh_token": secret}).encode()))
        victim.send(get("/auth/me", f"Authorization: Bearer {secret}", f"Authorization: Bearer {secret}"))
        victim.send(get("/auth/me", f"Authorization: Basic {secret}", f"Cookie: session={secret}"))
        victim.send(get("/auth/me", f"X\x00{secret}: y"))
        victim.send(get(f"/auth/me?access_token={secret.replace(' ', '%20')}"))
    victim.send(post("/auth/logout", LOGIN, f"Authorization: Bearer {second['access_token']}"))
    written = victim.log.read_text()
    assert "refused" in written
    for secret in secrets:
        assert secret not in written
        for part in re.split(r"[.]|mpr_", secret):
            assert len(part) < 20 or part not in written


def test_an_error_nobody_foresaw_is_told_without_what_it_met(victim: Victim) -> None:
    tokens = tokens_of(victim)
    _drop_families(victim)
    refresh = json.dumps({"refresh_token": tokens["refresh_token"]}).encode()
    for request in (post("/auth/refresh", refresh), post("/auth/login", LOGIN)):
        answer = victim.ask(request)
        assert (answer.status, answer.code) == (500, "server_error")
        assert b"families" not in answer.body
        assert b"Traceback" not in answer.body
        assert json.loads(answer.body)["incident"] == answer.headers["x-request-id"]
        assert answer.headers["x-request-id"] in victim.log.read_text()
    written = victim.log.read_text()
    assert "no such table: families" in written
    for secret in (PASSWORD, SECRET_KEY, tokens["access_token"], tokens["refresh_token"]):
        assert secret not in written


def _drop_families(victim: Victim) -> None:
    connection = sqlite3.connect(victim.log.with_name("mapae.db"))
    connection.execute("DROP TABLE families")
    connection.commit()
    connection.close()
