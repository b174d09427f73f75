"""``/v2/sinks/{name}/ledger``: the ledger of a sink, minute by minute.

Touches HTTP and the sinks room it is handed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from eventgate.access import Principal
from eventgate.api.paging import json_response
from eventgate.api.parameters import Parameter
from eventgate.api.routes import Call, Operation, Route
from eventgate.api.schemas import TEXT, one
from eventgate.api.sinks import counted
from eventgate.api.sinks_named import named_sink, sink_name
from eventgate.clock import Clock
from eventgate.errors import CallerError
from eventgate.journal.times import rfc3339_of
from eventgate.query.instants import EXPECTED, parse_instant
from eventgate.sinks.minutes import MINUTE_MS, LedgerMinutes, MinuteLedger
from eventgate.sinks.store import SinkStatus, SinkStore

_HOUR_MS = 60 * MINUTE_MS
_LATEST_MS = 253_402_300_799_000
"""The end of the year 9999: with an offset, a moment may lie beyond."""
_MOST_MINUTES = 1_440


class SinkMinutes:
    """The address of a sink's minutes."""

    def __init__(self, store: SinkStore, minutes: LedgerMinutes, clock: Clock) -> None:
        self._store = store
        self._minutes = minutes
        self._clock = clock

    def routes(self) -> Sequence[Route]:
        operation = Operation(
            "The ledger of a sink at the end of each minute, for two days",
            "sinks",
            {200: one("SinkMinutes")},
            problems=(404,),
        )
        return (
            Route(
                "GET", "/v2/sinks/{name}/ledger", "sinks:read", self.minutes, operation,
                (
                    Parameter("from", f"The first minute: {EXPECTED}. Default: an hour before `to`.", TEXT),
                    Parameter("to", "The moment before which the last minute begins. Default: now.", TEXT),
                ),
                path_readers={"name": sink_name},
            ),
        )  # fmt: skip

    async def minutes(self, call: Call) -> web.StreamResponse:
        sink = await named_sink(self._store, call)
        start, end = self._range(call.parameters)
        found = await self._minutes.between(sink.name, start, end)
        return json_response({"name": sink.name, "minutes": [_shown(each, sink, call.principal) for each in found]})

    def _range(self, parameters: Mapping[str, Any]) -> tuple[int, int]:
        """From the first minute up to, not including, a moment; milliseconds."""
        end = _moment("to", parameters, self._clock.now_ms() + 1)
        start = _moment("from", parameters, end - _HOUR_MS)
        start -= start % MINUTE_MS
        if not 0 <= end - start <= _MOST_MINUTES * MINUTE_MS:
            raise _wrong("from", f"from: expected a moment before to, at most {_MOST_MINUTES:,} minutes before it.")
        return start, end


def _shown(found: MinuteLedger, sink: SinkStatus, principal: Principal) -> dict[str, Any]:
    return {
        "minute": rfc3339_of(found.minute),
        "generation": found.generation,
        **counted(found.ledger, found.own, principal, changed_hands=sink.changed_hands),
        "balances": found.ledger.balances,
    }


def _moment(name: str, parameters: Mapping[str, Any], otherwise: int) -> int:
    text = parameters.get(name)
    if text is None:
        return otherwise
    moment = parse_instant(text)
    if moment is None:
        raise _wrong(name, f"{name}: expected {EXPECTED}.")
    return min(max(moment.start, 0), _LATEST_MS)


def _wrong(name: str, detail: str) -> CallerError:
    return CallerError.of_field(400, "parameter-invalid", detail, name)
