"""What every answer has in common: its request id, errors as problem documents, counts and times, a line in the log.

Touches the log and the metrics. Never logs a query string, a header or a body: they may hold what is nobody's business.
"""

import itertools
import os
import re
import time
from collections.abc import Mapping
from functools import cache

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import Counter, Histogram

from eventgate.access import NEWEST_VERSION
from eventgate.api.problem import caller_problem, internal_problem, problem, unavailable_problem
from eventgate.api.versions import FIELD
from eventgate.errors import CallerError, Unavailable
from eventgate.telemetry import REQUEST_SECONDS, REQUESTS

REQUEST_ID = web.RequestKey("request_id", str)
"""Where the id of a request is kept on it."""

RATE_FIELDS = web.RequestKey("rate_fields", Mapping[str, str])
"""Where a request keeps what to tell of its caller's rate limits."""

VERSION = web.RequestKey("version", str)
"""Where the version of the interface that a request is answered in is kept on it, once that is known."""

_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?", re.ASCII)  # W3C, section 3.2
_NO_TRACE = "0" * 32

_log = structlog.get_logger()

_PROCESS = os.urandom(10).hex()
_numbers = itertools.count()


def new_request_id() -> str:
    """An id that no other request has, of this process or another. It is no secret."""
    return f"{_PROCESS}{next(_numbers):012x}"


def trace_of(request: web.BaseRequest) -> str | None:
    """The trace id of a caller's valid ``traceparent``."""
    header = request.headers.get("traceparent")
    found = _TRACE_PARENT.fullmatch(header) if header else None
    return found[1] if found and found[1] != _NO_TRACE and not found[0].startswith("ff") else None


async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let the application answer, and turn what it raises into a problem document.

    Stands around the whole application, as no middleware does: the router's refusals are told in the same way.
    """
    began = time.perf_counter()
    request[REQUEST_ID] = request_id = new_request_id()
    structlog.contextvars.bind_contextvars(request_id=request_id)  # each request has a context of its own
    if trace := trace_of(request):
        structlog.contextvars.bind_contextvars(trace_id=trace)
    try:
        _demand_readable_expectation(request)
        response = await handler(request)
    except CallerError as error:
        response = caller_problem(error, request_id)
    except Unavailable as error:
        response = unavailable_problem(error, request_id)
    except web.HTTPException as error:
        response = _router_problem(error, request_id)
    except ConnectionError:  # the caller went away: nobody is there to be told
        raise
    except Exception:  # noqa: BLE001 - the last resort: whatever it was, the caller gets an answer and the log the rest
        _log.exception("request failed", route=_route_of(request))
        response = internal_problem(request_id)
    if not response.prepared:
        stamp(request, response)
    _record(request, response, time.perf_counter() - began)
    return response


def _demand_readable_expectation(request: web.Request) -> None:
    """Raises HTTPExpectationFailed where aiohttp's router would stumble while it quotes what it does not expect."""
    if not request.headers.get("Expect", "").isascii():
        raise web.HTTPExpectationFailed


def stamp(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Write on an answer which request it is to, and what is left of a rate.

    What streams does so itself, before it begins.
    """
    response.headers["X-Request-Id"] = request[REQUEST_ID]
    response.headers[FIELD] = request.get(VERSION, NEWEST_VERSION)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Server"] = "EventGate"
    if fields := request.get(RATE_FIELDS):
        response.headers.update(fields)


def _record(request: web.Request, response: web.StreamResponse, seconds: float) -> None:
    route, status = _route_of(request), response.status
    _counter(route, str(status)).inc()
    _histogram(route).observe(seconds)
    tell = _log.warning if status >= 500 else _log.debug
    tell("answered", method=request.method, route=route, status=status, milliseconds=round(seconds * 1000, 1))


def _route_of(request: web.Request) -> str:
    """The route's pattern, not the path: paths are without bound, and so would be the metrics' labels."""
    found = request._match_info  # noqa: SLF001 - match_info itself asserts that routing came so far
    resource = found.route.resource if found is not None else None
    return resource.canonical if resource is not None else "none"


@cache
def _counter(route: str, status: str) -> Counter:
    return REQUESTS.labels(route, status)


@cache
def _histogram(route: str) -> Histogram:
    return REQUEST_SECONDS.labels(route)


def _router_problem(error: web.HTTPException, request_id: str) -> web.StreamResponse:
    """What aiohttp itself has to say: no such path, not by this method, or a redirection, which is no problem."""
    if error.status < 400:
        return error
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        detail = f"This address does not take {error.method}; it takes {allowed}."
        return problem(405, "method-not-allowed", detail, request_id, headers={"Allow": allowed})
    if error.status == 404:
        return problem(404, "not-found", "There is nothing here under this address.", request_id)
    return problem(error.status, "request-malformed", error.reason or "The request cannot be understood.", request_id)
