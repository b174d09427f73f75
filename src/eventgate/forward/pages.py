"""Chunks of the journal as sinks send them: filtered, with their sensors' names, formatted, each written once.

Touches the registry of sensors, reading only. Sinks of one kind (the same company, filter and format) share pages while
they read near each other; a bounded number of events is kept for that, and of octets.
"""

from bisect import bisect_left
from collections import OrderedDict, deque
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from itertools import compress, repeat
from operator import itemgetter
from typing import NamedTuple

from eventgate.event import Event, Origin, SensorNames
from eventgate.forward.chunks import Chunk
from eventgate.forward.plan import Plan
from eventgate.forward.transports import Outgoing
from eventgate.journal.cursors import Cursor
from eventgate.sensors.directory import Directory
from eventgate.sinks.dead_letters import Letter

_KEPT_EVENTS, _KEPT_OCTETS = 10_000, 24 << 20
_NEIGHBOURS = 2
"""Sinks of a kind from which on pages are kept."""

_SYSTEM = Origin.SYSTEM  # an attribute of an enumeration costs a quarter of a microsecond
_outgoing = partial(tuple.__new__, Outgoing)  # its own constructor is a function of Python, three times as slow


class Skipped(NamedTuple):
    """How many events were passed over, by reason."""

    filtered: int = 0
    expired: int = 0
    unfit: int = 0
    foreign: int = 0

    def plus(self, other: "Skipped") -> "Skipped":
        return Skipped(*map(sum, zip(self, other, strict=True)))


class Skip(NamedTuple):
    """Behind the first ``number`` events of a page, up to a place, some are not sent: or it is one dead letter."""

    number: int
    upto: Cursor
    skipped: Skipped
    letter: Letter | None = None


class Page(NamedTuple):
    """What one chunk comes to. Who has finished it stands at ``end``.

    ``scanned`` events were looked at for it; ``size`` is that of all bodies in octets, ``longest`` that of one.
    """

    events: Sequence[Outgoing]
    skips: Sequence[Skip]
    end: Cursor
    scanned: int
    size: int
    longest: int

    @property
    def held(self) -> int:
        """Octets in memory as long as it is: those of the bodies, and of the events that they are made of."""
        return self.size + sum([len(each.event.raw) + len(each.event.data) for each in self.events])

    def cut(self, number: int) -> tuple["Page", "Page"]:
        """Its first ``number`` events, one at least, and the rest; what is skipped between goes with the rest."""
        head, rest = self.events[:number], self.events[number:]
        size = sum([len(outgoing.body) for outgoing in head])
        skipped = [skip for skip in self.skips if skip.number < number]
        left = [skip._replace(number=skip.number - number) for skip in self.skips[len(skipped) :]]
        return (
            self._replace(events=head, skips=skipped, end=head[-1].place, size=size),
            self._replace(events=rest, skips=left, scanned=0, size=self.size - size),
        )

    def without(self, unfit: Mapping[int, str]) -> "Page":
        """The same but for some events, by their number, which become dead letters with these reasons."""
        events = [outgoing for number, outgoing in enumerate(self.events) if number not in unfit]
        numbers = sorted(unfit)
        due = [
            (skip.number, skip._replace(number=skip.number - bisect_left(numbers, skip.number))) for skip in self.skips
        ]
        for before, number in enumerate(numbers):
            place, event = self.events[number].place, self.events[number].event
            letter = Letter(place, event.company, event.id, unfit[number])
            due.append((number, Skip(number - before, place, Skipped(unfit=1), letter)))
        # What is skipped behind as many events stands before the letter, as it does in the journal.
        skips = [skip for _, skip in sorted(due, key=itemgetter(0))]
        return self._replace(events=events, skips=skips, size=sum([len(outgoing.body) for outgoing in events]))


class Pages:
    """One for all sinks of a process."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._names: dict[tuple[int, int], SensorNames] = {}
        self._edition = -1
        self._readers: dict[Hashable, set[str]] = {}
        self._kept: OrderedDict[Hashable, Page] = OrderedDict()
        self._scanned = self._octets = 0

    def join(self, plan: Plan) -> None:
        """From now on this sink is a neighbour to others of its kind."""
        self._readers.setdefault(plan.kind, set()).add(plan.name)

    def leave(self, plan: Plan) -> None:
        """It is none any more."""
        readers = self._readers[plan.kind]
        readers.discard(plan.name)
        if not readers:
            del self._readers[plan.kind]
        if len(readers) < _NEIGHBOURS:
            self._kept.clear()
            self._scanned = self._octets = 0

    def kept(self, plan: Plan, chunk: Chunk, *, replay: bool) -> Page | None:
        """What a neighbour has made of the same, None where it must be made."""
        if not self._has_neighbours(plan) or not chunk.events:
            return None
        return self._kept.get(self._key(plan, chunk, replay))

    async def make(self, plan: Plan, chunk: Chunk, *, replay: bool, share: bool = True) -> Page:
        """Make a page, ``replay``: of events that go once more; and ``share`` it with neighbours, if there are any.

        Raises Unavailable.
        """
        # By number: a UUID hashes and compares in Python, slowly.
        for company in {event.company.int: event.company for event in chunk.events}.values():
            await self._directory.warm(company)
        page = self._written(plan, chunk, replay)
        # A sink does not hear of its own failing, so what EventGate says of sinks is not the same to any two.
        if (
            share
            and chunk.events
            and self._has_neighbours(plan)
            and not any(event.origin is _SYSTEM for event in chunk.events)
        ):
            self._keep(self._key(plan, chunk, replay), page)
        return page

    def _has_neighbours(self, plan: Plan) -> bool:
        return len(self._readers.get(plan.kind, ())) >= _NEIGHBOURS

    def _keep(self, key: Hashable, page: Page) -> None:
        if key in self._kept:
            return  # two made it at the same time
        self._kept[key] = page
        self._scanned += page.scanned
        self._octets += page.held
        while (self._scanned > _KEPT_EVENTS or self._octets > _KEPT_OCTETS) and len(self._kept) > 1:
            _, eldest = self._kept.popitem(last=False)
            self._scanned -= eldest.scanned
            self._octets -= eldest.held

    def _key(self, plan: Plan, chunk: Chunk, replay: bool) -> Hashable:
        first, gaps = chunk.indexes[0], tuple(chunk.gaps)
        return plan.kind, replay, self._directory.edition, chunk.position, first, chunk.end, gaps

    def _written(self, plan: Plan, chunk: Chunk, replay: bool) -> Page:
        places, events, company = chunk.places(), chunk.events, plan.company
        names = self._called(events)
        wanted = list(map(plan.wants, events, names))
        skips = [Skip(gap.number, gap.upto, Skipped(expired=gap.gone)) for gap in chunk.gaps]
        if not all(wanted):
            foreign = [company is not None and event.company.int != company.int for event in events]
            skips = _left_out(chunk, places, wanted, foreign)
            places, events = list(compress(places, wanted)), list(compress(events, wanted))
            names = list(compress(names, wanted))
        bodies = list(map(plan.encode_again if replay else plan.encode, events, names))
        sizes = list(map(len, bodies))
        outgoing = list(map(_outgoing, zip(events, names, places, bodies, repeat(replay))))
        return Page(outgoing, skips, chunk.end, len(chunk.events), sum(sizes), max(sizes, default=0))

    def _called(self, events: Sequence[Event]) -> list[SensorNames]:
        """What each event's sensor is called, looked up once for as long as the registry stays as it is."""
        if self._edition != self._directory.edition or len(self._names) > _KEPT_EVENTS:
            self._names, self._edition = {}, self._directory.edition
        known = self._names
        return [known.get((event.company.int, event.sensor.int)) or self._look_up(event) for event in events]

    def _look_up(self, event: Event) -> SensorNames:
        names = self._names[event.company.int, event.sensor.int] = self._directory.names(event.company, event.sensor)
        return names


def _left_out(chunk: Chunk, places: Sequence[Cursor], wanted: Sequence[bool], foreign: Sequence[bool]) -> list[Skip]:
    """The gaps, and what nobody wants, in order; neighbours as one."""
    skips: list[Skip] = []
    sent = 0

    def skip(upto: Cursor, **reason: int) -> None:
        skipped = Skipped(**reason)
        if skips and skips[-1].number == sent:
            skipped = skips.pop().skipped.plus(skipped)
        skips.append(Skip(sent, upto, skipped))

    due = deque(chunk.gaps)

    def skip_gaps(number: int) -> None:
        while due and due[0].number == number:  # two where batches are gone, and the next one's first events
            gap = due.popleft()
            skip(gap.upto, expired=gap.gone)

    for number, place in enumerate(places):
        skip_gaps(number)
        if wanted[number]:
            sent += 1
        elif foreign[number]:
            skip(place, foreign=1)
        else:
            skip(place, filtered=1)
    skip_gaps(len(places))
    return skips
