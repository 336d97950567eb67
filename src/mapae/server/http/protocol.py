"""Below requests: how much a connection may send and how slowly, and where each request ends.

What another server on the way might read as two requests, or as one with other headers, is refused: RFC 9112
section 11.2, request smuggling.
"""

from asyncio import TimerHandle, Transport
from collections import deque
from http import HTTPStatus
from typing import Final

import structlog
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.http.errors import respond

log = structlog.get_logger()

#: Request line and headers together; and again what stands around the chunks of a body: their sizes and
#: extensions, the trailer. An access token takes half a KiB of it.
HEAD_LIMIT: Final = 16 * 1024
HEADERS_LIMIT: Final = 100
#: Seconds that a head may take, and then a body.
PATIENCE_S: Final = 10

#: Seconds that a peer has to agree to the end of a TLS connection; one that is idle does not look.
CLOSE_PATIENCE_S: Final = 1

#: What is parsed at a time. The parser keeps an unfinished header to itself, so bytes are counted between.
_PIECE: Final = 4096


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which takes what a sound client sends and closes the door on everything else."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._under_way: deque[RequestResponseCycle] = deque()
        self._deadline: float | None = None
        self._timer: TimerHandle | None = None
        self._overhead = 0
        self._in_body = False
        self._refused = False
        self._expect_more()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for cycle in self._under_way:
            cycle.disconnected = True
            cycle.message_event.set()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self.loop.call_later(CLOSE_PATIENCE_S, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        for start in range(0, len(data), _PIECE):
            if self._refused:
                return
            self._parse(data[start : start + _PIECE])

    def _parse(self, piece: bytes) -> None:
        try:
            self.parser.feed_data(piece)
        except HttpParserUpgrade as offer:
            self._decline(rest=piece[offer.args[0] :])
            return
        except HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.code if isinstance(cause, Problem) else ProblemCode.INVALID_REQUEST)
            return
        self._overhead += len(piece)
        # A piece may hold the end of the message before.
        if self._deadline is not None and self._overhead > HEAD_LIMIT + _PIECE:
            self._refuse(ProblemCode.HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._overhead = 0
        if self._deadline is None:
            self._expect_more()

    def on_headers_complete(self) -> None:
        self._check_head()
        if self.parser.should_upgrade():
            return
        super().on_headers_complete()
        # RFC 9110 section 6.5.1: a trailer field MUST NOT be merged into the header section.
        self.headers = []
        self._under_way.append(self.cycle)
        self._in_body, self._overhead = True, 0
        self._expect_more()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._overhead -= len(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._in_body, self._deadline = False, None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._under_way.popleft()
        super().on_response_complete()

    def _check_head(self) -> None:
        size, hosts, codings = len(self.url), 0, []
        for name, value in self.headers:
            size += len(name) + len(value) + 4
            if name == b"host":
                hosts += 1
            elif name == b"transfer-encoding":
                codings.append(value.lower())
        if size > HEAD_LIMIT or len(self.headers) > HEADERS_LIMIT:
            raise Problem(ProblemCode.HEAD_TOO_LARGE)
        if self.parser.get_method() == b"CONNECT":
            raise Problem(ProblemCode.METHOD_NOT_ALLOWED)
        match self.parser.get_http_version():
            case "1.1":
                # RFC 9112 section 3.2: 400 MUST answer a request without Host, or with more than one.
                sound = hosts == 1 and codings in ([], [b"chunked"])
            case "1.0":
                # RFC 9112 section 6.1: with Transfer-Encoding its framing MUST be taken as faulty.
                sound = hosts <= 1 and not codings
            case _:
                sound = False
        if not sound:
            raise Problem(ProblemCode.INVALID_REQUEST)

    def _decline(self, *, rest: bytes) -> None:
        """Go on in HTTP/1.1 although the client offers another protocol (RFC 9110 section 7.8).

        The parser has skipped the body, taking it for the other protocol; so the request is read once more,
        without the offer.
        """
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        headers = [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        self.parser = HttpRequestParser(self)
        self._parse(b"\r\n".join([method + b" " + self.url + b" HTTP/" + version, *headers, b"", rest]))

    def _expect_more(self) -> None:
        """Refuse unless `_deadline` is taken back within `PATIENCE_S`, or another set.

        Two timers for each request would cost more than parsing it. So there is one, which looks when it rings.
        """
        self._deadline = self.loop.time() + PATIENCE_S
        if self._timer is None:
            self._timer = self.loop.call_at(self._deadline, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        if self.loop.time() < self._deadline:
            self._timer = self.loop.call_at(self._deadline, self._ring)
        else:
            self._refuse(ProblemCode.REQUEST_TIMEOUT)

    def _refuse(self, code: ProblemCode) -> None:
        """Take nothing more; say why, unless earlier requests are still to be answered; close."""
        self._refused, self._deadline = True, None
        asked = [cycle for cycle in self._under_way if not cycle.more_body]
        if asked:
            asked[-1].keep_alive = False
            return
        silent = code is ProblemCode.REQUEST_TIMEOUT and self._overhead == 0
        answered = self._in_body and self.cycle.response_complete
        if not (silent or answered or self.transport.is_closing()):
            log.info("refused", code=code.value, address=self.client and self.client[0])
            self.transport.write(self._answer(code))
        self.transport.close()

    def _answer(self, code: ProblemCode) -> bytes:
        response = respond(Problem(code))
        status = f"HTTP/1.1 {code.status} {HTTPStatus(code.status).phrase}".encode()
        headers = [*self.server_state.default_headers, *response.raw_headers, (b"connection", b"close")]
        return b"\r\n".join(
            [status, *(name + b": " + value for name, value in headers), b"", bytes(response.body)]
        )
