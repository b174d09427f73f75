"""The delivery loop of one sink: drafts go out as windows, the cursor follows, and nothing is ever passed in silence.

Touches its transport, the cursor it owns, the dead letters and the state of its sink.

One session is: open, then window after window, until something fails or somebody wants something. Whatever failed, the
next session goes on from the standing, and reads again what came after it. While a window is on its way the next one is
drafted and the standing before it is saved, so that a quick receiver never waits for us; a transport that likes several
windows at once has the next before the one before is answered.

A window is of one lane. What is new goes first; what is delivered once more fills the gaps, as fast as its sink allows,
and gets its turn even where there are none.

The order that keeps the promise that a cursor never passes an event in silence: dead letters are written first, then
the window is delivered, then the standing counts both. A crash in between repeats work and loses nothing.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from eventgate.clock import Clock
from eventgate.errors import Deferred, DeliveryError, Gone, Refused, Unavailable
from eventgate.forward.allowance import Allowance
from eventgate.forward.backoff import Backoff
from eventgate.forward.course import Course
from eventgate.forward.desk import Desk
from eventgate.forward.drafts import Draft, Drafts
from eventgate.forward.inbox import Inbox
from eventgate.forward.keeping import Keeping
from eventgate.forward.transports import CursorLost, Transport, Window
from eventgate.forward.underway import Sent, Underway
from eventgate.journal.cursors import Lane, Standing
from eventgate.sinks.dead_letters import DeadLetters, Letter
from eventgate.sinks.definition import State
from eventgate.telemetry import SINK_DEAD, SINK_DEFERRED, SINK_DELIVERED, SINK_EXPIRED, SINK_FILTERED, SINK_FOREIGN

_REMINDER_SECONDS = 6 * 3600.0
"""A receiver that keeps the progress hears of an idle sink at least so often: brokers forget idle groups."""
_TELL_SECONDS = 5.0
"""A receiver that keeps the progress hears no more often of events that were only passed over."""

_LIVE_TURNS = 3
"""Windows of what is new, at most, while one of the replay is ready."""
_OUTAGE = 2
"""Failures in a row that make an outage: then the receiver is tried with a few events before it gets many."""
_PROBE = 16
"""Events of the first window after an outage."""

_METRICS = (SINK_DELIVERED, SINK_FILTERED, SINK_DEAD, SINK_EXPIRED, SINK_FOREIGN)
_log = structlog.get_logger()


class DeliveryLoop:
    """Runs while this process owns the sink's cursor."""

    def __init__(
        self,
        name: str,
        transport: Transport,
        drafts: Callable[[Lane], Drafts],
        keeping: Keeping,
        *,
        allowance: Allowance,
        letters: DeadLetters,
        desk: Desk,
        inbox: Inbox,
        clock: Clock,
        backoff: Backoff,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._transport = transport
        widest = transport.limits.events
        self._live = Course(drafts(Lane.LIVE), widest)
        self._replay = Course(drafts(Lane.REPLAY), allowance.most(widest))
        self._allowance = allowance
        self._keeping = keeping
        self._letters = letters
        self._desk = desk
        self._inbox = inbox
        self._clock = clock
        self._backoff = backoff
        self._sleep = sleep
        self._underway = Underway()
        self._lost = False
        self._failures = 0
        self._live_turns = 0
        self._told: Standing | None = None
        self._told_at = clock.monotonic()

    async def run(self) -> None:
        """Deliver until the inbox says stop. Raises NotOwner when the cursor belongs to somebody else by now."""
        try:
            while not self._inbox.stopping:
                if self._inbox.resting or self._lost:
                    await self._rest()
                elif (pause := await self._session()) > 0:
                    await self._wait(pause)
        finally:
            with contextlib.suppress(Unavailable):
                await self._keeping.flush()

    async def _session(self) -> float:
        """One connection's life. Returns how many seconds to leave the receiver alone afterwards."""
        try:
            await self._deliver()
        except CursorLost as lost:
            self._lost = True
            await self._desk.say(State.CURSOR_LOST, str(lost))
        except Gone as gone:
            await self._desk.disable(self._inbox, str(gone))
        except Refused as refusal:  # the event is known by now and left out, or the next windows are smaller
            _log.debug("window refused", sink=self._name, reason=str(refusal))
        except (DeliveryError, Unavailable) as failure:
            pause = self._backoff.next()
            if isinstance(failure, Deferred):
                SINK_DEFERRED.labels(self._name).inc()
                pause = max(pause, failure.retry_after or 0.0)
            self._failures += 1
            await self._desk.say(State.RETRYING, str(failure), pause=pause)
            return pause
        finally:
            await self._transport.close()
        return 0.0

    async def _deliver(self) -> None:
        opening = asyncio.create_task(self._transport.open(self._keeping.settled))
        opened = await self._inbox.unless_called(opening, "while connecting")
        await self._keeping.keep_with(self._transport.keeper)
        self._keeping.move(opened)
        await self._set_out(opened)
        try:
            while not (self._inbox.stopping or self._inbox.resting):
                if not self._underway and await self._desk.serve(self._inbox, self._transport):
                    break
                await self._step()
            while (eldest := self._underway.eldest) is not None:
                await self._settle(eldest)
            await self._keeping.flush()
        finally:
            await self._underway.end()
            await self._live.stop()
            await self._replay.stop()

    async def _step(self) -> None:
        """Count the eldest window on its way if its fate is known, else hand over another if there may be one."""
        eldest = self._underway.eldest
        if eldest is not None and (self._full or eldest.fate.done()):
            await self._settle(eldest)
        elif (course := await self._turn()) is not None:
            await self._hand_over(course, course.take())

    @property
    def _full(self) -> bool:
        """Whether nothing more is to be handed over now; when somebody wants something, soon nothing is on its way."""
        most = 1 if self._failures else self._transport.limits.windows
        return self._inbox.urgent or len(self._underway) >= most

    async def _set_out(self, standing: Standing) -> None:
        """Have both lanes drafted from where they stand."""
        first = _PROBE if self._failures >= _OUTAGE else None
        if first is None:
            await self._desk.say(State.RUNNING)
        dead, again = await self._letters.beyond(self._name, standing), await self._desk.replay_until()
        self._live.drafts.restart(standing.cursor, replay_until=again, dead=dead[Lane.LIVE])
        self._live.set_out(first=first)
        if (replay := standing.replay) is not None and not replay.done:
            self._replay.drafts.restart(
                replay.cursor,
                replay_until=replay.until.position,
                until=replay.until,
                letters=await self._desk.letters(),
                dead=dead[Lane.REPLAY],
            )
            self._replay.set_out(until=replay.until, first=first)

    async def _turn(self) -> Course | None:
        """The lane whose turn it is, as soon as it has a draft; None when something else is to be seen to first."""
        live, replay = self._live, self._replay
        while True:
            pause = self._allowance.pause()
            may_replay = replay.ready and pause <= 0
            if may_replay and not (live.ready and self._live_turns < _LIVE_TURNS):
                self._live_turns = 0
                return replay
            if live.ready:
                self._live_turns += 1
                return live
            timer = asyncio.ensure_future(self._sleep(pause)) if replay.ready else None
            eldest = self._underway.eldest
            fate = eldest and eldest.fate
            waited = [live.ahead, timer if replay.ready else replay.ahead, fate]
            try:
                if not await self._inbox.comes_after(*[each for each in waited if each is not None]):
                    return None
                if fate is not None and fate.done():
                    return None
            finally:
                if timer is not None:
                    timer.cancel()

    async def _hand_over(self, course: Course, draft: Draft) -> None:
        """Begin to deliver a draft; what is only passed over waits for its turn to be counted."""
        before = self._underway.standing(self._keeping.standing)
        await self._bury(draft.unfit, course.lane)
        window = Window(draft.events, draft.standing(before, len(draft.events)), course.lane)
        worth = draft.events or self._worth_telling(window.upto)
        self._underway.add(course, draft, window, self._transport.deliver(window) if worth else None)
        if course is self._replay:
            self._allowance.spend(len(draft.events))

    async def _settle(self, sent: Sent) -> None:
        """Count a window, or as much of it as the receiver took."""
        course, draft, window, fate = sent
        try:
            delivery = await self._inbox.unless_called(fate, "while the receiver was silent")
        except Refused as refusal:
            course.narrow(window, str(refusal))
            raise
        self._underway.remove(sent)
        before = self._keeping.standing
        if delivery is None:
            after = draft.standing(before, 0)
            self._advance(before, after, settled=not self._transport.keeps_progress)
            self._keeping.receipts.note(course.lane, before, after)
            await self._keeping.save_if_due()
            if not draft.moves:
                await self._recovered()
            return
        refused = [(window.events[number], reason) for number, reason in delivery.refused]
        await self._bury([Letter(out.place, out.event.company, out.event.id, why) for out, why in refused], course.lane)
        after = draft.standing(before, delivery.finished, len(delivery.refused))
        self._advance(before, after)
        self._keeping.receipts.note(course.lane, before, after, window.events, delivery)
        self._told, self._told_at = after, self._clock.monotonic()
        await self._keeping.save()
        course.passed(after.progress(course.lane)[0])
        if delivery.finished:
            await self._recovered()
        if delivery.failure is not None:
            raise delivery.failure

    async def _recovered(self) -> None:
        """Something got through, or there is nothing to bring and somebody to bring it to."""
        self._backoff.reset()
        if self._failures:
            self._failures = 0
            await self._desk.say(State.RUNNING)

    async def _bury(self, letters: list[Letter], lane: Lane) -> None:
        if letters:
            standing = self._keeping.standing
            generation = standing.since if lane is Lane.LIVE else standing.generation
            await self._letters.write(self._name, generation, letters)

    def _worth_telling(self, standing: Standing) -> bool:
        """Whether a receiver that keeps the progress should hear where a sink stands that has no events for it."""
        if not self._transport.keeps_progress:
            return False
        told, replay = self._told, standing.replay
        if replay is not None and replay.done and (told is None or told.replay != replay):
            return True
        quiet = self._clock.monotonic() - self._told_at
        return quiet >= (_REMINDER_SECONDS if standing == told else _TELL_SECONDS)

    def _advance(self, before: Standing, after: Standing, *, settled: bool = True) -> None:
        self._keeping.move(after, settled=settled)
        expired = 0
        for lane in Lane if before.replay else (Lane.LIVE,):
            (_, had), (_, has) = before.progress(lane), after.progress(lane)
            for metric, then, now in zip(_METRICS, had, has, strict=True):
                if now != then:
                    metric.labels(self._name, lane.value).inc(now - then)
            expired += has.expired - had.expired
        if expired:
            _log.error("events expired before delivery", sink=self._name, events=expired)

    async def _rest(self) -> None:
        """Wait, with the connection closed, until somebody wants us to go on."""
        while not self._inbox.stopping and (self._inbox.resting or self._lost):
            if not self._lost and self._inbox.resting:
                await self._desk.say(self._inbox.resting)
            generation = self._keeping.standing.generation
            await self._desk.serve(self._inbox, None, lost=self._lost)
            if self._keeping.standing.generation != generation:
                self._lost = False
            elif self._inbox.resting or self._lost:
                await self._inbox.change()

    async def _wait(self, seconds: float) -> None:
        """Leave the receiver alone for a while, or until somebody wants something that cannot wait."""
        pause = asyncio.ensure_future(self._sleep(seconds))
        try:
            while not (self._inbox.stopping or self._inbox.resting):
                if await self._desk.serve(self._inbox, None) or await self._inbox.comes_after(pause):
                    return
        finally:
            pause.cancel()
