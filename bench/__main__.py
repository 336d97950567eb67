"""`make bench`: the figures of docs/performance.md, on this machine. Nothing leaves the loopback interface."""

import asyncio
import os
import platform
from collections.abc import Callable, Mapping, Sequence

from bench import (
    client_bench,
    command_bench,
    flow_bench,
    jose_bench,
    keys_bench,
    login_bench,
    refresh_bench,
    scale_bench,
    token_bench,
    verifier_bench,
)
from bench.figures import Figure, print_table
from bench.server import Databases, databases

SERVER: Mapping[str, Callable[[Databases], Sequence[Figure]]] = {
    "The command": command_bench.measure,
    "The client": client_bench.measure,
    "Sign-ins": login_bench.measure,
    "Refreshes, 32 connections at once": refresh_bench.measure,
    "Refreshes at scale": scale_bench.measure,
    "Tokens of clients, and introspection": token_bench.measure,
    "Authorization code flows": flow_bench.measure,
}


def main() -> None:
    """Measure everything and print a table for each part."""
    cores = os.cpu_count()
    print(f"Python {platform.python_version()}, {platform.system()} on {platform.machine()}, {cores} cores")
    with databases() as made:
        for title, measure in SERVER.items():
            print_table(title, measure(made))
    print("\nA token's first check\n")
    verifier_bench.main(11)
    print("\nSigning, beside bare cryptography\n")
    asyncio.run(keys_bench.main(31))
    print("\nJOSE beside two other libraries\n")
    jose_bench.main(11)


if __name__ == "__main__":
    main()
