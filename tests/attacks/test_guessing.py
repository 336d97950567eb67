"""The attacker guesses passwords (NIST SP 800-63B-4 section 3.2.2, OWASP ASVS 5.0 section 6.3)."""

import asyncio

import pytest
from sqlalchemy import delete, func, insert, select

from mapae.server.domain.limits import ACCOUNT, Bucket, account_bucket, address_bucket
from mapae.server.domain.passwords import parse_username
from mapae.server.store import tables
from mapae.server.store.now import database_now
from tests.server.http.conftest import INSTANCE, Server, serving

#: Where the requests of these tests come from.
ADDRESS = "192.0.2.7"


async def use_up(server: Server, bucket: Bucket, *, all_but: int = 0) -> None:
    """Guess until the bucket is empty but for so many guesses; through the store, since each costs a hash."""
    spent = (bucket.limit.burst - all_but) * bucket.limit.interval_s
    async with server.database.writing.connect() as connection:
        await connection.execute(delete(tables.limits).where(tables.limits.c.key == bucket.key))
        await connection.execute(
            insert(tables.limits).values(
                key=bucket.key,
                paid_until=database_now() + spent,
                interval_s=bucket.limit.interval_s,
                tolerance_s=bucket.limit.tolerance_s,
            )
        )
        await connection.commit()


async def test_after_a_hundred_wrong_guesses_even_the_right_one_has_to_wait(server: Server) -> None:
    await use_up(server, account_bucket("alice"), all_but=1)
    wrong = await server.login("alice", "guess number 100", headers={})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
    limited = await server.login(headers={})
    assert (limited.status_code, limited.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(limited.headers["retry-after"]) <= ACCOUNT.interval_s


@pytest.mark.parametrize("spelling", ["ALICE", "ａｌｉｃｅ", "Alice"])
async def test_another_spelling_of_the_name_is_the_same_account(server: Server, spelling: str) -> None:
    await use_up(server, account_bucket("alice"))
    assert (await server.login(spelling, headers={})).status_code == 429


async def test_an_account_that_is_not_there_is_limited_alike(server: Server) -> None:
    await use_up(server, account_bucket(parse_username("nobody").key))
    unknown = await server.login("nobody", headers={})
    await use_up(server, account_bucket("alice"))
    known = await server.login("alice", headers={})
    assert (unknown.status_code, unknown.content) == (known.status_code, known.content)
    assert unknown.headers.keys() == known.headers.keys()


async def test_the_users_own_device_is_not_locked_out_by_a_strangers_guesses(server: Server) -> None:
    assert (await server.login(headers=INSTANCE)).status_code == 200
    await use_up(server, account_bucket("alice"))
    await use_up(server, address_bucket(ADDRESS))
    assert (await server.login(headers=INSTANCE)).status_code == 200
    assert (
        await server.login(headers={"Mapae-Instance": "a-stranger-with-a-made-up-one"})
    ).status_code == 429
    assert (await server.login("bob", headers=INSTANCE)).status_code == 429, "known at alice's account only"


async def test_one_address_cannot_go_through_all_accounts(server: Server) -> None:
    await use_up(server, address_bucket(ADDRESS))
    for name in ("alice", "bob", "nobody"):
        assert (await server.login(name, headers={})).status_code == 429


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP"])
async def test_a_made_up_address_is_not_believed(server: Server, name: str) -> None:
    await use_up(server, address_bucket(ADDRESS))
    value = "for=198.51.100.9" if name == "Forwarded" else "198.51.100.9"
    assert (await server.login(headers={name: value})).status_code == 429


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "203.0.113.5, 198.51.100.9"},
        {"Forwarded": 'for=203.0.113.5, for="198.51.100.9:4711";proto=https'},
    ],
)
async def test_behind_a_trusted_proxy_the_last_stranger_counts_and_not_what_he_claims(
    database_url: str, headers: dict[str, str]
) -> None:
    async with serving(database_url, MAPAE_TRUSTED_PROXIES=ADDRESS) as server:
        await use_up(server, address_bucket("198.51.100.9"))
        assert (await server.login(headers=headers)).status_code == 429
        assert (await server.login(headers={"X-Forwarded-For": "203.0.113.5"})).status_code == 200


async def test_guesses_made_at_once_are_counted_one_by_one(server: Server) -> None:
    await use_up(server, account_bucket("alice"), all_but=3)
    answers = await asyncio.gather(*(server.login("alice", f"guess {n}", headers={}) for n in range(12)))
    assert sorted(answer.status_code for answer in answers) == [401] * 3 + [429] * 9


async def test_signing_in_costs_no_guess(server: Server) -> None:
    await use_up(server, account_bucket("alice"), all_but=1)
    for _ in range(3):
        assert (await server.login(headers={})).status_code == 200


async def test_what_a_guesser_leaves_in_the_database_is_bounded_by_the_limits(server: Server) -> None:
    await use_up(server, address_bucket(ADDRESS))
    for number in range(20):
        await server.login(f"name{number}", headers={})
    async with server.database.reading_engine.connect() as connection:
        rows = (await connection.execute(select(func.count()).select_from(tables.limits))).scalar_one()
        events = (
            await connection.execute(
                select(func.count())
                .select_from(tables.events)
                .where(tables.events.c.name == "sign_in_refused")
            )
        ).scalar_one()
    assert (rows, events) == (1, 0)


async def test_asking_for_a_scope_that_is_not_there_costs_no_guess_and_tells_nothing(server: Server) -> None:
    await use_up(server, account_bucket("alice"), all_but=1)
    for name in ("alice", "nobody"):
        assert (await server.login(name, headers={}, scope="everything")).json()["code"] == "unknown_scope"
    assert (await server.login(headers={})).status_code == 200
