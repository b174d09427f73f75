"""``/v2/rejects``: events of verified writes that were not accepted, with what was wrong with them.

Touches HTTP and the journal's rejects.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from aiohttp import web

from eventgate.api.paging import LIST_PARAMETERS, asked_page, listed_page
from eventgate.api.routes import CUSTOMER, Call, Operation, Route
from eventgate.api.schemas import listed
from eventgate.formats.times import rfc3339
from eventgate.journal.rejects import KeptReject, Rejects


class RejectList:
    """The address of rejects."""

    def __init__(self, rejects: Rejects) -> None:
        self._rejects = rejects

    def routes(self) -> Sequence[Route]:
        operation = Operation("Events that were not accepted, newest first", "events", {200: listed("Reject")})
        return (Route("GET", "/v2/rejects", "alerts:read", self.list, operation, (*LIST_PARAMETERS, CUSTOMER)),)

    async def list(self, call: Call) -> web.StreamResponse:
        page = await self._rejects.page(call.principal.company, asked_page(call.parameters))
        return listed_page(call, page, _shown)


def _shown(reject: KeptReject) -> dict[str, Any]:
    return {
        "id": reject.id,
        "rejectedAt": rfc3339(reject.rejected_at),
        "keyId": reject.key,
        "requestId": reject.request_id,
        "index": reject.index,
        "errors": [asdict(problem) for problem in reject.problems],
        "body": reject.body.decode("utf-8", "backslashreplace"),
    }
