"""A small world for delivery loops: a journal in memory, a receiver that fails on request, and a database that may die.

``Killed`` stands for kill -9: after it nothing of the dead process has any effect any more.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import SimpleNamespace
from uuid import UUID

from eventgate.clock import ManualClock
from eventgate.errors import Deferred, Disconnected, Refused, Unavailable
from eventgate.event import Event
from eventgate.formats.json import encode
from eventgate.forward.backoff import Backoff
from eventgate.forward.drafts import Drafts
from eventgate.forward.inbox import Inbox
from eventgate.forward.keeping import Keeping
from eventgate.forward.loop import DeliveryLoop
from eventgate.forward.transports import Delivery, Limits, Refusal, Window
from eventgate.ids import uuid7
from eventgate.journal.batch import Batch
from eventgate.journal.cursors import START, Cursor, Standing
from eventgate.sinks.dead_letters import Letter
from eventgate.sinks.definition import State
from tests.unit.formats.samples import ALERT, NAMES

FOUR = Limits(4, 1 << 20)


class Killed(BaseException):
    """kill -9."""


def event(number: int, severity: int = 5) -> Event:
    return ALERT._replace(id=uuid7(ALERT.timestamp, number.to_bytes(10, "big")), severity=severity, sequence=number)


def batches(*sizes: int, severities: Iterable[int] = ()) -> list[Batch]:
    """Batches of so many events, from position 1 on; severities in order, 5 where they end."""
    worst, made, total = iter(severities), [], 0
    for position, size in enumerate(sizes, 1):
        events = [event(total + n, next(worst, 5)) for n in range(size)]
        total += size
        made.append(Batch(position, 0, total, bytes(32), size - 1, 0, range(size), events, 1000 * size))
    return made


class MemoryTail:
    """A journal that ends; ``at_end`` is called with the seconds that somebody waits there."""

    def __init__(self, stored: Sequence[Batch], at_end: Callable[[float], None] = lambda seconds: None) -> None:
        self.stored = list(stored)
        self.at_end = at_end

    async def read(self, after: Cursor, *, max_events: int, max_bytes: int) -> list[Batch]:
        await asyncio.sleep(0)
        found, events = [], 0
        for batch in self.stored:
            if batch.position < after.position or batch.end <= after:
                continue
            start = 0
            if batch.position == after.position:
                start = sum(index <= after.index for index in batch.indexes)
            rest = batch._replace(
                indexes=batch.indexes[start:],
                events=batch.events[start:],
                expired=batch.expired if not start else 0,
            )
            events += len(rest.events)
            if found and events > max_events:
                break
            found.append(rest)
        return found

    async def wait(self, position: int, timeout: float) -> bool:
        await asyncio.sleep(0)
        if position < self.stored[-1].position:
            return True
        if timeout:
            self.at_end(timeout)
        return False


class Names:
    async def warm(self, company: UUID) -> None: ...

    def names(self, company: UUID, sensor: UUID) -> object:
        return NAMES


def drafts_of(tail: MemoryTail, limits: Limits, wants: Callable[[Event], bool] = lambda event: True) -> Drafts:
    plan = SimpleNamespace(wants=lambda event, names: wants(event), encode=encode)
    return Drafts(plan, limits, tail, Names())


class World:
    """Everything around one sink that outlives its process, and a script of what goes wrong at which step.

    Each number of ``script`` decides one step: 0 nothing goes wrong. ``poison`` are sequence numbers that the receiver
    never takes; ``names_poison`` says whether it can tell which they are.
    """

    def __init__(
        self,
        stored: Sequence[Batch],
        *,
        script: Iterable[int] = (),
        poison: Iterable[int] = (),
        names_poison: bool = True,
        keeps_progress: bool = False,
        limits: Limits = FOUR,
        wants: Callable[[Event], bool] = lambda event: True,
    ) -> None:
        self.stored = stored
        self.script: Iterator[int] = iter(script)
        self.poison = set(poison)
        self.names_poison = names_poison and not keeps_progress
        self.wants = wants
        self.limits = limits
        self.keeps_progress = keeps_progress
        self.guarantee = "exactly once" if keeps_progress else "confirmed"
        self.saved = START
        self.at_receiver: Standing = START
        self.delivered: Counter[Cursor] = Counter()
        self.letters: dict[Cursor, str] = {}
        self.states: list[tuple[State, str | None]] = []
        self.windows: list[int] = []
        self.kills = 0
        self._dead = False

    async def run(self) -> None:
        """Deliver to the end of the journal, with a new process after each kill."""
        while True:
            self._dead = False
            try:
                await self.process()
            except Killed:
                self.kills += 1
            else:
                return

    async def process(self, inbox: Inbox | None = None) -> None:
        inbox = inbox or Inbox(paused=False)
        clock = ManualClock()

        async def sleep(seconds: float) -> None:
            clock.advance(seconds)
            await asyncio.sleep(0)

        def at_end(seconds: float) -> None:
            clock.advance(seconds)
            end = self.stored[-1].end
            if self.saved.cursor == end and (not self.keeps_progress or self.at_receiver.cursor == end):
                inbox.stop()

        cursors = SimpleNamespace(save=self._save)
        desk = SimpleNamespace(say=self._say, serve=self._serve, replay_until=self._replay_until)
        loop = DeliveryLoop(
            "sink",
            self,
            drafts_of(MemoryTail(self.stored, at_end), self.limits, self.wants),
            Keeping(cursors, "mine", self.saved, clock),
            letters=SimpleNamespace(write=self._bury),
            desk=desk,
            inbox=inbox,
            clock=clock,
            backoff=Backoff(seed=1),
            sleep=sleep,
        )
        await loop.run()

    # The transport.

    async def open(self, kept: Standing) -> Standing:
        self._step({1: Disconnected("refused the connection"), 2: Killed()})
        if self.keeps_progress:  # ahead of the receiver, the database would look like a cursor that was set back
            assert kept.cursor <= self.at_receiver.cursor
        return self.at_receiver if self.keeps_progress else kept

    async def deliver(self, window: Window) -> Delivery:
        await asyncio.sleep(0)
        self.windows.append(len(window.events))
        bad = [number for number, out in enumerate(window.events) if out.event.sequence in self.poison]
        step = self._step({1: Disconnected("lost before"), 2: Deferred("busy", 3.0), 3: Killed()})
        if bad and not self.names_poison:
            raise Refused("one of these is unbearable")
        take = len(window.events)
        if step == 6 and not self.keeps_progress:
            take //= 2
        for number, out in enumerate(window.events[:take]):
            if number not in bad:
                self.delivered[out.place] += 1
        if self.keeps_progress:
            self._check(window.upto)
            self.at_receiver = window.upto
        if step == 4:
            raise Disconnected("lost after")
        if step == 5:
            self._kill()
        refused = [Refusal(number, "unbearable") for number in bad if number < take]
        return Delivery(take, refused, Disconnected("lost on the way") if step == 6 else None)

    async def close(self) -> None: ...

    # The database.

    async def _save(self, mine: object, standing: Standing) -> None:
        await asyncio.sleep(0)
        step = self._step({1: Unavailable("storage-unavailable", "away"), 2: Killed()})
        self._check(standing)
        self.saved = standing
        self._after(step)

    async def _bury(self, sink: str, generation: int, letters: Sequence[Letter]) -> None:
        step = self._step({1: Unavailable("storage-unavailable", "away"), 2: Killed()})
        for letter in letters:
            self.letters.setdefault(letter.place, letter.reason)
        self._after(step)

    async def _say(self, state: State, error: str | None = None) -> None:
        self.states.append((state, error))

    async def _serve(self, inbox: Inbox, connected: object) -> bool:
        return False

    async def _replay_until(self) -> int:
        return 0

    # What goes wrong.

    def _step(self, failures: dict[int, BaseException]) -> int:
        if self._dead:
            raise Killed
        step = next(self.script, 0)
        if isinstance(failure := failures.get(step), Killed):
            self._kill()
        elif failure is not None:
            raise failure
        return step

    def _after(self, step: int) -> None:
        """The effect is there, but the answer never comes."""
        if step == 4:
            raise Unavailable("storage-unavailable", "the answer was lost")
        if step == 5:
            self._kill()

    def _kill(self) -> None:
        self._dead = True
        raise Killed

    def _check(self, standing: Standing) -> None:
        """Promise 3: nothing up to the cursor that was neither delivered, filtered, expired nor dead-lettered."""
        passed = [(place, e) for batch in self.stored for place, e in batch.placed() if place <= standing.cursor]
        for place, each in passed:
            finished = self.delivered[place] or place in self.letters or not self.wants(each)
            assert finished, f"the cursor {standing.cursor} passed {place} in silence"
        gone = sum(batch.expired for batch in self.stored if batch.position <= standing.cursor.position)
        assert sum(standing.totals) == len(passed) + gone, standing
