"""Real processes for journeys: the command, the sample API, and a port for each."""

import os
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAPAE = Path(sys.executable).with_name("mapae")
START_TIMEOUT_S = 20
#: Linux gives connections that go out ports from 32768 on.
BELOW_OUTGOING = 10_240, 32_768


def free_port() -> int:
    """A port of this machine that nobody listens on, and that no connection of another test is given meanwhile."""
    for port in random.sample(range(*BELOW_OUTGOING), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("a hundred ports are in use")


def mapae(
    *arguments: str, environ: Mapping[str, str], text: str = "", code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, and check its exit code."""
    done = subprocess.run(
        [MAPAE, *arguments], env=environ, input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done


@contextmanager
def started(
    command: Sequence[str | Path], *, environ: Mapping[str, str], ready: str, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that answers at the URL `ready`; ended afterwards."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=environ, cwd=ROOT, stdout=output, stderr=output)
    try:
        _wait(process, ready, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def until(happened: Callable[[], bool]) -> None:
    """Wait for something that will happen in another process."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not happened():
        assert time.monotonic() < deadline, f"not after {START_TIMEOUT_S} s"
        time.sleep(0.02)


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without Mapae's variables, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAPAE_")}
    return kept | settings


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"not ready after {START_TIMEOUT_S} s: {log.read_text()}")
