"""``/v2/alert-categories`` and ``/v2/alert-codes``: what alerts are about.

Touches HTTP and the catalogue it is handed.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from aiohttp import web

from eventgate.alerts.catalogue import CATEGORIES, CODES
from eventgate.alerts.observed import ObservedCode
from eventgate.api.paging import list_parameters, listed_whole
from eventgate.api.parameters import integer
from eventgate.api.routes import CUSTOMER, Call, Operation, Route
from eventgate.api.schemas import listed
from eventgate.formats.times import rfc3339

Observed = Callable[[UUID], Awaitable[Sequence[ObservedCode]]]
"""Answers the codes that a company's sensors have really sent."""

_SCOPE = "alerts:read"
_NUMBERS = list_parameters(integer(0, 10**9), {"type": "integer", "minimum": 0, "maximum": 10**9})


class Catalogue:
    """The addresses of categories and codes."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                "GET", "/v2/alert-categories", _SCOPE, self.categories,
                Operation("The categories of alerts", "alerts", {200: listed("AlertCategory")}),
                (*_NUMBERS, CUSTOMER), aliases=("/alert-categories",),
            ),
            Route(
                "GET", "/v2/alert-codes", _SCOPE, self.codes,
                Operation(
                    "The codes of alerts: those EventGate knows, and those your sensors have sent", "alerts",
                    {200: listed("AlertCode")},
                ),
                (*list_parameters(str, {"type": "string"}), CUSTOMER), aliases=("/alert-codes",),
            ),
        )  # fmt: skip

    async def categories(self, call: Call) -> web.StreamResponse:
        return listed_whole(call, CATEGORIES, lambda category: category.id, lambda category: category._asdict())

    async def codes(self, call: Call) -> web.StreamResponse:
        observed = {found.code: found for found in await self._observed(call.principal.company)}
        return listed_whole(
            call, sorted({*CODES, *observed}), lambda code: code, lambda code: _shown(code, observed.get(code))
        )


def _shown(code: str, observed: ObservedCode | None) -> dict[str, Any]:
    """A code; of one that is not in the catalogue, category and severity are those of its newest alert."""
    known = CODES.get(code)
    usual = known or observed
    assert usual is not None, "a code is in one of the two"
    return {
        "alertCode": code,
        "categoryId": usual.category,
        "severity": usual.severity,
        "title": known.title if known else None,
        "description": known.description if known else None,
        "source": "catalogue" if known else "observed",
        "lastSeenAt": rfc3339(observed.last_seen) if observed else None,
    }
