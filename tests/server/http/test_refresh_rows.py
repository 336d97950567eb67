"""The table of domain/families as a client meets it: row by row over HTTP, on both databases."""

import hashlib
from typing import Any

import pytest
from sqlalchemy import select, update

from mapae.server.app import rotation_of
from mapae.server.domain.families import MAX_SCORE
from mapae.server.domain.keys import REFRESH_ALGORITHM
from mapae.server.domain.refresh_token import RefreshKey, RefreshTokenCodec
from mapae.server.settings import load_settings
from mapae.server.store import tables
from tests.server.http.conftest import INSTANCE, ISSUER, SECRET_KEY, Server, serving
from tests.server.http.statements import statements

#: The key of the server under test.
KEYS: list[RefreshKey] = []
CODEC = RefreshTokenCodec(lambda: KEYS)
ELSEWHERE = {"Mapae-Instance": "another-installation-of-it"}
NOBODY: dict[str, str] = {}
ATTEMPT = "an-attempt-value-of-the-client"
GRACE = 10
#: What the key ring asks every two seconds, whatever goes on beside it.
LATE, SOON = GRACE + 1, 0
ENDED, REFUSED = "session_ended", "invalid_refresh_token"


async def set_up(server: Server, bound: bool, seconds_ago: int, row: dict[str, Any]) -> str:
    """A family at turn 5 that was handed out `seconds_ago`, else as `row` says: its id."""
    rotation = rotation_of(
        load_settings({"MAPAE_ISSUER": ISSUER, "MAPAE_SECRET_KEY": SECRET_KEY}), server.database
    )
    kept = (await rotation.read()).keys
    KEYS[:] = [rotation.sealed.refresh_key(key) for key in kept if key.algorithm == REFRESH_ALGORITHM]
    await server.login(headers=INSTANCE if bound else NOBODY)
    async with server.database.writing.connect() as connection:
        moment = tables.families.c.used_at - seconds_ago
        await connection.execute(update(tables.families).values(turn=5, handed_out_at=moment, **row))
        family_id: str = (await connection.execute(select(tables.families.c.id))).scalar_one()
        await connection.commit()
    return family_id


async def kept(server: Server) -> dict[str, Any]:
    async with server.database.reading_engine.connect() as connection:
        return dict((await connection.execute(select(tables.families))).one()._mapping)


@pytest.mark.parametrize(
    ("bound", "headers", "seconds_ago", "row", "presented", "answered"),
    [
        pytest.param(True, NOBODY, LATE, {}, 3, REFUSED, id="row 5: an old token without the instance"),
        pytest.param(True, ELSEWHERE, LATE, {}, 0, REFUSED, id="row 5: an old token from elsewhere"),
        pytest.param(True, ELSEWHERE, SOON, {}, 4, ENDED, id="row 6: the previous token from elsewhere"),
        pytest.param(True, NOBODY, LATE, {}, 5, ENDED, id="row 6: the current token without the instance"),
        pytest.param(True, ELSEWHERE, LATE, {}, 6, ENDED, id="row 6: a token ahead from elsewhere"),
        pytest.param(True, INSTANCE, 100, {}, 8, 9, id="row 7: the database forgot three turns"),
        pytest.param(False, NOBODY, 100, {}, 6, ENDED, id="row 8: a token ahead and nothing that binds"),
        pytest.param(True, INSTANCE, 2 * GRACE - 2, {}, 5, 5, id="row 9: again"),
        pytest.param(False, NOBODY, 0, {}, 5, 5, id="row 9: again, and nothing that binds"),
        pytest.param(True, INSTANCE, 2 * GRACE, {}, 5, 6, id="row 10: a turn"),
        pytest.param(False, NOBODY, 100, {}, 5, 6, id="row 10: a turn, and nothing that binds"),
        pytest.param(True, INSTANCE, SOON, {}, 4, 5, id="row 12: a replay"),
        pytest.param(False, NOBODY, SOON, {}, 4, 5, id="row 12: a replay, and nothing that binds"),
        pytest.param(True, INSTANCE, 5000, {}, 4, 5, id="row 13: a late replay"),
        pytest.param(
            True, INSTANCE, LATE, {"score": MAX_SCORE}, 4, ENDED, id="row 13: one late replay too many"
        ),
        pytest.param(False, NOBODY, LATE, {}, 4, 5, id="row 14: the first late replay where nothing binds"),
        pytest.param(False, NOBODY, LATE, {"score": 1}, 4, ENDED, id="row 14: the second"),
        pytest.param(True, INSTANCE, SOON, {}, 3, ENDED, id="row 15: an older token"),
        pytest.param(False, NOBODY, SOON, {}, 0, ENDED, id="row 15: an older token, and nothing that binds"),
    ],
)
async def test_a_row_of_the_table(
    server: Server,
    bound: bool,
    headers: dict[str, str],
    seconds_ago: int,
    row: dict[str, Any],
    presented: int,
    answered: str | int,
) -> None:
    family_id = await set_up(server, bound, seconds_ago, row)
    answer = await server.refresh(CODEC.write(family_id, presented).reveal(), headers)
    if isinstance(answered, int):
        assert answer.status_code == 200, answer.text
        assert answer.json()["refresh_token"] == CODEC.write(family_id, answered).reveal()
        assert (await kept(server))["turn"] == answered
        assert (await kept(server))["ended_reason"] is None
        return
    assert (answer.status_code, answer.json()["code"]) == (401, answered)
    row_after = await kept(server)
    if answered == REFUSED or (presented == 6 and not bound):
        assert row_after["ended_reason"] is None, "nothing ends"
    else:
        assert answer.json()["reason"] == row_after["ended_reason"] == "replayed"


async def test_row_11_another_attempt_value_ends_the_family(server: Server) -> None:
    digest = hashlib.sha256(ATTEMPT.encode()).digest()
    family_id = await set_up(server, True, SOON, {"uses_attempts": True, "attempt_digest": digest})
    previous = CODEC.write(family_id, 4).reveal()
    mine = INSTANCE | {"Mapae-Attempt": ATTEMPT}
    assert (await server.refresh(previous, mine)).status_code == 200
    stolen = INSTANCE | {"Mapae-Attempt": "the-attempt-value-of-a-thief"}
    assert (await server.refresh(previous, stolen)).json()["reason"] == "replayed"


async def test_a_refresh_is_one_read_one_write_and_one_commit(database_url: str) -> None:
    async with serving(database_url, MAPAE_REFRESH_GRACE="0") as server:
        token = (await server.login()).json()["refresh_token"]
        with statements() as made:
            assert (await server.refresh(token)).status_code == 200
        assert made == ["SELECT", "UPDATE"]
        with statements() as made:
            for forged in ("mpr_" + "A" * 64, token[:-1] + ("A" if token[-1] != "A" else "B"), "nonsense"):
                assert (await server.refresh(forged)).status_code == 401
        assert made == [], "a forged token touches no database"
