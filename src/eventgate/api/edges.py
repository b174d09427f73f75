"""``/v2/edges``: the company's registered sensors, for reading.

Touches HTTP and the directory of sensors it is handed.
"""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from eventgate.api.paging import LIST_PARAMETERS, json_response, listed_whole
from eventgate.api.problem import or_not_found
from eventgate.api.routes import CUSTOMER, Call, Operation, Route
from eventgate.api.schemas import listed, one
from eventgate.journal.times import rfc3339_of
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
        await self._directory.warm(call.principal.company)
        newest_first = self._directory.all_of(call.principal.company)[::-1]
        return listed_whole(call, newest_first, lambda sensor: sensor.id, _edge, descending=True)

    async def one_edge(self, call: Call) -> web.StreamResponse:
        sensor = or_not_found(await self._directory.find(call.principal.company, edge=call.path["edgeId"]))
        return json_response(_edge(sensor))


def _edge(sensor: Sensor) -> dict[str, Any]:
    return {
        "id": sensor.id,
        "companyId": sensor.company,
        "serial": sensor.serial,
        "name": sensor.name,
        "state": sensor.state,
        "registeredAt": rfc3339_of(sensor.registered_at),
    }
