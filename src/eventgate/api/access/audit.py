"""``/v2/audit``: who changed what, when, from where; before and after.

Touches HTTP and the log it is handed.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from aiohttp import web

from eventgate.access import AUDIT_LINES, AuditLine, AuditLog
from eventgate.api.filters import filter_over
from eventgate.api.paging import LIST_PARAMETERS, asked_page, listed_page
from eventgate.api.routes import CUSTOMER, Call, Operation, Route
from eventgate.api.schemas import listed
from eventgate.formats.times import rfc3339
from eventgate.query import parse_filters

_FILTER = filter_over(AUDIT_LINES)


class AuditLines:
    """The address of the audit log."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def routes(self) -> Sequence[Route]:
        operation = Operation(
            "What was changed, by whom, from where, newest first",
            "audit",
            {200: listed("AuditLine")},
            description="A company sees the changes of what is its own. The operator sees everybody's, and its own "
            "company's alone with `customerid`.",
            problems=(422,),
        )
        parameters = (_FILTER, *LIST_PARAMETERS, CUSTOMER)
        return (Route("GET", "/v2/audit", "audit:read", self.list, operation, parameters, aliases=("/audit",)),)

    async def list(self, call: Call) -> web.StreamResponse:
        query = parse_filters(call.parameters["filter"], AUDIT_LINES)
        everybody = call.principal.operator and call.parameters.get(CUSTOMER.name) is None
        company = None if everybody else call.principal.company
        return listed_page(call, await self._log.page(company, query, asked_page(call.parameters)), _shown)


def _shown(line: AuditLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "timestamp": rfc3339(line.at),
        "action": line.action,
        "objectId": line.object_id,
        "companyId": line.company,
        "actor": line.actor,
        "userId": line.user,
        "keyId": line.key,
        "sessionId": line.session,
        "remote": line.remote,
        "requestId": line.request_id,
        "before": _fragment(line.before),
        "after": _fragment(line.after),
    }


def _fragment(text: str | None) -> orjson.Fragment | None:
    return None if text is None else orjson.Fragment(text)
