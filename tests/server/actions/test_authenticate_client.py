"""Client authentication on both databases: who is let in, who is not, and what each costs."""

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from mapae.entropy import system_entropy
from mapae.jose import jws, strict_json
from mapae.jose.jwk import Jwk
from mapae.oauth.client_credentials import JWT_BEARER
from mapae.oauth.client_metadata import ClientMetadata
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.server.actions.authenticate_client import AuthenticateClient
from mapae.server.actions.client_directory import KEPT_S, ClientDirectory
from mapae.server.actions.client_keys import ClientKeys
from mapae.server.actions.client_secrets import ClientSecrets
from mapae.server.actions.guess_limits import GuessLimits
from mapae.server.adapters.argon2_hasher import Argon2Hasher, HashingBusy
from mapae.server.adapters.fetch import GuardedFetch
from mapae.server.domain.caller import Caller
from mapae.server.domain.clients import Client
from mapae.server.domain.limits import address_bucket
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.store import tables
from mapae.server.store.engine import Database, open_database
from mapae.testing.clock import FixedClock

ISSUER = "https://auth.example.com"
SECRET = "a secret of two servers"
CALLER = Caller("192.0.2.7", "a test")
KEY = Jwk.generate("ES256", kid="one")
HASHING = PasswordHasher(time_cost=5, memory_cost=7168, parallelism=1)
SECRET_HASH, OTHER_HASH = HASHING.hash(SECRET), HASHING.hash("another secret")


def client(client_id: str, secret_hash: str | None = None, **members: Any) -> Client:
    metadata = {"redirect_uris": ["https://app.example.com/"], **members}
    return Client(client_id, ClientMetadata.parse(metadata), secret_hash)


CLIENTS = (
    client("basic", SECRET_HASH),
    client("post", SECRET_HASH, token_endpoint_auth_method="client_secret_post"),
    client("spa", token_endpoint_auth_method="none"),
    client("payroll", token_endpoint_auth_method="private_key_jwt", jwks={"keys": [KEY.public().to_dict()]}),
)


class Counting(Argon2Hasher):
    """Counts the hashes that are asked for."""

    hashes = 0

    async def _run(self, work: Any) -> Any:
        self.hashes += 1
        return await super()._run(work)


@dataclass
class World:
    database: Database
    clock: FixedClock
    hasher: Counting
    authenticate: AuthenticateClient

    async def basic(self, client_id: str, secret: str, caller: Caller = CALLER) -> Client:
        told = b64encode(f"{client_id}:{secret}".encode()).decode()
        return await self.authenticate([f"Basic {told}"], {}, caller)

    async def form(self, caller: Caller = CALLER, **members: str) -> Client:
        return await self.authenticate([], members, caller)

    async def signed(self, key: Jwk = KEY, *, named: str = "", **claims: Any) -> Client:
        return await self.form(
            client_assertion=self.assertion(key, **claims),
            client_assertion_type=JWT_BEARER,
            client_id=named,
        )

    def assertion(self, key: Jwk = KEY, **claims: Any) -> str:
        now = int(self.clock())
        usual = {"iss": "payroll", "sub": "payroll", "aud": ISSUER, "exp": now + 60, "jti": "one-use"}
        return jws.sign(strict_json.dump({**usual, **claims}), key, algorithm=str(key.alg))

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        async with self.database.reading_engine.connect() as connection:
            rows = await connection.execute(select(tables.events).order_by(tables.events.c.id))
            return [(row.name, row.members) for row in rows]


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    database, clock = open_database(database_url), FixedClock()
    hasher = Counting(memory_kib=7168, time_cost=5, parallelism=1, threads=1, queue=1)
    async with database.unit() as unit:
        for one in CLIENTS:
            await unit.clients.add(one)
        await unit.commit()
    authenticate = AuthenticateClient(
        database,
        ClientDirectory(database, monotonic=clock),
        ClientSecrets(hasher, system_entropy),
        ClientKeys(GuardedFetch(), monotonic=clock),
        GuessLimits(monotonic=clock),
        audiences=(ISSUER, f"{ISSUER}/oauth/token"),
        clock=clock,
    )
    yield World(database, clock, hasher, authenticate)
    hasher.close()
    await database.close()


async def refused(attempt: Any) -> str:
    """What a client that is not let in is told: all of it."""
    with pytest.raises(OAuthError) as error:
        await attempt
    assert error.value.code is ErrorCode.INVALID_CLIENT
    return error.value.description


async def test_each_client_gets_in_by_its_own_method(world: World) -> None:
    assert (await world.basic("basic", SECRET)).client_id == "basic"
    assert (await world.form(client_id="post", client_secret=SECRET)).client_id == "post"
    assert (await world.form(client_id="spa")).client_id == "spa"
    assert (await world.signed()).client_id == "payroll"
    assert (await world.form(client_id="mapae")).client_id == "mapae"
    assert await world.events() == []


async def test_no_client_gets_in_by_the_method_of_another(world: World) -> None:
    await refused(world.form(client_id="basic", client_secret=SECRET))
    await refused(world.basic("post", SECRET))
    await refused(world.basic("spa", SECRET))
    await refused(world.basic("payroll", SECRET))
    await refused(world.basic("mapae", SECRET))
    for name in ("basic", "post", "payroll"):
        await refused(world.form(client_id=name))
    await refused(world.signed(iss="basic", sub="basic"))
    await refused(world.signed(iss="spa", sub="spa"))


async def test_a_right_secret_is_hashed_once_and_a_wrong_one_each_time(world: World) -> None:
    for _ in range(3):
        await world.basic("basic", SECRET)
    assert world.hasher.hashes == 1
    for _ in range(3):
        await refused(world.basic("basic", "not the secret"))
    assert world.hasher.hashes == 4


async def test_requests_at_the_same_time_share_one_hash(world: World) -> None:
    """There are places for two hashes, and twenty requests are no more than one of them."""
    found = await asyncio.gather(*(world.basic("basic", SECRET) for _ in range(20)))
    assert {one.client_id for one in found} == {"basic"}
    assert world.hasher.hashes == 1


async def test_who_goes_away_does_not_take_the_hash_from_the_others(world: World) -> None:
    first = asyncio.create_task(world.basic("basic", SECRET))
    second = asyncio.create_task(world.basic("basic", SECRET))
    while not world.hasher.hashes:
        await asyncio.sleep(0)
    first.cancel()
    assert (await second).client_id == "basic"
    with pytest.raises(asyncio.CancelledError):
        await first
    assert world.hasher.hashes == 1


async def test_too_many_hashes_at_once_are_turned_away(world: World) -> None:
    results = await asyncio.gather(
        *(world.basic("basic", f"guess number {number}") for number in range(5)), return_exceptions=True
    )
    assert any(isinstance(result, HashingBusy) for result in results)
    assert all(isinstance(result, HashingBusy | OAuthError) for result in results)


async def test_another_secret_counts_as_soon_as_the_directory_has_it(world: World) -> None:
    await world.basic("basic", SECRET)
    async with world.database.unit() as unit:
        await unit.clients.save(replace(CLIENTS[0], secret_hash=OTHER_HASH))
        await unit.commit()
    world.clock.advance(KEPT_S)
    await refused(world.basic("basic", SECRET))
    assert (await world.basic("basic", "another secret")).client_id == "basic"


async def test_a_refusal_is_an_event_that_names_known_clients_only(world: World) -> None:
    await refused(world.basic("basic", "not the secret"))
    await refused(world.basic("a-password-typed-here", "not the secret"))
    seen = {"address": "192.0.2.7", "user_agent": "a test"}
    assert await world.events() == [
        ("client_refused", {"client_id": "basic", **seen}),
        ("client_refused", {"client_id": None, **seen}),
    ]


class TestGuessing:
    async def test_an_address_that_guesses_has_to_wait_and_a_known_secret_has_not(self, world: World) -> None:
        await world.basic("basic", SECRET)
        bucket = address_bucket("192.0.2.7")
        async with world.database.unit() as unit:
            for _ in range(bucket.limit.burst - 1):
                await unit.limits.spend([bucket])
            await unit.commit()
        await refused(world.basic("basic", "the last free guess"))
        hashes = world.hasher.hashes
        for client_id in ("basic", "unknown"):
            with pytest.raises(Problem) as limited:
                await world.basic(client_id, "one guess too many")
            assert limited.value.code is ProblemCode.TOO_MANY_ATTEMPTS
            assert limited.value.retry_after_s
        assert world.hasher.hashes == hashes, "before anything is hashed"
        assert (await world.basic("basic", SECRET)).client_id == "basic"
        elsewhere = Caller("198.51.100.9")
        await refused(world.basic("basic", "a guess from elsewhere", elsewhere))

    async def test_a_caller_without_an_address_is_not_limited_by_it(self, world: World) -> None:
        await refused(world.basic("basic", "not the secret", Caller()))
        assert (await world.basic("basic", SECRET, Caller())).client_id == "basic"


class TestAssertions:
    async def test_an_assertion_is_good_for_once_however_many_bring_it(self, world: World) -> None:
        text = world.assertion()
        attempts = (world.form(client_assertion=text, client_assertion_type=JWT_BEARER) for _ in range(10))
        results = await asyncio.gather(*attempts, return_exceptions=True)
        assert [one for one in results if isinstance(one, Client)] == [CLIENTS[3]]
        assert all(isinstance(one, Client | OAuthError) for one in results)
        world.clock.advance(89)
        await refused(world.form(client_assertion=text, client_assertion_type=JWT_BEARER))
        assert (await world.signed(jti="another")).client_id == "payroll"

    async def test_only_the_digest_of_what_was_used_is_kept(self, world: World) -> None:
        await world.signed()
        async with world.database.reading_engine.connect() as connection:
            (row,) = (await connection.execute(select(tables.assertions))).all()
        assert row.jti_digest == hashlib.sha256(b"one-use").digest()
        assert row.expires_at >= world.clock() + 60 + 30

    async def test_an_assertion_that_is_refused_uses_nothing_up(self, world: World) -> None:
        await refused(world.signed(Jwk.generate("ES256", kid="one")))
        await refused(world.signed(aud="https://other.example.com"))
        assert (await world.signed()).client_id == "payroll"

    async def test_the_named_client_has_to_be_the_one_that_signed(self, world: World) -> None:
        await refused(world.signed(named="basic"))
        assert (await world.signed(named="payroll")).client_id == "payroll"

    async def test_only_the_algorithm_that_was_registered(self, world: World) -> None:
        rsa = Jwk.generate("RS256", kid="two")
        keys = {"keys": [KEY.public().to_dict(), rsa.public().to_dict()]}
        strict = client(
            "strict",
            token_endpoint_auth_method="private_key_jwt",
            token_endpoint_auth_signing_alg="RS256",
            jwks=keys,
        )
        async with world.database.unit() as unit:
            await unit.clients.add(strict)
            await unit.commit()
        await refused(world.signed(iss="strict", sub="strict"))
        assert (await world.signed(rsa, iss="strict", sub="strict")).client_id == "strict"


async def test_what_the_store_has_lets_nobody_in(world: World) -> None:
    """OWASP ASVS: the database stolen, and what is in it presented."""
    await refused(world.basic("basic", SECRET_HASH))
    await refused(world.form(client_id="post", client_secret=SECRET_HASH))
    long = "x" * 1025
    await refused(world.basic("basic", long))


async def test_a_secret_in_another_spelling_is_another_secret(world: World) -> None:
    await refused(world.basic("basic", SECRET.upper()))
    await refused(world.basic("basic", f"{SECRET} "))
