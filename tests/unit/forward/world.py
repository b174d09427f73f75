"""A small world for delivery loops: a journal in memory, a receiver that fails on request, and a database that may die.

``Killed`` stands for kill -9: after it nothing of the dead process has any effect any more.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import SimpleNamespace
from uuid import UUID

from eventgate.clock import ManualClock
from eventgate.errors import Deferred, Disconnected, Refused, Unavailable
from eventgate.event import Event
from eventgate.formats.json import encode
from eventgate.forward.allowance import Allowance
from eventgate.forward.backoff import Backoff
from eventgate.forward.drafts import Drafts
from eventgate.forward.inbox import Inbox
from eventgate.forward.keeping import Keeping, Unsure
from eventgate.forward.loop import DeliveryLoop
from eventgate.forward.pages import Pages
from eventgate.forward.receipts import Receipts
from eventgate.forward.rewinding import Rewinding
from eventgate.forward.transports import Delivery, Limits, Refusal, Window
from eventgate.forward.transports.kafka.judgement import standing_from
from eventgate.forward.transports.kafka.kept import Kept
from eventgate.ids import uuid7
from eventgate.journal.batch import Batch, Head
from eventgate.journal.cursors import START, Cursor, Lane, Standing, Totals
from eventgate.sinks.dead_letters import Letter
from eventgate.sinks.definition import SinkDefinition, State
from eventgate.sinks.deliveries import Stretch
from eventgate.sinks.generations import Enter, Opening
from eventgate.sinks.requests import Answer, Request, Verb
from tests.unit.formats.samples import ALERT, NAMES

FOUR = Limits(4, 1 << 20)
_MOVE = 99
"""Among the rewinds: stop here, so that the next process may be elsewhere."""


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
    edition = 0

    async def warm(self, company: UUID) -> None: ...

    def names(self, company: UUID, sensor: UUID) -> object:
        return NAMES


def plan_of(wants: Callable[[Event], bool] = lambda event: True, name: str = "sink") -> SimpleNamespace:
    return SimpleNamespace(
        name=name,
        kind="everything as text",
        company=None,
        wants=lambda event, names: wants(event),
        encode=encode,
        encode_again=encode.replayed(),
    )


def drafts_of(
    tail: MemoryTail,
    limits: Limits,
    wants: Callable[[Event], bool] = lambda event: True,
    lane: Lane = Lane.LIVE,
    *,
    pages: Pages | None = None,
    name: str = "sink",
) -> Drafts:
    """Drafts of a sink that, with ``pages`` given, is a neighbour to others there."""
    plan = plan_of(wants, name)
    if pages is not None:
        pages.join(plan)
    return Drafts(plan, limits, tail, pages or Pages(Names()), lane)


class MemoryJournal:
    """What a rewind asks of a journal."""

    def __init__(self, stored: Sequence[Batch]) -> None:
        self._stored = stored

    async def head(self) -> Head:
        last = self._stored[-1]
        return Head(last.position, last.total, last.digest, 0)

    async def digest_at(self, position: int) -> bytes:
        return b""

    async def stored_upto(self, cursor: Cursor) -> int:
        return sum(place <= cursor for batch in self._stored for place, _ in batch.placed()) if cursor.position else 0


class World:
    """Everything around one sink that outlives its process, and a script of what goes wrong at which step.

    Each number of ``script`` decides one step: 0 nothing goes wrong. ``poison`` are sequence numbers that the receiver
    never takes; ``names_poison`` says whether it can tell which they are. Each number of ``rewinds`` decides what an
    operator wants at one safe place of the loop: 0 nothing, else once more everything after the position before it.
    ``moves`` says for each process where it delivers: a place that keeps the progress, or None, for which the database
    does.
    """

    def __init__(
        self,
        stored: Sequence[Batch],
        *,
        script: Iterable[int] = (),
        rewinds: Iterable[int] = (),
        replay_rate: int = 0,
        poison: Iterable[int] = (),
        names_poison: bool = True,
        keeps_progress: bool = False,
        limits: Limits = FOUR,
        wants: Callable[[Event], bool] = lambda event: True,
        moves: Iterable[str | None] | None = None,
    ) -> None:
        self.moves = iter(moves or ())
        self.place: str | None = "here" if keeps_progress else None
        self.kept_by: str | None = (self.place or "") if moves is None else None
        self.stored = stored
        self.script: Iterator[int] = iter(script)
        self.rewinds: Iterator[int] = iter(rewinds)
        self.replay_rate = replay_rate
        self.poison = set(poison)
        self.names_poison = names_poison and not keeps_progress
        self.wants = wants
        self.limits = limits
        self.keeps_progress = keeps_progress
        self.guarantee = "exactly once" if keeps_progress else "confirmed"
        self.saved = START
        self.kept_at: dict[str, Standing] = defaultdict(lambda: START)
        """What each place keeps where the receiver does."""
        self.there: dict[str | None, Counter[tuple[str, Cursor]]] = defaultdict(Counter)
        """By place, what was delivered there, and in which generation's lane."""
        self.delivered: Counter[Cursor] = Counter()
        self.replayed: dict[int, Counter[Cursor]] = defaultdict(Counter)
        """By generation, what its replay lane delivered."""
        self.letters: dict[Cursor, str] = {}
        self.replay_letters: dict[int, dict[Cursor, str]] = defaultdict(dict)
        self.openings: dict[int, Opening] = {}
        self.answers: list[Answer] = []
        self.states: list[tuple[State, str | None]] = []
        self.windows: list[int] = []
        self.lanes: list[Lane] = []
        """Whose each of the windows was."""
        self.clock = ManualClock()
        self.receipts: list[Stretch] = []
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
            except (Unavailable, Unsure):
                continue  # as its supervisor would
            else:
                if self._done():  # somebody may want something in the very moment it stops
                    return

    async def process(self, inbox: Inbox | None = None) -> None:
        inbox = inbox or Inbox()
        clock = self.clock

        async def sleep(seconds: float) -> None:
            clock.advance(seconds)
            await asyncio.sleep(0)

        def at_end(seconds: float) -> None:
            clock.advance(seconds)
            if self._done():
                inbox.stop()

        tail = MemoryTail(self.stored, at_end)
        receipts = Receipts("sink", SimpleNamespace(write=self._keep_receipts), clock)
        self.place = next(self.moves, self.place)
        self.keeps_progress = self.place is not None
        cursors = SimpleNamespace(save=self._save, keep_with=self._keep_with)
        keeping = Keeping(cursors, "mine", self.saved, clock, receipts, self.kept_by)
        self._moved = self.kept_by not in {None, self.place}
        plan = SimpleNamespace(name="sink", definition=SinkDefinition("sink", "memory"))
        generations, requests = SimpleNamespace(open=self._opened), SimpleNamespace(answer=self._answered)
        self._rewinding = Rewinding(plan, keeping, generations, requests, MemoryJournal(self.stored))
        loop = DeliveryLoop(
            "sink",
            self,
            lambda lane: drafts_of(tail, self.limits, self.wants, lane),
            keeping,
            allowance=Allowance(self.replay_rate, clock),
            letters=SimpleNamespace(write=self._bury, beyond=self._beyond),
            desk=SimpleNamespace(
                say=self._say,
                serve=self._serve,
                disable=self._disable,
                replay_until=self._replay_until,
                letters=self._no_letters,
            ),
            inbox=inbox,
            clock=clock,
            backoff=Backoff(seed=1),
            sleep=sleep,
        )
        await loop.run()

    def _done(self) -> bool:
        return self._finished(self.saved) and (self.place is None or self._finished(self.kept_at[self.place]))

    def _finished(self, standing: Standing) -> bool:
        replay = standing.replay
        return standing.cursor == self.stored[-1].end and (replay is None or replay.done)

    # The transport.

    @property
    def keeper(self) -> str | None:
        return self.place

    async def open(self, kept: Standing) -> Standing:
        self._step({1: Disconnected("refused the connection"), 2: Killed()})
        if self.place is None:
            return kept
        # Ahead of the receiver, the database would look like a cursor that was set back: this would raise.
        found = Kept(UUID(int=0), self.kept_at[self.place], b"", 1)
        self.kept_at[self.place] = standing_from(found, kept, b"", moved=self._moved)
        return self.kept_at[self.place]

    async def deliver(self, window: Window) -> Delivery:
        await asyncio.sleep(0)
        self._moved = False
        self.windows.append(len(window.events))
        self.lanes.append(window.lane)
        delivered = self.delivered if window.lane is Lane.LIVE else self.replayed[window.upto.generation]
        assert all(out.replay is (window.lane is Lane.REPLAY) for out in window.events)
        bad = [number for number, out in enumerate(window.events) if out.event.sequence in self.poison]
        step = self._step({1: Disconnected("lost before"), 2: Deferred("busy", 3.0), 3: Killed()})
        if bad and not self.names_poison:
            raise Refused("one of these is unbearable")
        take = len(window.events)
        if step == 6 and not self.keeps_progress:
            take //= 2
        for number, out in enumerate(window.events[:take]):
            if number not in bad:
                delivered[out.place] += 1
                lane = f"{window.upto.generation}r" if window.lane is Lane.REPLAY else f"{window.upto.since}"
                self.there[self.place][lane, out.place] += 1
        if self.place is not None:
            self._check(window.upto)
            self.kept_at[self.place] = window.upto
        if step == 4:
            raise Disconnected("lost after")
        if step == 5:
            self._kill()
        refused = [Refusal(number, "unbearable") for number in bad if number < take]
        return Delivery(take, refused, Disconnected("lost on the way") if step == 6 else None)

    async def close(self) -> None: ...

    # The database.

    async def _save(self, mine: object, standing: Standing, *, within: list[Standing] | None = None) -> None:
        await asyncio.sleep(0)
        if within is not None:
            within.append(standing)
            return
        step = self._step({1: Unavailable("storage-unavailable", "away"), 2: Killed()})
        self._check(standing)
        self.saved = standing
        self._after(step)

    async def _keep_with(self, mine: object, keeper: str) -> None:
        step = self._step({1: Unavailable("storage-unavailable", "away"), 2: Killed()})
        self.kept_by = keeper
        self._after(step)

    async def _bury(self, sink: str, generation: int, letters: Sequence[Letter]) -> None:
        step = self._step({1: Unavailable("storage-unavailable", "away"), 2: Killed()})
        kept = self.replay_letters[generation] if generation else self.letters
        for letter in letters:
            kept.setdefault(letter.place, letter.reason)
        self._after(step)

    async def _beyond(self, sink: str, standing: Standing) -> dict[Lane, dict[Cursor, str]]:
        if self._dead:
            raise Killed
        found: dict[Lane, dict[Cursor, str]] = {lane: {} for lane in Lane}
        found[Lane.LIVE] = {place: why for place, why in self.letters.items() if place > standing.cursor}
        if (replay := standing.replay) is not None:
            letters = self.replay_letters[standing.generation]
            found[Lane.REPLAY] = {place: why for place, why in letters.items() if place > replay.cursor}
        return found

    async def _opened(self, sink: str, opening: Opening, leaving: Standing, enter: Enter) -> None:
        """A transaction: all of it or nothing."""
        step = self._step({1: Unavailable("storage-unavailable", "away"), 2: Killed()})
        assert leaving == self.saved, "what is left is saved before"
        entered: list[Standing] = []
        await enter(entered, opening)
        (self.saved,) = entered
        self.openings[opening.number] = opening
        self._after(step)

    async def _answered(self, request: Request, answer: Answer, *, within: object = None) -> None:
        """Nobody waits for it."""

    async def _keep_receipts(self, sink: str, stretches: Sequence[Stretch]) -> None:
        self.receipts += stretches

    async def _disable(self, inbox: Inbox, reason: str) -> None:
        inbox.rest(State.DISABLED)
        await self._say(State.DISABLED, reason)

    async def _say(self, state: State, error: str | None = None, *, pause: float | None = None) -> None:
        self.states.append((state, error))

    async def _serve(self, inbox: Inbox, connected: object, *, lost: bool = False) -> bool:
        wish = 0 if inbox.stopping else next(self.rewinds, 0)
        if wish == _MOVE:
            inbox.stop()
        if not wish or inbox.stopping:
            return False
        position = (wish - 1) % (self.stored[-1].position + 1)
        request = Request(1, "sink", Verb.REWIND, position, None, replace=wish % 2 == 0)
        self.answers.append(await self._rewinding.rewind(request, lost=lost))
        return self.answers[-1].done

    async def _replay_until(self) -> int:
        return 0

    async def _no_letters(self) -> None:
        return None

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
        """Promise 3: nothing up to a cursor that was neither delivered, filtered, expired nor dead-lettered."""
        before_all = Cursor(0, 0)
        self._check_lane(before_all, standing.cursor, standing.totals, self.delivered, self.letters)
        if (replay := standing.replay) is not None:
            number = standing.generation
            begins, letters = self.openings[number].begins, self.replay_letters[number]
            assert replay.cursor <= replay.until
            self._check_lane(begins, replay.cursor, replay.totals, self.replayed[number], letters)

    def _check_lane(
        self, begins: Cursor, cursor: Cursor, totals: Totals, delivered: Counter[Cursor], letters: dict[Cursor, str]
    ) -> None:
        passed = [(place, e) for batch in self.stored for place, e in batch.placed() if begins < place <= cursor]
        for place, each in passed:
            finished = delivered[place] or place in letters or not self.wants(each)
            assert finished, f"the cursor {cursor} passed {place} in silence"
        gone = sum(batch.expired for batch in self.stored if batch.position <= cursor.position)
        assert sum(totals) == len(passed) + gone, totals
