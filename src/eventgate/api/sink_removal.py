"""``DELETE /v2/sinks/{name}``: forget a sink that is configured no more.

Touches HTTP and the sinks room it is handed.
"""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from eventgate.access import Audit, Change
from eventgate.api.problem import not_found, or_not_found
from eventgate.api.routes import Call, Operation, Route
from eventgate.api.sinks_named import sink_name, standing_shown
from eventgate.errors import CallerError
from eventgate.sinks.forgetting import Forgotten
from eventgate.sinks.requests import Note
from eventgate.sinks.store import SinkStore

_REFUSED = {
    Forgotten.CONFIGURED: (
        "sink-configured",
        "Sink {} is configured. Take it out of the configuration, and reload, before it is forgotten.",
    ),
    Forgotten.RUNNING: (
        "sink-running",
        "The delivery loop of sink {} has not ended yet. Try again in some seconds.",
    ),
}


class SinkRemoval:
    """The address that forgets a sink; ``forget`` is the sinks room's."""

    def __init__(self, store: SinkStore, forget: Callable[[str, Note], Awaitable[Forgotten]], audit: Audit) -> None:
        self._store = store
        self._forget = forget
        self._audit = audit

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                "DELETE", "/v2/sinks/{name}", "sinks:manage", self.forget,
                Operation(
                    "Forget a sink that is configured no more", "sinks", {204: {"description": "Forgotten"}},
                    "Its cursor, ledger, generations, dead letters and receipts are deleted, and retention waits for it"
                    " no longer. A sink of that name is a new one from then on.",
                    problems=(404, 409),
                ),
                path_readers={"name": sink_name}, operator=True,
            ),
        )  # fmt: skip

    async def forget(self, call: Call) -> web.StreamResponse:
        sink = or_not_found(await self._store.get(call.path["name"], None, configured=None))
        change = Change("sink.forget", sink.name, sink.company or call.principal.company, standing_shown(sink))
        outcome = await self._forget(
            sink.name, lambda connection: self._audit.record_within(connection, call.actor, change)
        )
        if outcome is Forgotten.UNKNOWN:
            raise not_found()
        if outcome in _REFUSED:
            code, detail = _REFUSED[outcome]
            raise CallerError(409, code, detail.format(sink.name))
        return web.Response(status=204)
