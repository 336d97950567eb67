"""What verifiers notice of the ring: nothing of a rotation, one fetch after a long sleep, a revocation in time."""

from collections.abc import AsyncIterator, Iterator

import pytest

from mapae import TokenRejected, Verifier
from mapae.clock import system_clock
from mapae.server.app import rotation_of
from mapae.server.domain.keys import SEEN_S
from mapae.server.settings import load_settings
from mapae.server.store.engine import open_database
from mapae.verifier.key_cache import COOL_DOWN_S
from tests.server.actions.test_key_ring import AUDIENCE, Process, pass_in_database
from tests.server.http.conftest import SECRET_KEY
from tests.verifier.loopback import KEYS, METADATA, LoopbackIssuer, Request, document, loopback_issuer

JWKS_LIFE_S, ACCESS_TOKEN_LIFE_S = 300, 300
HOUR_S = 3600


class Timeline:
    """One time for everyone: the wall, the ages of keys, the ring and its database."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._begin = system_clock()
        self._in_database_s = 0.0

    def wall(self) -> float:
        return self._begin + self._process.passed_s

    def age(self) -> float:
        return self._process.passed_s

    def pass_(self, seconds: float) -> None:
        self._process.passed_s += seconds

    async def rotate(self, *, at_once: bool) -> None:
        await self._catch_up()
        await self._process.rotation.rotate(["ES256"], at_once=at_once)
        await self._process.ring.look()

    async def revoke(self, kid: str) -> None:
        await self._catch_up()
        await self._process.rotation.revoke(kid)
        await self._process.ring.look()

    async def _catch_up(self) -> None:
        await pass_in_database(self._process.database, int(self._process.passed_s - self._in_database_s))
        self._in_database_s = self._process.passed_s


@pytest.fixture
async def process(sqlite_url: str) -> AsyncIterator[Process]:
    """A process of the server with the settings that everybody has."""
    database = open_database(sqlite_url)
    made = Process(database)
    settings = load_settings({"MAPAE_ISSUER": "https://auth.example.com", "MAPAE_SECRET_KEY": SECRET_KEY})
    made.use(rotation_of(settings, database))
    await made.ring.look()
    yield made
    await database.close()


@pytest.fixture
def issuer(process: Process) -> Iterator[LoopbackIssuer]:
    """Publishes the ring over a socket."""
    with loopback_issuer() as made:
        made.answers[METADATA] = document({"issuer": made.url, "jwks_uri": f"{made.url}{KEYS}"})

        def keys(request: Request) -> None:
            headers = {"Cache-Control": f"public, max-age={JWKS_LIFE_S}"}
            document(process.ring.published().to_dict(), headers=headers)(request)

        made.answers[KEYS] = keys
        yield made


@pytest.fixture
def timeline(process: Process, issuer: LoopbackIssuer) -> Timeline:
    made = Timeline(process)
    process.mint_for(issuer.url, made.wall)
    return made


def verifier_of(
    issuer: LoopbackIssuer, timeline: Timeline, *, off_s: float = 0, leeway_s: float = 30
) -> Verifier:
    return Verifier(
        issuer=issuer.url,
        audience=AUDIENCE,
        leeway_s=leeway_s,
        clock=lambda: timeline.wall() + off_s,
        monotonic=timeline.age,
    )


async def test_a_verifier_in_use_notices_nothing_of_a_rotation(
    process: Process, issuer: LoopbackIssuer, timeline: Timeline
) -> None:
    verifier = verifier_of(issuer, timeline)
    verifier.verify(await process.token())
    old = process.signs
    # Asked at the worst moment: the set was fetched a second before the new key stood in it.
    timeline.pass_(1)
    await timeline.rotate(at_once=False)
    signed_by = set()
    for _ in range(60):
        timeline.pass_(20)
        verifier.verify(await process.token())
        signed_by.add(process.signs)
    assert len(signed_by) == 2
    assert old not in process.published


async def test_a_verifier_that_slept_through_two_rotations_recovers_with_one_fetch(
    process: Process, issuer: LoopbackIssuer, timeline: Timeline
) -> None:
    verifier = verifier_of(issuer, timeline)
    verifier.verify(await process.token())
    assert issuer.key_fetches == 1
    seen = {process.signs}
    for _ in range(2):
        await timeline.rotate(at_once=False)
        timeline.pass_(HOUR_S)
        seen.add(process.signs)
    assert len(seen) == 3
    assert verifier.verify(await process.token()).subject == "alice"
    assert issuer.key_fetches == 2
    with pytest.raises(TokenRejected):
        verifier.verify("e30.e30.e30")
    assert issuer.key_fetches == 2


async def test_a_rotation_at_once_costs_one_fetch(
    process: Process, issuer: LoopbackIssuer, timeline: Timeline
) -> None:
    verifier = verifier_of(issuer, timeline)
    verifier.verify(await process.token())
    timeline.pass_(COOL_DOWN_S)
    await timeline.rotate(at_once=True)
    timeline.pass_(SEEN_S + 1)
    assert verifier.verify(await process.token()).subject == "alice"
    assert issuer.key_fetches == 2


async def test_a_stolen_key_is_believed_for_one_life_of_the_key_set_at_most(
    process: Process, issuer: LoopbackIssuer, timeline: Timeline
) -> None:
    verifier = verifier_of(issuer, timeline)
    process.mint_for(issuer.url, timeline.wall, life_s=HOUR_S)
    stolen = await process.token()
    verifier.verify(stolen)
    await timeline.revoke(process.signs)
    assert verifier.verify(stolen).subject == "alice", "or this would show nothing"
    timeline.pass_(JWKS_LIFE_S)
    # This call fetches beside its answer; from the end of the fetch on the key is dead.
    verifier.verify(stolen)
    if pending := verifier._steps.keys.refetch():
        pending.wait()
    with pytest.raises(TokenRejected, match="unknown_key"):
        verifier.verify(stolen)
    assert verifier.verify(await process.token()).subject == "alice"
    assert issuer.key_fetches == 2


@pytest.mark.parametrize(
    ("server_off_s", "api_off_s"), [(60, 0), (-60, 0), (0, 60), (0, -60), (30, -30), (-30, 30)]
)
async def test_clocks_a_minute_apart_lose_no_token_of_a_key_that_retires(
    process: Process, issuer: LoopbackIssuer, timeline: Timeline, server_off_s: float, api_off_s: float
) -> None:
    process.mint_for(issuer.url, lambda: timeline.wall() + server_off_s)
    old = process.signs
    await timeline.rotate(at_once=False)
    while process.signs == old:
        last = await process.token()
        timeline.pass_(1)
    first = await process.token()
    for token in (last, first):
        # One that has fetched nothing before, up to the last second of the token by its own clock.
        assert verifier_of(issuer, timeline, off_s=api_off_s, leeway_s=60).verify(token).subject == "alice"
    ends_at = timeline.wall() - 1 + server_off_s + ACCESS_TOKEN_LIFE_S + 60
    timeline.pass_(ends_at - (timeline.wall() + api_off_s) - 2)
    assert verifier_of(issuer, timeline, off_s=api_off_s, leeway_s=60).verify(last).subject == "alice"
    timeline.pass_(HOUR_S)
    assert old not in process.published
