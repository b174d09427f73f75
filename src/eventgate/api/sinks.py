"""``/v2/sinks``: where events go, how far each destination has come, and what people want of it.

Touches HTTP and the sinks room it is handed. Wishes go to the delivery loop, which answers in seconds or not at all.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from aiohttp import web

from eventgate.access import Audit, Principal
from eventgate.api.bodies import NO_BODY, read_nothing, read_object
from eventgate.api.paging import json_response, list_parameters, listed_whole
from eventgate.api.parameters import Parameter, one_of
from eventgate.api.routes import Call, Operation, Route
from eventgate.api.schemas import listed, one, ref
from eventgate.api.sink_wishes import Wishes
from eventgate.api.sinks_named import named_sink, receipt_shown, seen_by, silent, sink_name
from eventgate.clock import Clock
from eventgate.errors import CallerError
from eventgate.journal.cursors import after_all_of
from eventgate.journal.reading import Journal
from eventgate.journal.times import rfc3339_of
from eventgate.query.instants import EXPECTED, parse_instant
from eventgate.sinks.definition import seconds_at
from eventgate.sinks.ledger import Ledger
from eventgate.sinks.requests import Answer, Requests, Verb
from eventgate.sinks.store import ReplayStatus, SinkStatus, SinkStore

_READ, _MANAGE = "sinks:read", "sinks:manage"
_DESIRED = {Verb.PAUSE: {"paused": True}, Verb.RESUME: {"paused": False}}
"""States to be reached: they hold whatever the loop says."""
_CONFIGURED = {"configured": True, "removed": False, "all": None}
_STATUS = Parameter(
    "status",
    "Those that are configured, those that were removed from the configuration and keep their cursor, or all.",
    {"type": "string", "enum": [*_CONFIGURED], "default": "configured"},
    one_of([*_CONFIGURED]),
)


class Sinks:
    """The addresses of sinks."""

    def __init__(self, store: SinkStore, requests: Requests, journal: Journal, clock: Clock, audit: Audit) -> None:
        self._store = store
        self._clock = clock
        self._wishes = Wishes(store, requests, audit)
        self._journal = journal

    def routes(self) -> Sequence[Route]:
        named = {"name": sink_name}
        answered = {200: one("SinkAnswer", "Done")}
        wishes = [
            Route(
                "POST", f"/v2/sinks/{{name}}/{verb}", _MANAGE, handler,
                Operation(summary, "sinks", answered, problems=(404, 409, 504), request_body=NO_BODY),
                path_readers=named,
            )
            for verb, handler, summary in (
                ("pause", self.pause, "Stop delivering, keep the cursor"),
                ("resume", self.resume, "Deliver again from the cursor"),
                ("test", self.test, "Send one event that is marked as a test"),
            )
        ]  # fmt: skip
        rewind = Operation(
            "Deliver again what came after a moment or a position",
            "sinks",
            {202: one("Rewound", "A generation was opened"), 200: one("Rewind", "What a rewind would repeat")},
            request_body=_REWIND_BODY,
            problems=(404, 409, 422, 504),
        )
        return (
            Route(
                "GET", "/v2/sinks", _READ, self.list_sinks,
                Operation("Every sink, by name", "sinks", {200: listed("Sink")}),
                (_STATUS, *list_parameters(str, {"type": "string"})),
            ),
            Route(
                "GET", "/v2/sinks/{name}", _READ, self.one_sink,
                Operation("One sink", "sinks", {200: one("Sink")}, problems=(404,)), path_readers=named,
            ),
            *wishes,
            Route("POST", "/v2/sinks/{name}/rewind", _MANAGE, self.rewind, rewind, path_readers=named),
        )  # fmt: skip

    async def list_sinks(self, call: Call) -> web.StreamResponse:
        configured = _CONFIGURED[call.parameters.get("status", "configured")]
        found = await self._store.all(seen_by(call.principal), configured=configured)
        return listed_whole(call, found, lambda sink: sink.name, lambda sink: self._shown(sink, call.principal))

    async def one_sink(self, call: Call) -> web.StreamResponse:
        return json_response(self._shown(await named_sink(self._store, call), call.principal))

    async def pause(self, call: Call) -> web.StreamResponse:
        return await self._wish(call, Verb.PAUSE)

    async def resume(self, call: Call) -> web.StreamResponse:
        return await self._wish(call, Verb.RESUME)

    async def test(self, call: Call) -> web.StreamResponse:
        return await self._wish(call, Verb.TEST)

    async def rewind(self, call: Call) -> web.StreamResponse:
        sink = await named_sink(self._store, call)
        body = await read_object(call.request, {"to", "dryRun", "replace"})
        position = await self._position(body.get("to"))
        for key in ("dryRun", "replace"):
            if not isinstance(body.get(key, False), bool):
                raise _wrong(f"/{key}", f"{key} is true or false.")
        if not body.get("dryRun", False):
            return await self._ask(call, sink, Verb.REWIND, position, replace=body.get("replace", False))
        own = None if call.principal.operator else sink.company
        return json_response(await self._repeated(sink, position, own))

    async def _repeated(self, sink: SinkStatus, position: int, own: UUID | None) -> dict[str, Any]:
        """What comes after a position and is finished: of one company, or of all."""
        events = await self._store.stored_between(after_all_of(position), sink.cursor, own)
        return {"events": events, "seconds": seconds_at(sink.replay_events_per_second, events)}

    async def _wish(self, call: Call, verb: Verb) -> web.StreamResponse:
        sink = await named_sink(self._store, call)
        await read_nothing(call.request)
        return await self._ask(call, sink, verb)

    async def _ask(
        self, call: Call, sink: SinkStatus, verb: Verb, position: int | None = None, *, replace: bool = False
    ) -> web.StreamResponse:
        asked = {"position": position, "replace": replace} if verb is Verb.REWIND else _DESIRED.get(verb)
        answered = await self._wishes.ask(call, sink, verb, asked, position=position, replace=replace)
        own = await self._for_company(sink, position, answered)
        if answered is not None and verb not in _DESIRED:
            # A company reads what is noted of its sink.
            await self._wishes.note_answer(call, sink, verb, own or answered)
        if answered is None:
            return silent(call, sink)
        if not answered.done:
            raise CallerError(409, "sink-refused", answered.detail)
        seen = answered if own is None or call.principal.operator else own
        told = {"name": sink.name, "verb": verb.value, "detail": seen.detail, **(seen.facts or {})}
        if told.get("receipt"):
            told["receipt"] = receipt_shown(told["receipt"], operator=call.principal.operator)
        return json_response(told, 202 if verb is Verb.REWIND else 200)

    async def _for_company(self, sink: SinkStatus, position: int | None, answered: Answer | None) -> Answer | None:
        """The answer to a rewind as the company of a sink may read it: the loop counts every company's events."""
        if position is None or sink.company is None or answered is None or not answered.facts:
            return None
        facts = {**answered.facts, **await self._repeated(sink, position, sink.company)}
        detail = f"generation {facts['generation']} delivers {facts['events']} of your events again"
        return Answer(answered.done, detail, facts)

    async def _position(self, to: Any) -> int:
        """The last position that stays delivered."""
        if isinstance(to, int) and not isinstance(to, bool):
            head = (await self._journal.head()).position
            if not 0 <= to <= head:
                raise _wrong("/to", f"The journal has positions up to {head}; 0 is its beginning.")
            return to
        moment = parse_instant(to) if isinstance(to, str) else None
        if moment is None:
            raise _wrong("/to", f"Expected a position of the journal, or {EXPECTED}.")
        # With an offset, a moment may lie outside of the years that a timestamp holds; nothing was committed there.
        return await self._journal.position_before(min(max(moment.start, 0), self._clock.now_ms() + 1))

    def _shown(self, sink: SinkStatus, principal: Principal) -> dict[str, Any]:
        """A sink as this principal may see it: a company sees what is its own."""
        counts = counted(sink.ledger, sink.own, principal, changed_hands=sink.changed_hands)
        since = sink.waiting_since if principal.operator else sink.own_since
        waiting_ms = 0 if since is None else max(self._clock.now_ms() - since, 0)
        return {
            "name": sink.name,
            "companyId": sink.company,
            "filter": sink.filters,
            "format": sink.format,
            "transport": sink.transport,
            "guarantee": sink.guarantee,
            "definition": sink.definition if principal.operator else None,
            "configured": sink.configured,
            "state": sink.state.value,
            "stateSince": rfc3339_of(sink.state_since),
            "lastError": sink.last_error,
            "lastErrorAt": rfc3339_of(sink.failed_at),
            "cursor": {"position": sink.cursor.position, "index": sink.cursor.index},
            "generation": sink.generation,
            "nextAttemptAt": rfc3339_of(sink.next_attempt_at),
            "replayEventsPerSecond": sink.replay_events_per_second,
            "lagEvents": counts["pending"],
            "lagSeconds": waiting_ms / 1000,
            **counts,
            "balances": sink.ledger.balances and (sink.own is None or sink.own.balances),
            "alarms": [
                {"code": alarm.code, "detail": alarm.detail, "since": rfc3339_of(alarm.began_at)}
                for alarm in sink.alarms
            ],
            "replay": None
            if sink.replay is None
            else _replayed(sink.replay, principal, changed_hands=sink.changed_hands),
        }


def _replayed(replay: ReplayStatus, principal: Principal, *, changed_hands: bool) -> dict[str, Any]:
    """What is delivered once more, as this principal may see it."""
    generation = replay.generation
    counts = counted(replay.ledger, replay.own, principal, changed_hands=changed_hands)
    del counts["before"]
    return {
        "generation": generation.number,
        "kind": generation.why.value,
        "from": generation.begins,
        "until": generation.upto,
        "position": replay.cursor.position,
        "beganAt": rfc3339_of(generation.began_at),
        **counts,
        "secondsLeft": replay.seconds_left if principal.operator else None,
    }


def counted(whole: Ledger, own: Ledger | None, principal: Principal, *, changed_hands: bool) -> dict[str, int | None]:
    """A ledger as this principal may see it: the whole for the operator, a company's own for the company."""
    if principal.operator:
        return asdict(whole)
    if own is None:
        known = {} if changed_hands else {"delivered": whole.delivered, "dead": whole.dead}
        return dict.fromkeys(asdict(whole)) | known
    return asdict(own) | {"foreign": None}


def _wrong(pointer: str, detail: str) -> CallerError:
    return CallerError.of_field(422, "body-invalid", detail, pointer)


_REWIND_BODY = {"required": True, "content": {"application/json": {"schema": ref("RewindTo")}}}
