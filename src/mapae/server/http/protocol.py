"""Limits below HTTP requests: how large a request head may be, and how long it may take to arrive."""

from asyncio import TimerHandle, Transport
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Request line and headers together. An access token takes half a KiB of it.
HEAD_LIMIT: Final = 16 * 1024
HEADERS_LIMIT: Final = 100
HEAD_TIMEOUT_S: Final = 10

_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 32\r\nconnection: close\r\n\r\n"
    b"The request's head is too large."
)


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, closing the door on heads that are too large or too slow (slowloris)."""

    _head_timer: TimerHandle | None = None
    _head_size = 0
    _refused = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
        if self._head_timer is not None:
            # The parser keeps an unfinished header to itself, so the bytes are counted here.
            self._head_size += len(data)
            if self._head_size > HEAD_LIMIT:
                self._refuse()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head_timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._head_arrived()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > HEAD_LIMIT or len(self.headers) > HEADERS_LIMIT:
            self._refuse()
        elif not self._refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._refused:
            super().on_message_complete()

    def _expect_head(self) -> None:
        self._head_size = 0
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self.transport.close)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self) -> None:
        self._refused = True
        self._head_arrived()
        if not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()
