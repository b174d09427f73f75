"""One sink by its name, as an address has it and as its asker may see it: for every module of addresses below a sink.

Touches the sinks room it is handed.
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aiohttp import web

from eventgate.access import Principal
from eventgate.api.answers import REQUEST_ID
from eventgate.api.problem import or_not_found, problem
from eventgate.api.routes import Call
from eventgate.errors import CallerError
from eventgate.sinks.store import SinkStatus, SinkStore

_NAME = re.compile(r"[a-z0-9-]{1,63}")


def sink_name(text: str) -> str:
    """Raises ValueError for what can be no sink's name, a U+0000 say, which no table holds."""
    if not _NAME.fullmatch(text):
        raise ValueError(text)
    return text


def seen_by(principal: Principal) -> UUID | None:
    """Whose sinks: the operator sees all of them."""
    return None if principal.operator else principal.company


def standing_shown(sink: SinkStatus) -> dict[str, Any]:
    """What of a sink people's wishes change, for the audit log."""
    cursor = {"position": sink.cursor.position, "index": sink.cursor.index}
    return {"state": sink.state.value, "cursor": cursor, "generation": sink.generation}


def receipt_shown(receipt: Mapping[str, Any], *, operator: bool) -> dict[str, Any]:
    """A receipt as its reader may see it: where a file lies on the operator's machine is nobody else's business."""
    return {name: value for name, value in receipt.items() if operator or name != "path"}


async def named_sink(store: SinkStore, call: Call) -> SinkStatus:
    """The sink that the path names. Raises CallerError 404 where the caller may see none, or one that was removed."""
    sink = or_not_found(await store.get(call.path["name"], seen_by(call.principal), configured=None))
    if not sink.configured:
        kept = "It keeps its place until it comes back or is forgotten."
        detail = f"Sink {sink.name} was removed from the configuration. {kept}"
        raise CallerError(404, "sink-removed", detail)
    return sink


def silent(call: Call, sink: SinkStatus) -> web.Response:
    """504: the sink's delivery loop did not answer in time."""
    detail = f"The delivery loop of sink {sink.name} did not answer within five seconds."
    return problem(504, "sink-silent", detail, call.request[REQUEST_ID])
