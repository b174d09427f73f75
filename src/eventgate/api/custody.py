"""``/v2/events/{id}/custody``: who signed an event, when it was committed, and what became of it at every sink.

Touches HTTP, the journal and the sinks room it is handed.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from aiohttp import web

from eventgate.api.paging import json_response
from eventgate.api.problem import or_not_found
from eventgate.api.routes import Call, Operation, Route
from eventgate.api.schemas import one
from eventgate.api.sinks_named import receipt_shown
from eventgate.event import KIND_NAMES, Event, Origin, SensorNames
from eventgate.formats.times import rfc3339
from eventgate.journal.finding import Committed
from eventgate.journal.reading import Journal
from eventgate.journal.times import rfc3339_of
from eventgate.sinks.custody import Custody, CustodyOf, Fate
from eventgate.sinks.dead_letters import DeadLetter
from eventgate.sinks.definition import State, is_about
from eventgate.sinks.deliveries import Handover
from eventgate.sinks.store import SinkStore

NamesOf = Callable[[UUID], Awaitable[Mapping[UUID, SensorNames]]]
"""What each of a company's sensors is called."""


class CustodyOfEvents:
    """The address of custody."""

    def __init__(self, journal: Journal, store: SinkStore, custody: CustodyOf, names_of: NamesOf) -> None:
        self._journal = journal
        self._store = store
        self._custody = custody
        self._names_of = names_of

    def routes(self) -> Sequence[Route]:
        operation = Operation(
            "Where an event came from and where it went",
            "events",
            {200: one("Custody")},
            description="Every sink of your company; for the operator, also those that see every company. Of sinks that"
            " were removed from the configuration, those that had it.",
            problems=(404,),
        )
        return (Route("GET", "/v2/events/{id}/custody", "alerts:read", self.one_event, operation),)

    async def one_event(self, call: Call) -> web.StreamResponse:
        company = call.principal.company
        found = or_not_found(await self._journal.find(company, call.path["id"]))
        sensor = found.event.sensor
        names = (await self._names_of(company)).get(sensor) or SensorNames(str(sensor), None)
        operator = call.principal.operator
        seen = await self._store.all(None if operator else company, configured=None)
        told = [await self._custody.by(sink, found, names) for sink in seen if sink.company in (None, company)]
        shown = [
            _sink(each, found.event, operator=operator) for each in told if each.sink.configured or each.fate in _HAD_IT
        ]
        return json_response({**_event(found, names), "sinks": shown})


_HAD_IT = frozenset({Fate.DELIVERED, Fate.DEAD})
_TELLING = frozenset({State.RETRYING, State.DISABLED})
"""States whose last error says why an event waits."""


def _event(found: Committed, names: SensorNames) -> dict[str, Any]:
    event = found.event
    return {
        "id": event.id,
        "kind": KIND_NAMES[event.kind],
        "alertCode": event.code,
        "timestamp": rfc3339(event.timestamp),
        "edgeId": event.sensor,
        "serial": names.serial or None,
        "signedBy": {"keyId": event.key, "verifyKeyId": event.verify_key, "contentDigest": event.content_digest.hex()},
        "receivedAt": rfc3339(event.received),
        "committed": {
            "at": rfc3339(found.committed),
            "position": found.place.position,
            "index": found.place.index,
            "digest": found.digest.hex(),
        },
    }


def _sink(told: Custody, event: Event, *, operator: bool) -> dict[str, Any]:
    sink = told.sink
    return {
        "name": sink.name,
        "configured": sink.configured,
        "transport": sink.transport,
        "guarantee": sink.guarantee,
        "fate": told.fate.value,
        "detail": _sentence(told, event),
        "condition": told.condition,
        "filterChanged": told.filter_changed,
        "comesAgain": told.again and sink.configured,
        "deliveries": [_delivery(handover, operator=operator) for handover in told.handovers],
        "deaths": [_death(death) for death in told.deaths],
    }


def _sentence(told: Custody, event: Event) -> str:
    match told.fate:
        case Fate.PENDING:
            state, error = told.sink.state, told.sink.last_error
            return f"It waits its turn; the sink is {state.value}{f': {error}' if state in _TELLING else ''}."
        case Fate.BEFORE:
            return "The sink began after it."
        case Fate.FILTERED if event.origin is Origin.SYSTEM and is_about(event, told.sink.name):
            return "It tells of this sink, which is never sent what tells of itself."
        case Fate.FILTERED if told.condition is None:
            return "The filter of that time left it out."
        case Fate.FILTERED:
            since = ", a filter that has changed since" if told.filter_changed else ""
            return f"Left out by {told.condition}{since}."
        case Fate.DEAD:
            again = told.deaths[-1].redriven_in
            return "Nobody took it" + (f"; generation {again} brings or brought it again." if again else ".")
        case Fate.DELIVERED if not told.receipt_kept:
            return "Delivered, by the cursor; its receipt was not kept, or is not written yet."
        case Fate.DELIVERED:
            times = len(told.handovers)
            return f"Delivered, {told.sink.guarantee}." if times == 1 else f"Delivered {times} times."


def _delivery(handover: Handover, *, operator: bool) -> dict[str, Any]:
    return {
        "at": rfc3339(handover.at),
        "generation": handover.generation,
        "lane": handover.lane,
        "receipt": receipt_shown(handover.receipt, operator=operator),
    }


def _death(death: DeadLetter) -> dict[str, Any]:
    return {
        "at": rfc3339_of(death.died_at),
        "generation": death.generation,
        "reason": death.reason,
        "redrivenIn": death.redriven_in,
    }
