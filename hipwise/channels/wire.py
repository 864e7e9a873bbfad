"""What Sanic's own HTTP parser lets through, refused: ambiguous requests, and clients that send drop by drop.

Rasa pins Sanic 21.12. Its parser takes a request that a proxy in front may read differently (two lengths, a length with a
sign, bare line feeds, trailers), answers some malformed ones with 500 or a hang-up, counts its time-outs from the last byte,
so that one byte every few seconds holds a connection for ever, and drops them altogether for ``Upgrade: websocket``. The
classes here check first and keep one deadline for a whole request. Sanic's known hole of that line (CVE-2022-35920, encoded
slashes in ``app.static``) is mended in the 21.12.2 that is locked here, and ``app.static`` is not used.
"""

from __future__ import annotations

import asyncio
import re
from time import monotonic
from typing import TYPE_CHECKING, Any

from sanic.exceptions import InvalidUsage, PayloadTooLarge, RequestTimeout, SanicException
from sanic.http import Http
from sanic.request import Request
from sanic.server.protocols.http_protocol import HttpProtocol

#: Bytes of a request body under ``/api/``, whatever the webhooks of messaging platforms may take: 1,000 characters are 4,000
#: bytes at most in UTF-8, and 12,000 when JSON escapes each one.
LARGEST_BODY = 16 * 1024
_LIMITED = b"/api/"

#: Connections held at once. A proxy in front needs a few; without one, this keeps file descriptors from running out.
MOST_CONNECTIONS = 2_000

#: Bytes read and thrown away, and seconds waited, before a connection is closed on a client that is still sending: closed
#: at once, the system resets it, and the client may never see the answer.
_LINGER_BYTES = 1 << 20
_LINGER_SECONDS = 1.0

# Each part is followed by a character that it cannot hold, so the match takes linear time.
_HEAD = re.compile(
    rb"[A-Z]{1,20} [!-~]{1,8192} HTTP/1\.[01](?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}:[\t -~\x80-\xff]*)*"
)
_LENGTH = re.compile(r"[0-9]{1,10}")
_CHUNK = re.compile(rb"\r\n[0-9A-Fa-f]{1,8}")
_END_OF_HEAD = b"\r\n\r\n"


class StrictHttp(Http):
    """Sanic's request cycle, with a stricter reading of what arrives."""

    # Sanic's metaclass gives a class slots only.
    __slots__ = ("_unread",)

    if TYPE_CHECKING:  # Sanic's own, which has slots and no annotations

        def __setattr__(self, name: str, value: Any) -> None: ...

        keep_alive: bool
        request_body: Any
        request_max_size: int

    def __init__(self, protocol: HttpProtocol) -> None:
        super().__init__(protocol)
        self._unread = False

    async def http1(self) -> None:
        """Serve a connection."""
        await super().http1()
        if self._unread:
            await self._linger()

    async def http1_request_header(self) -> None:
        """Receive a request's head.

        Raises:
            SanicException: 400 malformed, 408 too slow, 413 the announced body is too large, 431 the head is.
        """
        try:
            if _END_OF_HEAD in self.recv_buffer:
                await super().http1_request_header()
            else:
                async with asyncio.timeout(self.protocol.request_timeout):
                    await super().http1_request_header()
            self._check()
        except BaseException as error:
            # Nothing more is read of this one, and Sanic must not build an error page from a target that is malformed.
            self._refuse_body()
            self.upgrade_websocket = False
            if self.request is None:
                self.url = None
            if isinstance(error, TimeoutError):
                raise RequestTimeout("") from None
            if isinstance(error, PayloadTooLarge) and self.request is None:
                raise SanicException("", status_code=431) from None
            if isinstance(error, Exception) and not isinstance(error, SanicException):
                raise InvalidUsage("") from None
            raise

    def _check(self) -> None:
        request = self.request
        self.upgrade_websocket = False
        if _HEAD.fullmatch(request.head) is None:
            raise InvalidUsage("")
        headers = request.headers
        lengths = headers.getall("content-length", [])
        codings = headers.getall("transfer-encoding", [])
        hosts = headers.getall("host", [])
        if len(hosts) > 1 or (not hosts and request.version != "1.0"):
            raise InvalidUsage("")
        if codings and (codings != ["chunked"] or lengths or request.version == "1.0"):
            raise InvalidUsage("")
        if lengths and (len(lengths) > 1 or _LENGTH.fullmatch(lengths[0]) is None):
            raise InvalidUsage("")
        if request.raw_url.startswith(_LIMITED):
            self.request_max_size = min(self.request_max_size, LARGEST_BODY)
        if self.request_bytes_left > self.request_max_size:
            raise PayloadTooLarge("")

    async def read(self) -> bytes | None:
        """Return some bytes of the body; the head of a chunk is checked before Sanic reads it.

        Raises:
            InvalidUsage: the chunk has an extension or a trailer, or no size.
        """
        if self.request_body == "chunked" and self.request_bytes_left == 0:
            buffer = self.recv_buffer
            while (end := buffer.find(b"\r\n", 2)) == -1 and len(buffer) <= 16:
                await self._receive_more()
            if end == -1 or _CHUNK.fullmatch(bytes(buffer[:end])) is None:
                self._refuse_body()
                raise InvalidUsage("")
            if int(buffer[2:end], 16) == 0:
                while len(buffer) < end + 4:
                    await self._receive_more()
                if buffer[end + 2 : end + 4] != b"\r\n":
                    self._refuse_body()
                    raise InvalidUsage("")
        data: bytes | None = await super().read()
        return data

    async def http1_response_header(self, data: bytes, end_stream: bool) -> None:
        """Send a response; where the request's body has not all arrived by then, it is the connection's last."""
        if self.request_body == "chunked" or (self.request_body and self.request_bytes_left > len(self.recv_buffer)):
            self._refuse_body()
        await super().http1_response_header(data, end_stream)

    def _refuse_body(self) -> None:
        self._unread = True
        self.keep_alive = False
        self.request_body = None
        self.expecting_continue = False

    async def _linger(self) -> None:
        transport = self.protocol.transport
        if transport is None or transport.is_closing() or not transport.can_write_eof():
            return
        transport.write_eof()
        left = _LINGER_BYTES
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                while left > 0:
                    left -= len(self.recv_buffer)
                    self.recv_buffer.clear()
                    await self._receive_more()
        except TimeoutError:
            pass


class StrictProtocol(HttpProtocol):
    """A connection that is served by :class:`StrictHttp`, one of a limited number."""

    def connection_made(self, transport: Any) -> None:
        """Take a connection, or drop it where there are too many."""
        if len(self.connections) >= MOST_CONNECTIONS:
            transport.abort()
            return
        super().connection_made(transport)

    def _setup_connection(self) -> None:
        self._http = StrictHttp(self)
        self._time = monotonic()
        self.check_timeouts()


class StrictRequest(Request):
    """A request whose body has to arrive within the time for a request."""

    async def receive_body(self) -> None:
        """Receive the body.

        Raises:
            RequestTimeout: it did not arrive in time.
        """
        stream = self.stream
        if 0 < stream.request_bytes_left <= len(stream.recv_buffer):
            await super().receive_body()
            return
        try:
            async with asyncio.timeout(self.app.config.REQUEST_TIMEOUT):
                await super().receive_body()
        except TimeoutError:
            stream._refuse_body()
            raise RequestTimeout("") from None

