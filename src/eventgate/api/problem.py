"""Problem documents (RFC 9457): how EventGate says that it did not do what was asked.

Pure but for aiohttp's response object.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from aiohttp import web

from eventgate.errors import CallerError, FieldError, Unavailable

MEDIA_TYPE = "application/problem+json"

Found = TypeVar("Found")


def problem(
    status: int,
    code: str,
    detail: str,
    request_id: str,
    *,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> web.Response:
    """One problem document. ``type`` is left out, which means that ``title`` is the status's own phrase."""
    document: dict[str, Any] = {
        "status": status,
        "title": HTTPStatus(status).phrase,
        "code": code,
        "detail": detail,
        "requestId": request_id,
    }
    if errors:
        document["errors"] = [asdict(error) for error in errors]
    document.update(members or {})
    try:
        body = orjson.dumps(document, default=str)
    except TypeError:
        # It quotes a header field whose bytes are not UTF-8, which the HTTP parser hands on as surrogates.
        body = json.dumps(document, default=str, ensure_ascii=False).encode(errors="replace")
    return web.Response(status=status, body=body, content_type=MEDIA_TYPE, headers=headers)


def caller_problem(error: CallerError, request_id: str) -> web.Response:
    return problem(
        error.status,
        error.code,
        error.detail,
        request_id,
        errors=error.errors,
        headers=error.headers,
        members=error.members,
    )


def unavailable_problem(error: Unavailable, request_id: str) -> web.Response:
    return problem(503, error.code, error.detail, request_id, headers={"Retry-After": str(error.retry_after)})


def internal_problem(request_id: str) -> web.Response:
    return problem(
        500, "internal", f"EventGate made a mistake; its log tells more under the request id {request_id}.", request_id
    )


def not_found() -> CallerError:
    """Of what does not exist, or belongs to another company: there is no difference to be seen."""
    return CallerError(404, "not-found", "There is nothing here under this address.")


def or_not_found(found: Found | None) -> Found:
    """What was looked for. Raises CallerError 404 where there is none."""
    if found is None:
        raise not_found()
    return found
