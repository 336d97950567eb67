"""Connections that outlive their token are told when it ends, on the clock of the test."""

import asyncio
from functools import partial
from typing import Any

import pytest

from mapae import AccessToken, TokenRejected, Verifier
from mapae.testing import FixedClock, Issuer
from mapae.verifier import Verifiers, watch


class World:
    """A verifier on a clock that runs while somebody sleeps, and the tokens it takes for revoked."""

    def __init__(self, **options: Any) -> None:
        self.clock = FixedClock()
        self.revoked: set[str] = set()
        self.issuer = Issuer(audience="https://api.example.com", clock=self.clock)
        self.verifier: Verifier = self.issuer.verifier(
            revoked=lambda token: token.jti in self.revoked, **options
        )
        self.slept: list[float] = []

    def token(self) -> AccessToken:
        return self.verifier.verify(self.issuer.token())

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)
        await asyncio.sleep(0)


async def test_it_waits_for_the_end_with_the_leeway_and_no_longer() -> None:
    world = World(leeway_s=10)
    started = world.clock.now

    over = await watch.ended(partial(world.verifier.recheck, world.token()), every_s=200, sleep=world.sleep)

    assert (over.code, world.clock.now - started, world.slept) == ("expired", 310, [200, 110])


async def test_a_token_that_is_revoked_is_over_at_the_next_look() -> None:
    world = World()
    token = world.token()

    async def sleep(seconds: float) -> None:
        await world.sleep(seconds)
        if len(world.slept) == 3:
            world.revoked.add(token.jti)

    over = await watch.ended(partial(world.verifier.recheck, token), every_s=5, sleep=sleep)

    assert (over.code, world.slept) == ("revoked", [5, 5, 5])


async def test_a_body_is_cancelled_at_the_end_and_the_reason_comes_out() -> None:
    world, steps = World(), []

    async def connection() -> None:
        recheck = partial(world.verifier.recheck, world.token())
        async with watch.lasting(recheck, every_s=60, sleep=world.sleep):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                steps.append("cleaned up")
                raise
        steps.append("unreachable")

    with pytest.raises(TokenRejected, match="expired"):
        await connection()
    assert steps == ["cleaned up"]


async def test_a_body_that_ends_before_its_token_leaves_nothing_behind() -> None:
    world = World()

    async with world.verifier.lasting(world.token()):
        pass
    await asyncio.sleep(0)

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_errors_and_time_limits_of_the_body_stay_its_own() -> None:
    world = World()

    with pytest.raises(TimeoutError):
        async with world.verifier.lasting(world.token()):
            raise TimeoutError
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0), world.verifier.lasting(world.token()):
            await asyncio.Event().wait()


async def test_somebody_else_may_cancel_the_body() -> None:
    world, begun = World(), asyncio.Event()

    async def connection() -> None:
        async with world.verifier.lasting(world.token()):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(connection())
    await begun.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_token_that_is_over_already_ends_the_body_at_its_first_wait() -> None:
    world = World()
    token = world.token()
    world.clock.advance(1000)

    with pytest.raises(TokenRejected, match="expired"):
        async with Verifiers(world.verifier).lasting(token):
            await asyncio.Event().wait()
    assert (await Verifiers(world.verifier).ended(token)).code == "expired"


async def test_a_fault_of_whoever_is_asked_comes_out() -> None:
    def faulty(token: AccessToken) -> bool:
        raise ConnectionError(token.jti)

    world = World()
    token = world.token()
    broken = world.issuer.verifier(revoked=faulty)

    with pytest.raises(ConnectionError):
        async with broken.lasting(token):
            await asyncio.Event().wait()
