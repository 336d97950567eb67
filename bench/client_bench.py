"""The client in its caller's program: what a call through the adapter of httpx costs more than a bare one."""

import gc
import statistics
import time
from collections.abc import Sequence

import httpx

from bench.figures import Figure, at_most
from bench.server import PASSWORD, Databases, serving
from mapae.client import MemoryStore, Session

API = "https://api.example.com"
ROUNDS = 40
CALLS = 100


def measure(databases: Databases) -> Sequence[Figure]:
    """All figures of the client. No network: the transport answers by itself."""
    with serving(databases.sqlite()) as server:
        session = Session.login(server.url, "user0", PASSWORD, store=MemoryStore())
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    with (
        httpx.Client(transport=transport) as bare,
        httpx.Client(transport=transport, auth=session.auth(API)) as signing,
    ):
        bare_us, more_us = _compared(bare, signing)
    return [
        at_most("a call through the adapter of httpx, above bare httpx", more_us, 20, "µs"),
        Figure("  bare httpx, without a network", f"{bare_us:.4g} µs"),
    ]


def _compared(bare: httpx.Client, signing: httpx.Client) -> tuple[float, float]:
    """Microseconds of a bare call, and how many more a signing one takes: medians of rounds that take turns."""
    bare_us, more_us = [], []
    gc.disable()
    try:
        for _ in range(ROUNDS):
            without, with_token = _call_us(bare), _call_us(signing)
            bare_us.append(without)
            more_us.append(with_token - without)
    finally:
        gc.enable()
    return statistics.median(bare_us), statistics.median(more_us)


def _call_us(client: httpx.Client) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        client.get(f"{API}/orders")
    return (time.perf_counter() - began) / CALLS * 1e6
