"""Reads the small JSON objects that requests to manage something carry.

Touches the request's body, up to a bound.
"""

from collections.abc import Collection
from typing import Any

import orjson
from aiohttp import web

from eventgate.errors import CallerError, FieldError

MOST_BYTES = 64 << 10


async def read_object(request: web.Request, members: Collection[str]) -> dict[str, Any]:
    """The body, one JSON object of no other members; {} where there is no body.

    Raises CallerError 400 ``json-malformed``, 413, 415, or 422 ``body-invalid`` that names each unknown member.
    """
    body = await _read(request)
    if not body:
        return {}
    if request.content_type != "application/json" or request.headers.get("Content-Encoding", "identity") != "identity":
        raise CallerError(415, "media-type-unsupported", "Send the body as application/json, not compressed.")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        detail = f"The body is not JSON: line {error.lineno}, column {error.colno}."
        raise CallerError(
            400, "json-malformed", detail, members={"line": error.lineno, "column": error.colno}
        ) from error
    if not isinstance(found, dict):
        raise CallerError(422, "body-invalid", "The body is not a JSON object.", [_unexpected("", "an object")])
    unknown = [
        _unexpected(f"/{name}", " or ".join(sorted(members)) or "no members") for name in set(found) - {*members}
    ]
    if unknown:
        raise CallerError(422, "body-invalid", " ".join(error.detail for error in unknown), unknown)
    return found


async def _read(request: web.Request) -> bytes:
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > MOST_BYTES:
            raise CallerError(413, "body-too-large", f"The body is larger than {MOST_BYTES} bytes.")
    return bytes(body)


def _unexpected(pointer: str, expected: str) -> FieldError:
    escaped = pointer[:1] + pointer[1:65].replace("~", "~0").replace("/", "~1")  # RFC 6901, section 3
    return FieldError(escaped, "body-invalid", f"{escaped or 'The body'}: expected {expected}.")
