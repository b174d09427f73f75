"""``POST /v2/events``: the way in to the write path, which is another room's.

Touches nothing itself; hands the request and who sent it to the walk it is given.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from eventgate.access import Principal
from eventgate.api.answers import REQUEST_ID
from eventgate.api.routes import Call, Operation, Route
from eventgate.api.schemas import one, ref

Write = Callable[[web.Request, Principal, str], Awaitable[web.StreamResponse]]
"""(request, who sent it, request id) -> the answer, once what was good of it is committed."""

_DESCRIPTION = """\
The body is signed as RFC 9421 says. `Content-Digest` (RFC 9530; sha-256 or sha-512) is over the bytes as sent.
`Signature-Input` covers at least `@method`, `@path` and `content-digest`, and has `created` and `keyid`, the id of one
of the key's verify keys. P-256 with SHA-256, P-384 with SHA-384, P-521 with SHA-512; the signature is raw r and s, or
DER.

At most 5 MiB as sent, 8 MiB inflated, 5,000 events. Nothing is acknowledged before it is committed. A write sent again
is stored once and answers with the same ids.
"""


class Writes:
    """The address that sensors post to."""

    def __init__(self, write: Write) -> None:
        self._write = write

    def routes(self) -> Sequence[Route]:
        operation = Operation(
            "Store signed events",
            "events",
            {
                201: one("Written", "At least one event was stored"),
                200: one("Written", "Nothing new was stored; some events are duplicates"),
            },
            description=_DESCRIPTION,
            request_body=_BODY,
            problems=(408, 411, 413, 415, 422),
        )
        return (Route("POST", "/v2/events", "events:write", self.store, operation, headers=_HEADERS),)

    async def store(self, call: Call) -> web.StreamResponse:
        return await self._write(call.request, call.principal, call.request[REQUEST_ID])


_EVENT = ref("NewEvent")
_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"anyOf": [_EVENT, {"type": "array", "items": _EVENT, "minItems": 1, "maxItems": 5000}]}
        },
        "application/x-ndjson": {"schema": {"type": "string", "description": "One event a line."}},
    },
}
_HEADERS = {
    "Content-Digest": "`sha-256=:BASE64:` over the bytes as sent.",
    "Signature-Input": '`eg=("@method" "@path" "content-digest");created=1763726400;keyid="…"`',
    "Signature": "`eg=:BASE64:`",
}
