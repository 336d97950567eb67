"""npm oidc-provider with its in-memory store, to measure beside ours in the same run."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.journeys.processes import free_port

FOLDER = Path(__file__).with_name("oidc_provider")


@dataclass(frozen=True)
class Provider:
    """Where it listens, and a refresh token for each chain."""

    port: int
    refresh_tokens: Sequence[str]


def install_provider() -> str | None:
    """Have oidc-provider ready to run: the path of node; None where there is no Node.js, or npm cannot install it."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return None
    install = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
    failed = subprocess.run(install, cwd=FOLDER, capture_output=True, check=False).returncode
    return None if failed else node


@contextmanager
def oidc_provider(chains: int) -> Iterator[Provider | None]:
    """It, ended afterwards; None where it cannot be had."""
    node = install_provider()
    if node is None:
        yield None
        return
    port = free_port()
    with subprocess.Popen(
        [node, "server.mjs", str(port), str(chains)],
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield Provider(port, json.loads(process.stdout.readline()))
        finally:
            process.terminate()
