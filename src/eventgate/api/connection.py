"""One HTTP connection: raw bytes in the request line are mended, and the parser's refusals are problem documents too.

Touches aiohttp's connection handler, at the two places where an application cannot reach: before its parser, and where
its parser fails.
"""

import asyncio
from functools import partial
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler

from eventgate.access import NEWEST_VERSION
from eventgate.api.answers import answer, new_request_id
from eventgate.api.problem import internal_problem, problem
from eventgate.api.request_line import RequestLines
from eventgate.api.versions import FIELD

_MAX_LINE = 64 << 10
"""Bytes of a request line: a filter may name a hundred values, and three characters stand for one raw byte."""

_MAX_FIELD = 16 << 10
_KEEP_ALIVE_SECONDS = 75.0
_LOOK_SECONDS = 0.02

_log = structlog.get_logger()


class _Connection(RequestHandler):
    __slots__ = ("_request_lines",)

    def __init__(self, manager: web.Server, **options: Any) -> None:
        super().__init__(manager, **options)
        self._request_lines = RequestLines()

    @property
    def busy(self) -> bool:
        """Whether a request is under way, its body perhaps still arriving."""
        return self._request_in_progress

    def data_received(self, data: bytes) -> None:
        super().data_received(self._request_lines.feed(data))

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what never became a request, and end the connection: where the next one begins is not known."""
        if request.writer.output_size > 0:
            raise ConnectionError("The answer has begun; it cannot become another.")
        request_id = new_request_id()
        response: web.Response
        if isinstance(exc, LineTooLong):
            detail = f"The request line or a header field is too long: at most {_MAX_LINE} and {_MAX_FIELD} bytes."
            response = problem(431, "head-too-large", detail, request_id)
        elif status < 500:
            reason = (message or "").partition(":")[0].strip().rstrip(".")
            detail = f"This is not an HTTP/1.1 request that EventGate can read: {reason or 'it is malformed'}."
            response = problem(status, "request-malformed", detail, request_id)
        else:
            tell = _log.debug if isinstance(exc, ConnectionError) else _log.error  # who left early is told nothing
            tell("connection failed", request_id=request_id, exc_info=exc)
            response = internal_problem(request_id)
        response.headers.update({"X-Request-Id": request_id, "Server": "EventGate", FIELD: NEWEST_VERSION})
        response.force_close()
        return response


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs an application as aiohttp's AppRunner does, on connections of the kind above."""

    def __init__(self, application: web.Application, *, shutdown_timeout: float = 10.0) -> None:
        super().__init__(
            application,
            access_log=None,
            auto_decompress=False,  # a digest is over the bytes as sent (RFC 9530), and nothing unverified is inflated
            max_line_size=_MAX_LINE,
            max_field_size=_MAX_FIELD,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            shutdown_timeout=shutdown_timeout,
        )

    async def drain(self, seconds: float) -> None:
        """Listen no more, and let what is under way arrive whole and be answered, so many seconds at most.

        To come before ``cleanup``, which reads no further byte of a body.
        """
        for site in list(self.sites):
            await site.stop()
        deadline = asyncio.get_running_loop().time() + seconds
        while any(each.busy for each in self._connections()):
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _connections(self) -> list[_Connection]:
        return [each for each in self.server.connections if isinstance(each, _Connection)] if self.server else []

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            partial(answer, handler=made.request_handler),
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=asyncio.get_running_loop(),
            **made._kwargs,  # noqa: SLF001 - the options that aiohttp itself would hand to each connection
        )
