"""``/v2/sinks/{name}/preview``: the bytes that a sink would write of an event, and whether it would at all.

Touches HTTP and the sinks room it is handed. The delivery loop makes them: it has the formats and the transports.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from aiohttp import web

from eventgate.api.bodies import Body, described, read_body
from eventgate.api.paging import json_response
from eventgate.api.problem import or_not_found
from eventgate.api.routes import Call, Operation, Route
from eventgate.api.schemas import one
from eventgate.api.sinks_named import named_sink, silent, sink_name
from eventgate.errors import CallerError
from eventgate.journal.reading import Journal
from eventgate.sinks.generations import Selection
from eventgate.sinks.requests import Answer, Requests, Verb
from eventgate.sinks.store import SinkStore


class PreviewBody(Body):
    """Which event."""

    id: UUID


class Previews:
    """The address of previews."""

    def __init__(self, store: SinkStore, requests: Requests, journal: Journal) -> None:
        self._store = store
        self._requests = requests
        self._journal = journal

    def routes(self) -> Sequence[Route]:
        operation = Operation(
            "What the sink would write of an event of your company",
            "sinks",
            {200: one("Preview")},
            description="Nothing is sent.",
            request_body=described(PreviewBody),
            problems=(404, 409, 422, 504),
        )
        return (
            Route(
                "POST", "/v2/sinks/{name}/preview", "sinks:read", self.preview, operation,
                path_readers={"name": sink_name},
            ),
        )  # fmt: skip

    async def preview(self, call: Call) -> web.StreamResponse:
        sink = await named_sink(self._store, call)
        body = await read_body(call.request, PreviewBody)
        company = call.principal.company
        or_not_found(await self._journal.find(company, body.id))
        answered = await asked_preview(self._requests, sink.name, company, body.id)
        if answered is None:
            return silent(call, sink)
        if not answered.done:
            raise CallerError(409, "sink-refused", answered.detail)
        return json_response(shown_preview(answered.facts or {}))


async def asked_preview(
    requests: Requests, sink: str, company: UUID, event: UUID, *, timeout: float = 5.0
) -> Answer | None:
    """Ask a loop for the preview of an event; None where it gave no answer in time."""
    return await requests.ask(sink, Verb.PREVIEW, selection=Selection([event], company), timeout=timeout)


def shown_preview(facts: Mapping[str, Any]) -> dict[str, Any]:
    """A loop's answer as it is shown, its bytes also as text where they are UTF-8."""
    try:
        text = base64.b64decode(facts["body"]).decode()
    except UnicodeDecodeError:
        text = None
    return {"text": text, **facts}
