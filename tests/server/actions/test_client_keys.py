"""Keys that clients publish: fetched when they are needed, kept while the host is away, never asked for in a rush."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from mapae.jose import strict_json
from mapae.jose.jwk import Jwk
from mapae.oauth.client_metadata import ClientMetadata
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.server.actions.client_keys import COOL_S, FRESH_S, ClientKeys
from mapae.server.adapters.fetch import GuardedFetch
from mapae.testing.clock import FixedClock
from tests.private_ca import private_ca
from tests.server.adapters.outside import Outside, answered, outside

ONE, TWO = Jwk.generate("ES256", kid="one"), Jwk.generate("ES256", kid="two")
AWAY = answered(b"", status="503 Service Unavailable")


def published(*keys: Jwk) -> bytes:
    return answered(strict_json.dump({"keys": [key.public().to_dict() for key in keys]}))


def at(url: str) -> ClientMetadata:
    return ClientMetadata(token_endpoint_auth_method="private_key_jwt", jwks_uri=url)


class World:
    def __init__(self, host: Outside, keys: ClientKeys, clock: FixedClock) -> None:
        self.host, self.keys, self.clock = host, keys, clock

    async def kids(self, kid: str | None = "one") -> set[str | None]:
        """The names of the keys that there are for an assertion that names `kid`."""
        return {key.kid for key in await self.keys.of(at(self.host.url()), kid=kid)}

    async def refused(self, kid: str | None = "one") -> bool:
        with pytest.raises(OAuthError) as error:
            await self.kids(kid)
        return error.value.code is ErrorCode.INVALID_CLIENT


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    ca, clock = private_ca(tmp_path), FixedClock()
    tls: ssl.SSLContext = ca.serving("localhost")
    keys = ClientKeys(GuardedFetch((ip_network("127.0.0.0/8"),), ca.file), monotonic=clock)
    async with outside(published(ONE), tls) as host:
        yield World(host, keys, clock)


async def test_a_key_set_is_fetched_once_for_all_who_need_it_now_and_kept(world: World) -> None:
    assert await asyncio.gather(*(world.kids() for _ in range(10))) == [{"one"}] * 10
    world.clock.advance(FRESH_S - 1)
    assert await world.kids() == {"one"}
    assert len(world.host.requests) == 1
    world.clock.advance(1)
    assert await world.kids() == {"one"}
    assert len(world.host.requests) == 2


async def test_a_new_key_is_looked_for_at_once_but_not_again_and_again(world: World) -> None:
    await world.kids()
    world.host.answer = [published(ONE, TWO)]
    assert await world.kids("two") == {"one"}, "asked a moment ago"
    world.clock.advance(COOL_S)
    assert await world.kids("two") == {"one", "two"}
    for _ in range(5):
        assert await world.kids("made up") == {"one", "two"}
    assert len(world.host.requests) == 2
    assert await world.kids(None) == {"one", "two"}


async def test_while_the_host_is_away_its_last_keys_stay_in_use(world: World) -> None:
    await world.kids()
    world.host.answer = [AWAY]
    world.clock.advance(FRESH_S)
    assert await world.kids() == {"one"}
    assert await world.kids() == {"one"}
    assert len(world.host.requests) == 2


async def test_a_host_that_never_answered_is_not_asked_in_a_rush(world: World) -> None:
    world.host.answer = [AWAY]
    assert await world.refused()
    assert await world.refused()
    assert len(world.host.requests) == 1
    world.host.answer = [published(ONE)]
    world.clock.advance(COOL_S)
    assert await world.kids() == {"one"}


@pytest.mark.parametrize("body", [b"{}", b'{"keys": 1}', strict_json.dump({"keys": [ONE.to_dict()]})])
async def test_what_is_no_public_key_set_is_none(world: World, body: bytes) -> None:
    world.host.answer = [answered(body)]
    assert await world.refused()
    assert await world.refused()
    assert len(world.host.requests) == 1


async def test_a_key_set_that_went_bad_does_not_replace_a_good_one(world: World) -> None:
    await world.kids()
    world.host.answer = [answered(b'{"keys": 1}')]
    world.clock.advance(FRESH_S)
    assert await world.kids() == {"one"}


async def test_keys_whose_private_part_is_published_are_not_used_any_more(world: World) -> None:
    await world.kids()
    world.host.answer = [answered(strict_json.dump({"keys": [ONE.to_dict()]}))]
    world.clock.advance(FRESH_S)
    assert await world.refused()


async def test_registered_keys_are_there_and_without_any_there_are_none(world: World) -> None:
    registered = ClientMetadata(jwks={"keys": [TWO.public().to_dict()]})
    assert [key.kid for key in await world.keys.of(registered, kid="two")] == ["two"]
    with pytest.raises(OAuthError):
        await world.keys.of(ClientMetadata(), kid=None)
    assert world.host.requests == []
