"""What `make run` starts: the server with two sample users, and the sample API beside it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mapae.cli.apply import apply, read_setup
from mapae.cli.errors import CommandFailed
from mapae.cli.operator import failures_told, operator_settings, with_database
from mapae.server.run import run
from mapae.server.startup import bind, check

SERVER, API = "http://localhost:8000", "http://localhost:8001"
SETUP = Path(__file__).with_name("setup.toml")
BIN = Path(sys.executable).parent

WHAT_TO_TRY = f"""
  Mapae is ready on {SERVER}; the sample API is on {API}.
  The users are alice (a member) and inspector (an admin); their passwords are in examples/setup.toml.

  Try, in another terminal:

    1. sign in as alice; her password is: correct horse battery staple
       {{bin}}/mapae login {SERVER} --username alice

    2. order something, with a token that looks after itself
       {{bin}}/mapae curl {API}/orders -X POST --json '{{{{"item": "a bronze token"}}}}'

    3. look inside the token
       {{bin}}/mapae decode

  Ctrl-C stops both.
"""


def main() -> int:
    """Prepare, start both, serve until told to stop."""
    os.environ["MAPAE_DEV"] = "true"
    # uvicorn raises the signal again once it has stopped; the sample API shall stop too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        settings = operator_settings()
        with failures_told(), sample_api():
            listener = bind("127.0.0.1", 8000)
            asyncio.run(check(settings))
            setup = read_setup(SETUP)
            with_database(settings, lambda database: apply(database, settings, setup, dry_run=False))
            print(WHAT_TO_TRY.format(bin=os.path.relpath(BIN)), flush=True)
            run(settings, listener, workers=1)
    except CommandFailed as failure:
        print(f"make run: {failure.message}", file=sys.stderr)
        return failure.exit_code
    except KeyboardInterrupt:
        pass
    return 0


@contextmanager
def sample_api() -> Iterator[None]:
    """The sample API in a process of its own: it shares nothing with the server but the network."""
    api = subprocess.Popen(
        [sys.executable, "-m", "examples.orders_api", "--issuer", SERVER, "--audience", API, "--port", "8001"]
    )
    try:
        yield
    finally:
        api.terminate()
        api.wait()


if __name__ == "__main__":
    sys.exit(main())
