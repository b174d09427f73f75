"""``/v2/edges``: the company's registered sensors, for reading.

Touches HTTP and the directory of sensors it is handed.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from eventgate.alerts.paging import Neighbour
from eventgate.api.paging import LIST_PARAMETERS, asked_page, envelope, json_response
from eventgate.api.problem import not_found
from eventgate.api.routes import CUSTOMER, Call, Operation, Route
from eventgate.api.schemas import listed, one
from eventgate.formats.times import rfc3339
from eventgate.sensors import Directory, Sensor

_SCOPE = "edges:read"


class Edges:
    """The addresses of sensors."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                "GET", "/v2/edges", _SCOPE, self.list_edges,
                Operation("The registered sensors, newest id first", "edges", {200: listed("Edge")}),
                (*LIST_PARAMETERS, CUSTOMER), aliases=("/edges",),
            ),
            Route(
                "GET", "/v2/edges/{edgeId}", _SCOPE, self.one_edge,
                Operation("One registered sensor", "edges", {200: one("Edge")}, problems=(404,)),
                aliases=("/edges/{edgeId}",),
            ),
        )  # fmt: skip

    async def list_edges(self, call: Call) -> web.StreamResponse:
        page = asked_page(call.parameters)
        await self._directory.warm(call.principal.company)
        sensors = self._directory.all_of(call.principal.company)  # by id, oldest first
        ids = [sensor.id for sensor in sensors]
        if page.before is not None:
            low = bisect_right(ids, page.before)
            high = min(low + page.limit, len(ids))
        else:
            high = len(ids) - page.offset if page.after is None else bisect_left(ids, page.after)
            low = max(high - page.limit, 0)
        shown = [_edge(sensor) for sensor in reversed(sensors[low : max(high, 0)])]
        return envelope(
            call,
            shown,
            total=len(ids),
            following=Neighbour(after=ids[low]) if shown and low > 0 else None,
            previous=Neighbour(before=ids[high - 1]) if shown and high < len(ids) else None,
        )

    async def one_edge(self, call: Call) -> web.StreamResponse:
        sensor = await self._directory.find(call.principal.company, edge=call.path["edgeId"])
        if sensor is None:
            raise not_found()
        return json_response(_edge(sensor))


def _edge(sensor: Sensor) -> dict[str, Any]:
    return {
        "id": sensor.id,
        "companyId": sensor.company,
        "serial": sensor.serial,
        "name": sensor.name,
        "state": sensor.state,
        "registeredAt": rfc3339(int(sensor.registered_at.timestamp() * 1000)),
    }
