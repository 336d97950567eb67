"""Run the application under uvicorn: one process, or several that share a socket."""

import contextlib
import multiprocessing
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from threading import Thread

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from mapae.server.adapters.log import configure_logging
from mapae.server.adapters.metrics import SHARED_FOLDER
from mapae.server.app import create
from mapae.server.http.protocol import BoundedProtocol
from mapae.server.settings import Settings

#: Seconds that an idle connection is kept for the next request: longer than the proxies in front wait.
_KEEP_ALIVE_S = 75


def run(settings: Settings, listener: socket.socket, *, workers: int) -> None:
    """Serve on `listener` until told to stop (SIGTERM, SIGINT); requests under way are finished first."""
    with shared_metrics(workers):
        _serve(settings, listener, workers=workers)


@contextmanager
def shared_metrics(workers: int) -> Iterator[None]:
    """A folder through which several workers add up their metrics; gone afterwards."""
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="mapae-metrics-") as folder:
        os.environ[SHARED_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[SHARED_FOLDER]


def _serve(settings: Settings, listener: socket.socket, *, workers: int) -> None:
    configure_logging(settings.log_format, settings.log_level)
    config = uvicorn.Config(
        worker,
        factory=True,
        workers=workers,
        loop="uvloop",
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.drain,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
    with contextlib.suppress(KeyboardInterrupt):  # raised again once everything has been closed
        if workers == 1:
            uvicorn.Server(config).run(sockets=[listener])
        else:
            Multiprocess(config, sockets=[listener]).run()


def worker() -> ASGIApp:
    """What each worker runs: it ends with the process that started it, even by kill -9, and frees the port."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_end_with, args=[parent.sentinel], daemon=True).start()
    return create()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
