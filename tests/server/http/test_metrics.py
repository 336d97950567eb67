"""`/metrics`: what is counted, and who may see it."""

import httpx
import pytest
from sqlalchemy import insert

from mapae.server.actions.sweep import Sweep
from mapae.server.adapters.metrics import Metrics
from mapae.server.store import tables
from mapae.server.store.engine import open_database
from tests.server.http.conftest import Server, serving


async def metrics(server: Server) -> dict[str, float]:
    answer = await server.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


async def test_requests_and_what_refreshing_came_to_are_counted(sqlite_url: str) -> None:
    async with serving(sqlite_url, MAPAE_METRICS="true") as server:
        token = (await server.login()).json()["refresh_token"]
        await server.login("alice", "not the password")
        await server.refresh(token)
        await server.refresh(token)
        await server.refresh(token, {"Mapae-Instance": "somebody-else-entirely"})
        await server.http.get("/no/such/page")
        counted = await metrics(server)
    assert counted['mapae_request_seconds_count{endpoint="post_login",status="200"}'] == 1
    assert counted['mapae_request_seconds_count{endpoint="post_login",status="401"}'] == 1
    assert counted['mapae_request_seconds_count{endpoint="none",status="404"}'] == 1
    assert counted['mapae_refresh_decisions_total{decision="turned"}'] == 1
    assert counted['mapae_refresh_decisions_total{decision="replayed"}'] == 1
    assert counted['mapae_refresh_decisions_total{decision="ended"}'] == 1
    assert counted['mapae_refresh_reports_total{report="theft"}'] == 1


async def test_what_the_sweep_takes_is_counted(database_url: str) -> None:
    database = open_database(database_url)
    async with database.writing.connect() as connection:
        full = {"paid_until": 1.5, "interval_s": 10, "tolerance_s": 2990}
        rows = [{"key": f"address:192.0.2.{n}"} | full for n in range(3)]
        await connection.execute(insert(tables.limits), rows)
        await connection.commit()
    counts = Metrics()
    await Sweep(database, 0, 86400, counts)()
    await database.close()
    assert 'mapae_swept_rows_total{table="limits"} 3.0' in counts.text().decode()


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.7", {}, 404),
        ("192.0.2.7", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, 404),
        ("127.0.0.1", {"Forwarded": "for=192.0.2.7"}, 404),
    ],
)
async def test_strangers_see_no_metrics_unless_the_settings_say_so(
    sqlite_url: str, peer: str, headers: dict[str, str], status: int
) -> None:
    async with serving(sqlite_url) as server:
        transport = httpx.ASGITransport(server.app, client=(peer, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            assert (await http.get("/metrics", headers=headers)).status_code == status
