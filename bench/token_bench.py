"""A client's own tokens, beside those of npm oidc-provider; and introspection."""

from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import quote_plus

from bench.figures import Figure, at_least
from bench.load import Load, ask, drive, form, post
from bench.provider import oidc_provider
from bench.server import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERS, Databases, Server, serving

CONNECTIONS = 32
FOR_S = 8
BASIC = f"Authorization: Basic {b64encode(f'{CLIENT_ID}:{quote_plus(CLIENT_SECRET)}'.encode()).decode()}"
GRANT = "grant_type=client_credentials&scope=orders:read"


def measure(databases: Databases) -> Sequence[Figure]:
    """Requests per second with PostgreSQL on one worker."""
    with serving(databases.postgresql()) as server:
        own, cpu_us = _measured(server, [form("/oauth/token", GRANT, BASIC)] * CONNECTIONS)
        figures = _told("client_credentials", own, cpu_us)
        asked, cpu_us = _measured(server, _introspections(server))
        introspected = [
            at_least("introspection", asked.per_s, 2500, "/s"),
            *_told("introspection", asked, cpu_us)[1:],
        ]
    with oidc_provider(CONNECTIONS) as provider:
        if provider is not None:
            _repeat(provider.port, [form("/token", GRANT, BASIC)] * CONNECTIONS, for_s=2)
            theirs = _repeat(provider.port, [form("/token", GRANT, BASIC)] * CONNECTIONS)
            figures.append(Figure("npm oidc-provider, in memory, the same grant", f"{theirs.per_s:,.0f} /s"))
            figures.append(at_least("  ours, times as many", own.per_s / theirs.per_s, 0.8, ""))
    return [*figures, *introspected]


def _introspections(server: Server) -> Sequence[bytes]:
    """A question about the token of a user for each connection: four sessions of each user."""
    logins = [
        post("/auth/login", {"username": f"user{number % USERS}", "password": PASSWORD})
        for number in range(CONNECTIONS)
    ]
    tokens = [answer["access_token"] for answer in ask(server.port, logins)]
    requests = [form("/oauth/introspect", f"token={token}", BASIC) for token in tokens]
    (answer,) = ask(server.port, requests[:1])
    assert answer["active"] is True, answer
    return requests


def _measured(server: Server, requests: Sequence[bytes]) -> tuple[Load, float]:
    """The load, and the processor time of the server for each, in microseconds."""
    ask(server.port, requests[:1])  # the client's secret is hashed once
    before_s = server.cpu_s()
    load = _repeat(server.port, requests)
    return load, (server.cpu_s() - before_s) / len(load.latencies_s) * 1e6


def _repeat(port: int, requests: Sequence[bytes], *, for_s: float = FOR_S) -> Load:
    return drive(port, requests, lambda request, _: request, for_s=for_s)


def _told(what: str, load: Load, cpu_us: float) -> list[Figure]:
    return [
        Figure(what, f"{load.per_s:,.0f} /s"),
        Figure("  p50 and p99", f"{load.percentile_ms(0.5):.1f} and {load.percentile_ms(0.99):.1f} ms"),
        Figure("  processor time of the server for each", f"{cpu_us:.0f} µs"),
    ]
