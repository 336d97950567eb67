"""A storm of clients on one store, with tokens of two seconds: who is told to sign in, and how often is renewed?

    python -m bench.client_storm --seconds 60 --processes 16 --threads 8 --tasks 8

First in calm weather, then with kill -9 of random processes, lost answers, a clock an hour off, a full and a
read-only disk (where this user may mount one) and damage to the file; last against npm oidc-provider, which rotates
and knows no replay.
"""

import argparse
import json
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure, at_most, print_table
from bench.provider import FOLDER, install_provider
from bench.server import PASSWORD, Databases, Server, databases, serving
from mapae.client import FileStore, Session
from mapae.client.records import OAuthClient, OAuthGrant, SignIn, Tokens
from mapae.secret import Secret
from tests.journeys.client_storm import Crowd, Seen, Storm, proxied, weather
from tests.journeys.processes import free_port

LIFE_S = 2


def main() -> None:
    """Run everything and print a table for each weather."""
    wanted = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name, default in (("seconds", 60), ("processes", 16), ("threads", 8), ("tasks", 8)):
        wanted.add_argument(f"--{name}", type=int, default=default)
    crowd = Crowd(**vars(wanted.parse_args()))
    short = replace(crowd, seconds=max(crowd.seconds / 4, 5))
    with databases() as made, _server(made) as server, TemporaryDirectory() as folder:
        home = Path(folder)
        storm = _Storms(server, home)
        print_table("Calm weather", storm.run(crowd))
        print_table("kill -9 twice a second", storm.run(short, _killing()))
        print_table("One refresh in five cut off", storm.run(short, cut_share=0.2))
        print_table("A clock an hour fast, then an hour slow", storm.run(replace(short, clock_off_s=3600)))
        with _small_disk() as disk:
            if disk is None:
                print("\nNo disk to fill: this user may mount none")
            else:
                on_disk = _Storms(server, disk)
                print_table("A full disk, now and then", on_disk.run(short, _filling(disk)))
                print_table("A read-only disk, now and then", on_disk.run(short, _protecting(disk)))
        print_table("A damaged file, now and then", storm.run(short, storm.damaging(), loses=True))
    _against_provider(short)


@contextmanager
def _server(made: Databases) -> Iterator[Server]:
    lives = {"MAPAE_ACCESS_TOKEN_LIFE": str(LIFE_S), "MAPAE_REFRESH_GRACE": "0"}
    with serving(made.postgresql(), workers=2, **lives) as server:
        yield server


class _Storms:
    """Storms on a store in one directory."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server, self._path = server, folder / "home" / "session.json"
        self._issuer = ""

    def run(
        self,
        crowd: Crowd,
        meanwhile: Callable[[Storm], None] = lambda _: None,
        *,
        cut_share: float = 0.0,
        loses: bool = False,
    ) -> Sequence[Figure]:
        """Sign in, let it storm, and tell. `loses`: the weather takes tokens away, so people have to sign in."""
        with proxied(self._server.port, cut_share) as proxy:
            self._issuer = f"http://127.0.0.1:{proxy.port}"
            self.sign_in()
            seen = weather(crowd, self._issuer, self._path, meanwhile=meanwhile)
            figures = _told(crowd, seen, proxy.refreshes, proxy.cut)
            return figures if loses else [at_most("told to sign in", seen.sign_outs, 0, ""), *figures]

    def sign_in(self) -> None:
        """Sign in on the store."""
        Session.login(self._issuer, "user0", PASSWORD, store=FileStore(self._path))

    def damaging(self) -> Callable[[Storm], None]:
        """Damages the file every three seconds, and signs in again half a second later."""
        pace = _Pace(3.0)

        def act(_: Storm) -> None:
            if pace.is_time():
                self._path.write_bytes(b'{"format": 1, "issuer": "http')
                time.sleep(0.5)
                self.sign_in()
                kept = list(self._path.parent.glob("*.damaged-*"))
                assert kept, "the damage was thrown away"

        return act


class _Pace:
    """Something that happens every so often."""

    def __init__(self, every_s: float) -> None:
        self._every_s, self._next = every_s, time.monotonic() + every_s

    def is_time(self) -> bool:
        """Whether it is to happen now."""
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + self._every_s
        return True


def _killing() -> Callable[[Storm], None]:
    pace, dice = _Pace(0.5), random.Random(11)

    def act(storm: Storm) -> None:
        if pace.is_time() and time.time() < storm.until - 3:
            storm.kill_one(dice)

    return act


def _filling(disk: Path) -> Callable[[Storm], None]:
    pace, filler = _Pace(2.0), disk / "filler"

    def act(storm: Storm) -> None:
        if not pace.is_time():
            return
        if filler.exists() or storm.until - time.time() < 3:
            filler.unlink(missing_ok=True)
        else:
            with suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass

    return act


def _protecting(disk: Path) -> Callable[[Storm], None]:
    pace, state = _Pace(2.0), "rw"

    def act(storm: Storm) -> None:
        nonlocal state
        if pace.is_time():
            state = "ro" if state == "rw" and storm.until - time.time() > 3 else "rw"
            # Refused as long as somebody has a file open to write; the next time will do.
            subprocess.run(["mount", "-o", f"remount,{state}", disk], check=False, capture_output=True)

    return act


@contextmanager
def _small_disk() -> Iterator[Path | None]:
    """A file system of 256 KiB in memory; None where this user may mount none."""
    with TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", folder]
        if (
            shutil.which("mount") is None
            or subprocess.run(mount, check=False, capture_output=True).returncode
        ):
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def _against_provider(crowd: Crowd) -> None:
    node = install_provider()
    if node is None:
        print("\nNo npm oidc-provider here: there is no Node.js, or npm cannot install it")
        return
    port = free_port()
    command = [node, "server.mjs", str(port), "1", str(LIFE_S)]
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        )
        stack.callback(process.terminate)
        assert process.stdout is not None
        (refresh_token,) = json.loads(process.stdout.readline())
        path = Path(stack.enter_context(TemporaryDirectory())) / "home" / "session.json"
        proxy = stack.enter_context(proxied(port))
        issuer = f"http://127.0.0.1:{proxy.port}"
        _keep(path, issuer, refresh_token)
        seen = weather(crowd, issuer, path)
        figures = _told(crowd, seen, proxy.refreshes, 0)
        signed_out = at_most("told to sign in", seen.sign_outs, 0, "")
        print_table("npm oidc-provider, which knows no replay", [signed_out, *figures])


def _keep(path: Path, issuer: str, refresh_token: str) -> None:
    """What a sign-in there would have kept; its access token is over already."""
    tokens = Tokens(Secret("over"), 0.0, LIFE_S, 0.0, Secret(refresh_token), None, session_id="", scope="")
    grant = OAuthGrant(OAuthClient("bench"), "refresh_token", f"{issuer}/token", "none")
    sign_in = SignIn(issuer, "user-0", Secret("installation-of-the-storm"), tokens, grant=grant)
    FileStore(path).write(sign_in)


def _told(crowd: Crowd, seen: Seen, refreshes: int, cut: int) -> Sequence[Figure]:
    """The figures of one storm. Each token is renewed when half of its life is left."""
    needed = crowd.seconds / (LIFE_S / 2)
    figures = [
        Figure("tokens handed out", f"{seen.outcomes['token']:,}"),
        at_most("tokens that were over", seen.outcomes["over"], 0, ""),
        Figure("refreshes, and how many were needed", f"{refreshes} and {needed:.0f}"),
        Figure("  of them cut off", str(cut)),
        Figure("processes killed", str(seen.killed)),
        Figure("longest wait for a token", f"{seen.slowest_s:.3g} s"),
    ]
    others = {kind: count for kind, count in seen.outcomes.items() if kind not in {"token", "over"}}
    figures += [Figure(f"  {kind}", f"{count:,}") for kind, count in sorted(others.items())]
    return figures


if __name__ == "__main__":
    main()
