"""Sweep: delete what is long over, in small bites, so that the tables do not grow without bound."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from mapae.server.adapters.metrics import Metrics
from mapae.server.store.engine import Database
from mapae.server.store.unit import Unit
from mapae.verifier.verifier import LONGEST_LEEWAY_S

log = structlog.get_logger()

#: Rows a transaction deletes: few enough that nobody waits for it.
BITE: Final = 500
#: Seconds that keys which are gone are listed.
KEYS_KEPT_S: Final = 2592000
#: Seconds after its last sign-in that an installation is still known at an account: half a year.
DEVICES_KEPT_S: Final = 180 * 86400
#: Seconds that a code is known after its end: so long is its second use noticed.
CODES_KEPT_S: Final = 86400
#: Seconds between two bites.
PAUSE_S: Final = 0.05

_Bite = Callable[[Unit, int], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Sweep:
    """How long sessions that are over and audit events are kept, in seconds."""

    database: Database
    session_retention_s: int
    audit_retention_s: int
    metrics: Metrics

    async def __call__(self) -> None:
        """Delete until nothing is left that is due."""
        for table, bite in self._bites().items():
            swept = await self._sweep(bite)
            if swept:
                self.metrics.swept(table, swept)
                log.info("swept", table=table, rows=swept)

    def _bites(self) -> dict[str, _Bite]:
        return {
            "sessions": lambda unit, now: unit.jobs.sweep_sessions(
                over_before=now - self.session_retention_s, most=BITE
            ),
            "devices": lambda unit, now: unit.jobs.sweep_devices(over_before=now - DEVICES_KEPT_S, most=BITE),
            "limits": lambda unit, now: unit.jobs.sweep_limits(over_before=now, most=BITE),
            "assertions": lambda unit, now: unit.jobs.sweep_assertions(over_before=now, most=BITE),
            "codes": lambda unit, now: unit.jobs.sweep_codes(over_before=now - CODES_KEPT_S, most=BITE),
            "revoked_tokens": lambda unit, now: unit.jobs.sweep_revoked_tokens(
                over_before=now - LONGEST_LEEWAY_S, most=BITE
            ),
            "keys": lambda unit, now: unit.keys.sweep(gone_before=now - KEYS_KEPT_S),
            "events": lambda unit, now: unit.jobs.sweep_events(
                over_before=now - self.audit_retention_s, most=BITE
            ),
        }

    async def _sweep(self, bite: _Bite) -> int:
        total = 0
        while True:
            async with self.database.unit() as unit:
                swept = await bite(unit, await unit.now())
                await unit.commit()
            total += swept
            if swept < BITE:
                return total
            await asyncio.sleep(PAUSE_S)
