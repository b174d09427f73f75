"""``/v2/rejects``: events of verified writes that were not accepted, with what was wrong with them.

Touches HTTP and the journal's rejects.
"""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from eventgate.api.paging import LIST_PARAMETERS, asked_page, envelope
from eventgate.api.routes import CUSTOMER, Call, Operation, Route
from eventgate.api.schemas import listed
from eventgate.formats.times import rfc3339
from eventgate.journal.rejects import KeptReject, Rejects
from eventgate.query.paging import Neighbour


class RejectList:
    """The address of rejects."""

    def __init__(self, rejects: Rejects) -> None:
        self._rejects = rejects

    def routes(self) -> Sequence[Route]:
        operation = Operation("Events that were not accepted, newest first", "events", {200: listed("Reject")})
        return (Route("GET", "/v2/rejects", "alerts:read", self.list, operation, (*LIST_PARAMETERS, CUSTOMER)),)

    async def list(self, call: Call) -> web.StreamResponse:
        asked, company = asked_page(call.parameters), call.principal.company
        # One more than asked for tells whether there is another page.
        found = await self._rejects.page(
            company, limit=asked.limit + 1, before=asked.after, after=asked.before, offset=asked.offset
        )
        more = len(found) > asked.limit
        upwards = asked.before is not None
        page = found[-asked.limit :] if upwards else found[: asked.limit]
        older = more if not upwards else True
        newer = more if upwards else asked.after is not None or asked.offset > 0
        return envelope(
            call,
            [_shown(reject) for reject in page],
            total=await self._rejects.count(company),
            following=Neighbour(after=page[-1].id) if page and older else None,
            previous=Neighbour(before=page[0].id) if page and newer else None,
        )


def _shown(reject: KeptReject) -> dict[str, Any]:
    return {
        "id": reject.id,
        "rejectedAt": rfc3339(reject.rejected_at),
        "keyId": reject.key,
        "requestId": reject.request_id,
        "index": reject.index,
        "errors": [{"pointer": one.pointer, "code": one.code, "detail": one.detail} for one in reject.problems],
        "body": reject.body.decode("utf-8", "backslashreplace"),
    }
