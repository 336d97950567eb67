"""Sign-ins, beside bare argon2-cffi on the same cores in the same minute: rounds of both, in turn."""

import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher

from bench.figures import Figure, at_least
from bench.load import drive, post
from bench.server import PASSWORD, USERS, Databases, serving

ROUNDS = 8
ROUND_S = 1.5
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure(databases: Databases) -> Sequence[Figure]:
    """Sign-ins per second on PostgreSQL, as a share of what the hashes alone would allow."""
    hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
    firsts = [
        post("/auth/login", {"username": f"user{number % USERS}", "password": PASSWORD})
        for number in range(2 * USERS)
    ]
    bare, bare_cpu_ms, ours, our_cpu_ms, latencies = [], [], [], [], []
    with serving(databases.postgresql()) as server:
        for _ in range(ROUNDS):
            per_s, cpu_ms = _hashes(hasher)
            bare.append(per_s)
            bare_cpu_ms.append(cpu_ms)
            before_s = server.cpu_s()
            load = drive(server.port, firsts, lambda request, _: request, for_s=ROUND_S)
            our_cpu_ms.append((server.cpu_s() - before_s) / len(load.latencies_s) * 1000)
            ours.append(load.per_s)
            latencies.append(load.percentile_ms(0.5))
    share = statistics.median(mine / alone for mine, alone in zip(ours, bare, strict=True))
    return [
        Figure("argon2-cffi alone, 19 MiB and 2 passes", f"{statistics.median(bare):.4g} /s"),
        Figure("  processor time for each", f"{statistics.median(bare_cpu_ms):.3g} ms"),
        Figure("sign-ins, 16 at a time", f"{statistics.median(ours):.4g} /s"),
        Figure("  half of them answered within", f"{statistics.median(latencies):.4g} ms"),
        Figure("  processor time of the server for each", f"{statistics.median(our_cpu_ms):.3g} ms"),
        at_least("  share of what the hashes allow", share * 100, 90, "%"),
    ]


def _hashes(hasher: PasswordHasher) -> tuple[float, float]:
    """Hashes per second on all cores, and the processor time of one in milliseconds."""
    encoded = hasher.hash(PASSWORD)

    def verify_until(end: float) -> int:
        count = 0
        while time.perf_counter() < end:
            hasher.verify(encoded, PASSWORD)
            count += 1
        return count

    began, cpu_began = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(CORES) as threads:
        count = sum(threads.map(verify_until, [began + ROUND_S] * CORES))
    return count / (time.perf_counter() - began), (time.process_time() - cpu_began) / count * 1000
