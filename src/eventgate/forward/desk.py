"""Where people's requests meet one delivery loop, and where the loop says what it is doing.

Touches the tables of sinks. Called by the loop at safe places only: no window is on its way.
"""

import contextlib
from typing import Any
from uuid import UUID

import structlog

from eventgate.clock import Clock
from eventgate.errors import DeliveryError, Unavailable
from eventgate.event import Event, Kind, Origin, SensorNames
from eventgate.forward.inbox import Inbox
from eventgate.forward.keeping import Keeping
from eventgate.forward.letters import LettersTail
from eventgate.forward.plan import Plan
from eventgate.forward.previewing import Previewing
from eventgate.forward.rewinding import Rewinding
from eventgate.forward.transports import Outgoing, Transport, Window
from eventgate.ids import uuid7
from eventgate.journal.cursors import Cursor
from eventgate.journal.reading import Journal
from eventgate.journal.tail import Tail
from eventgate.sinks.definition import State
from eventgate.sinks.deliveries import receipt_of
from eventgate.sinks.generations import Generations, Why
from eventgate.sinks.requests import Answer, Request, Requests, Verb
from eventgate.sinks.store import SinkStore
from eventgate.telemetry import SINK_STATE

TEST_CODE = "EVENTGATE-TEST"
_NOBODY = UUID(int=0)
_log = structlog.get_logger()

_RESTING = frozenset({State.PAUSED, State.DISABLED})
"""States in which somebody has to say that the sink goes on."""


class Desk:
    """One for each loop."""

    def __init__(
        self,
        plan: Plan,
        keeping: Keeping,
        *,
        store: SinkStore,
        generations: Generations,
        requests: Requests,
        journal: Journal,
        tail: Tail,
        previewing: Previewing,
        clock: Clock,
    ) -> None:
        self._plan = plan
        self._keeping = keeping
        self._store = store
        self._generations = generations
        self._requests = requests
        self._tail = tail
        self._previewing = previewing
        self._clock = clock
        self._rewinding = Rewinding(plan, keeping, generations, requests, journal)
        self._said: tuple[State, str | None] | None = None
        self._failure = "it has only just started"

    async def say(self, state: State, error: str | None = None, *, pause: float | None = None) -> None:
        """Show a state, with the error that led to it and how many seconds the next attempt is away.

        What is shown already costs nothing to say again.
        """
        self._failure = error or state.value
        if self._said != (state, error):
            log = _log.info if error is None else _log.warning
            log("sink state", sink=self._plan.name, state=state.value, error=error)
            for each in State:
                SINK_STATE.labels(self._plan.name, each.value).set(each is state)
        elif pause is None:
            return
        next_attempt = None if pause is None else self._clock.now_ms() + round(pause * 1000)
        with contextlib.suppress(Unavailable):
            await self._store.set_state(self._plan.name, state, error, next_attempt)
            self._said = (state, error)

    async def disable(self, inbox: Inbox, reason: str) -> None:
        """The receiver wants nothing more: rest, over restarts too, until somebody resumes the sink.

        Raises Unavailable; the receiver will say it again.
        """
        await self._store.disable(self._plan.name)
        inbox.rest(State.DISABLED)
        await self.say(State.DISABLED, reason)

    async def serve(self, inbox: Inbox, connected: Transport | None, *, lost: bool = False) -> bool:
        """Answer what is asked; True when the loop should begin a new session because of it.

        ``connected`` is the transport where it is open; ``lost``: nobody knows where the live lane is. Raises what its
        delivery raises.
        """
        anew = False
        while (request := inbox.take()) is not None:
            match request.verb:
                case Verb.PAUSE:
                    inbox.rest(inbox.resting or State.PAUSED)
                    anew, answer = True, Answer(True, "paused")
                case Verb.RESUME:
                    inbox.rest(None)
                    anew, answer = True, Answer(True, "resumed")
                case Verb.REWIND:
                    answer = await self._rewinding.rewind(request, lost=lost)
                    anew = anew or answer.done
                case Verb.REDRIVE if lost:
                    answer = Answer(False, "the cursor is lost: rewind the sink first")
                case Verb.REDRIVE:
                    answer = await self._rewinding.redrive(request)
                    anew = anew or answer.done
                case Verb.TEST:
                    answer = await self._test(connected)
                case Verb.PREVIEW:
                    answer = await self._preview(request)
            await self._requests.answer(request, answer)
        return anew

    async def replay_until(self) -> int:
        """Up to which position the live lane delivers once more: where somebody set its cursor back."""
        return (await self._generations.moved(self._plan.name, self._keeping.standing.since)).replay_until

    async def letters(self) -> LettersTail | None:
        """What the replay lane reads where it is dead letters that go again; None where it is the journal."""
        name, number = self._plan.name, self._keeping.standing.generation
        generation = await self._generations.one(name, number)
        if generation is None or generation.why is not Why.REDRIVE:
            return None
        return LettersTail(self._tail, self._generations, name, number)

    async def _preview(self, request: Request) -> Answer:
        which = request.selection
        assert which is not None and which.events and which.company, "a preview names its event"  # noqa: PT018 - one thing is said, not three
        try:
            return await self._previewing.preview(which.company, which.events[0])
        except Exception as error:  # noqa: BLE001 - a format that fails here would fail in delivery: say it, deliver on
            _log.exception("preview failed", sink=self._plan.name)
            return Answer(False, f"the event cannot be written: {type(error).__name__}: {error}")

    async def _test(self, connected: Transport | None) -> Answer:
        if connected is None:
            rests = self._said is not None and self._said[0] in _RESTING
            return Answer(False, f"not connected: {self._failure}{'; resume the sink first' if rests else ''}")
        event, names = self._test_event(), SensorNames("eventgate", None)
        outgoing = Outgoing(event, names, Cursor(0, 0), self._plan.encode(event, names))
        try:
            delivery = await connected.deliver(Window([outgoing], self._keeping.standing))
        except DeliveryError as error:
            return Answer(False, str(error))
        if delivery.failure is not None:
            return Answer(False, str(delivery.failure))
        if delivery.refused:
            return Answer(False, f"refused: {delivery.refused[0].reason}")
        facts: dict[str, Any] = {"eventId": str(event.id), "receipt": None}
        if (receipt := delivery.receipt) is not None:
            facts["receipt"] = receipt_of(receipt.told, 0, (receipt.slots[0], 0) if receipt.slots else None)
        return Answer(True, f"delivered, {self._plan.guarantee}, as event {event.id}", facts)

    def _test_event(self) -> Event:
        now = self._clock.now_ms()
        return Event(
            company=self._plan.definition.company or _NOBODY,
            id=uuid7(now),
            kind=Kind.ALERT,
            sensor=_NOBODY,
            timestamp=now,
            received=now,
            code=TEST_CODE,
            category=5,
            severity=0,
            message=f"A test of sink {self._plan.name}, asked for by an operator",
            data=b'{"test":true}',
            event_id=None,
            sequence=None,
            key=None,
            verify_key=None,
            content_digest=bytes(32),
            origin=Origin.SYSTEM,
            raw=b"{}",
        )
