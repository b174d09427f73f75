"""The delivery loop of one sink: drafts go out as windows, the cursor follows, and nothing is ever passed in silence.

Touches its transport, the cursor it owns, the dead letters and the state of its sink.

One session is: open, then window after window, until something fails or somebody wants something. Whatever failed, the
next session goes on from the standing, and reads again what came after it. While a window is on its way the next one is
drafted and the standing before it is saved, so that a quick receiver never waits for us.

The order that keeps the promise that a cursor never passes an event in silence: dead letters are written first, then
the window is delivered, then the standing counts both. A crash in between repeats work and loses nothing.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog

from eventgate.clock import Clock
from eventgate.errors import Deferred, DeliveryError, Disconnected, Refused, Unavailable
from eventgate.forward.backoff import Backoff
from eventgate.forward.desk import Desk
from eventgate.forward.drafts import Draft, Drafts
from eventgate.forward.inbox import Inbox
from eventgate.forward.keeping import Keeping
from eventgate.forward.transports import CursorLost, Outgoing, Transport, Window
from eventgate.journal.cursors import Cursor, Standing
from eventgate.sinks.dead_letters import DeadLetters, Letter
from eventgate.sinks.definition import State
from eventgate.telemetry import SINK_DEAD, SINK_DEFERRED, SINK_DELIVERED, SINK_EXPIRED, SINK_FILTERED

_PATIENCE = 1.0
"""Seconds without news after which an idle sink saves what its filter passed over."""
_GRACE = 3.0
"""Seconds that a window on its way gets when somebody wants the loop to stop, rest or answer."""
_REMINDER_SECONDS = 6 * 3600.0
"""A receiver that keeps the progress hears of an idle sink at least so often: brokers forget idle groups."""
_TELL_SECONDS = 5.0
"""A receiver that keeps the progress hears no more often of events that were only passed over."""

_METRICS = (SINK_DELIVERED, SINK_FILTERED, SINK_DEAD, SINK_EXPIRED)
_Result = TypeVar("_Result")
_log = structlog.get_logger()


class DeliveryLoop:
    """Runs while this process owns the sink's cursor."""

    def __init__(
        self,
        name: str,
        transport: Transport,
        drafts: Drafts,
        keeping: Keeping,
        *,
        letters: DeadLetters,
        desk: Desk,
        inbox: Inbox,
        clock: Clock,
        backoff: Backoff,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._transport = transport
        self._drafts = drafts
        self._keeping = keeping
        self._letters = letters
        self._desk = desk
        self._inbox = inbox
        self._clock = clock
        self._backoff = backoff
        self._sleep = sleep
        self._lost = False
        self._most = transport.limits.events
        self._suspect: Cursor | None = None
        self._told: Cursor | None = None
        self._told_at = clock.monotonic()

    async def run(self) -> None:
        """Deliver until the inbox says stop. Raises NotOwner when the cursor belongs to somebody else by now."""
        try:
            while not self._inbox.stopping:
                if self._inbox.paused or self._lost:
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
        except Refused as refusal:
            # The event is known by now and left out, or the next windows are smaller.
            _log.debug("window refused", sink=self._name, most=self._most, reason=str(refusal))
        except (DeliveryError, Unavailable) as failure:
            await self._desk.say(State.RETRYING, str(failure))
            patience = 0.0
            if isinstance(failure, Deferred):
                SINK_DEFERRED.labels(self._name).inc()
                patience = failure.retry_after or 0.0
            return max(self._backoff.next(), patience)
        finally:
            await self._transport.close()
        return 0.0

    async def _deliver(self) -> None:
        opened = await self._unless_called(self._transport.open(self._keeping.settled), "while connecting")
        self._keeping.move(opened)
        await self._desk.say(State.RUNNING)
        self._drafts.restart(opened.cursor, await self._desk.replay_until())
        most = self._most
        ahead = asyncio.create_task(self._drafts.next(most, _PATIENCE))
        try:
            while not (self._inbox.stopping or self._inbox.paused) and self._most == most:
                if await self._desk.serve(self._inbox, self._transport):
                    break
                if await self._comes_before_a_call(ahead):
                    draft = ahead.result()
                    ahead = asyncio.create_task(self._drafts.next(most, _PATIENCE))
                    await self._carry(draft)
            await self._keeping.flush()
        finally:
            await _end(ahead)

    async def _carry(self, draft: Draft) -> None:
        """Finish one draft, or as much of it as the receiver takes."""
        before = self._keeping.standing
        await self._bury(draft.unfit)
        if not draft.events and not self._worth_telling(draft.end):
            self._advance(before, draft.standing(before, 0), settled=not self._transport.keeps_progress)
            await self._keeping.save_if_due()
            return
        window = Window(draft.events, draft.standing(before, len(draft.events)))
        try:
            delivery = await self._unless_called(self._transport.deliver(window), "while the receiver was silent")
        except Refused as refusal:
            self._narrow(window, refusal)
            raise
        await self._bury([_letter(window.events[number], reason) for number, reason in delivery.refused])
        after = draft.standing(before, delivery.finished, len(delivery.refused))
        self._advance(before, after)
        self._told, self._told_at = after.cursor, self._clock.monotonic()
        await self._keeping.save()
        if delivery.finished:
            self._backoff.reset()
        if self._suspect is not None and after.cursor >= self._suspect:
            self._suspect, self._most = None, self._transport.limits.events
        if delivery.failure is not None:
            raise delivery.failure

    async def _unless_called(self, work: Coroutine[Any, Any, _Result], when: str) -> _Result:
        """Do what the receiver has a part in, but let no silent receiver keep us from what is wanted of us."""
        working = asyncio.create_task(work)
        try:
            while not working.done():
                if self._inbox.urgent:
                    await asyncio.wait([working], timeout=_GRACE)
                    break
                await self._comes_before_a_call(working)
            if not working.done():
                raise Disconnected(f"interrupted {when}")
            return working.result()
        finally:
            await _end(working)

    async def _bury(self, letters: list[Letter]) -> None:
        if letters:
            await self._letters.write(self._name, self._keeping.standing.generation, letters)

    def _narrow(self, window: Window, refusal: Refused) -> None:
        """Look for the one event that the receiver will never take, by halves."""
        if len(window.events) == 1:
            self._drafts.give_up(window.events[0].place, str(refusal))
            self._suspect, self._most = None, self._transport.limits.events
        else:
            self._suspect, self._most = window.upto.cursor, len(window.events) // 2

    def _worth_telling(self, cursor: Cursor) -> bool:
        """Whether a receiver that keeps the progress should hear where a sink stands that has no events for it."""
        if not self._transport.keeps_progress:
            return False
        quiet = self._clock.monotonic() - self._told_at
        return quiet >= (_REMINDER_SECONDS if cursor == self._told else _TELL_SECONDS)

    def _advance(self, before: Standing, after: Standing, *, settled: bool = True) -> None:
        self._keeping.move(after, settled=settled)
        for metric, had, has in zip(_METRICS, before.totals, after.totals, strict=True):
            metric.labels(self._name).inc(has - had)
        expired = after.totals.expired - before.totals.expired
        if expired:
            _log.error("events expired before delivery", sink=self._name, events=expired)

    async def _rest(self) -> None:
        """Wait, with the connection closed, until somebody wants us to go on."""
        if not self._lost:
            await self._desk.say(State.PAUSED)
        while not self._inbox.stopping and (self._inbox.paused or self._lost):
            generation = self._keeping.standing.generation
            await self._desk.serve(self._inbox, None)
            if self._keeping.standing.generation != generation:
                self._lost = False
            elif self._inbox.paused or self._lost:
                await self._inbox.change()

    async def _wait(self, seconds: float) -> None:
        """Leave the receiver alone for a while, or until somebody wants something that cannot wait."""
        pause = asyncio.ensure_future(self._sleep(seconds))
        try:
            while not (self._inbox.stopping or self._inbox.paused):
                if await self._desk.serve(self._inbox, None) or await self._comes_before_a_call(pause):
                    return
        finally:
            pause.cancel()

    async def _comes_before_a_call(self, task: asyncio.Future[Any]) -> bool:
        """Wait for a task or for news in the inbox; whether the task is done."""
        call = asyncio.create_task(self._inbox.change())
        try:
            await asyncio.wait([task, call], return_when=asyncio.FIRST_COMPLETED)
        finally:
            call.cancel()
        return task.done()


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel a task and see it off; what it failed with was either told already or matters no more."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _letter(outgoing: Outgoing, reason: str) -> Letter:
    return Letter(outgoing.place, outgoing.event.company, outgoing.event.id, reason)
