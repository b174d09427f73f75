"""``/v2/alerts`` and ``/v2/events``: search what was stored.

Touches HTTP and the search it is handed.
"""

from collections.abc import Sequence

from aiohttp import web

from eventgate.alerts.search import ALERTS, EVERY_KIND, AlertSearch
from eventgate.api import shown
from eventgate.api.filters import FILTER
from eventgate.api.paging import LIST_PARAMETERS, asked_page, json_response, listed_page
from eventgate.api.parameters import Parameter, one_of
from eventgate.api.problem import or_not_found
from eventgate.api.routes import CUSTOMER, Call, Operation, Route
from eventgate.api.schemas import listed, one
from eventgate.event import KINDS_BY_NAME
from eventgate.query import parse_filters

SCOPE = "alerts:read"

_KIND = Parameter(
    "kind", "Only events of this kind.", {"type": "string", "enum": list(KINDS_BY_NAME)}, one_of(KINDS_BY_NAME)
)


class Alerts:
    """The addresses of alerts and of events of any kind."""

    def __init__(self, search: AlertSearch) -> None:
        self._search = search

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                "GET", "/v2/alerts", SCOPE, self.list_alerts,
                Operation("Search alerts, newest first", "alerts", {200: listed("Alert")}, problems=(422,)),
                (FILTER, *LIST_PARAMETERS, CUSTOMER), aliases=("/alerts",),
            ),
            Route(
                "GET", "/v2/alerts/{id}", SCOPE, self.one_alert,
                Operation("One alert", "alerts", {200: one("Alert")}, problems=(404,)),
                aliases=("/alerts/{id}",),
            ),
            Route(
                "GET", "/v2/events", SCOPE, self.list_events,
                Operation("Search events of any kind, newest first", "events", {200: listed("Event")}, problems=(422,)),
                (FILTER, _KIND, *LIST_PARAMETERS, CUSTOMER),
            ),
            Route(
                "GET", "/v2/events/{id}", SCOPE, self.one_event,
                Operation("One event of any kind", "events", {200: one("Event")}, problems=(404,)),
            ),
        )  # fmt: skip

    async def list_alerts(self, call: Call) -> web.StreamResponse:
        query = parse_filters(call.parameters["filter"])
        page = await self._search.page(call.principal.company, query, asked_page(call.parameters), ALERTS)
        return listed_page(call, page, shown.alert)

    async def one_alert(self, call: Call) -> web.StreamResponse:
        stored = or_not_found(await self._search.get(call.principal.company, call.path["id"], ALERTS))
        return json_response(shown.alert(stored))

    async def list_events(self, call: Call) -> web.StreamResponse:
        query = parse_filters(call.parameters["filter"])
        kind = call.parameters.get(_KIND.name)
        kinds = EVERY_KIND if kind is None else (KINDS_BY_NAME[kind],)
        page = await self._search.page(call.principal.company, query, asked_page(call.parameters), kinds)
        return listed_page(call, page, shown.event)

    async def one_event(self, call: Call) -> web.StreamResponse:
        stored = or_not_found(await self._search.get(call.principal.company, call.path["id"]))
        return json_response(shown.event(stored))
