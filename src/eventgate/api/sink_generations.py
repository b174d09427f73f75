"""``/v2/sinks/{name}/generations``: what was ever delivered again, and what became of it.

Touches HTTP and the sinks room it is handed.
"""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from eventgate.api.paging import json_response
from eventgate.api.routes import Call, Operation, Route
from eventgate.api.schemas import one
from eventgate.api.sinks_named import named_sink, sink_name
from eventgate.journal.cursors import Totals
from eventgate.journal.times import rfc3339_of
from eventgate.sinks.generations import Generation, Generations
from eventgate.sinks.store import SinkStatus, SinkStore


class SinkGenerations:
    """The address of a sink's generations."""

    def __init__(self, store: SinkStore, generations: Generations) -> None:
        self._store = store
        self._generations = generations

    def routes(self) -> Sequence[Route]:
        operation = Operation(
            "What a sink was ever asked to deliver again, newest first", "sinks",
            {200: one("SinkGenerations")}, problems=(404,),
        )  # fmt: skip
        path = "/v2/sinks/{name}/generations"
        return (Route("GET", path, "sinks:read", self.generations, operation, path_readers={"name": sink_name}),)

    async def generations(self, call: Call) -> web.StreamResponse:
        sink = await named_sink(self._store, call)
        found = await self._generations.of(sink.name, sink.generation)
        operator = call.principal.operator
        return json_response(
            {"name": sink.name, "generations": [_shown(each, sink, operator=operator) for each in found]}
        )


def _shown(found: Generation, sink: SinkStatus, *, operator: bool) -> dict[str, Any]:
    """One generation; only the operator may know of every company's events."""
    totals = found.totals
    if totals is None and sink.replay is not None and sink.replay.generation.number == found.number:
        ledger = sink.replay.ledger
        totals = Totals(ledger.delivered, ledger.filtered, ledger.dead, ledger.expired, ledger.foreign)
    if sink.changed_hands and not operator:
        totals = None
    return {
        "generation": found.number,
        "kind": found.why.value,
        "from": found.begins,
        "until": found.upto,
        "beganAt": rfc3339_of(found.began_at),
        "endedAt": rfc3339_of(found.ended_at),
        "stored": found.events if operator else None,
        "delivered": totals.delivered if totals else None,
        "dead": totals.dead if totals else None,
        "filtered": totals.filtered if totals and operator else None,
        "expired": totals.expired if totals and operator else None,
        "foreign": totals.foreign if totals and operator else None,
    }
