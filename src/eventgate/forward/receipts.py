"""What one sink finished and has not written down yet: gathered while windows go out, written beside its cursor.

Touches the deliveries it is handed. Neighbouring windows become one row, and rows are written a few times a second at
most, so that writing them costs the same however small the windows are. What is gathered when the process is killed is
lost: the event was delivered all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from eventgate.clock import Clock
from eventgate.forward.transports import Delivery, Outgoing
from eventgate.journal.cursors import Cursor, Lane, Standing
from eventgate.sinks.deliveries import Deliveries, Handed, Stretch
from eventgate.sinks.places import NO_SLOT, encode

_WRITE_SECONDS = 0.2
_MOST_EVENTS = 5_000
"""Of one row: beyond that it takes no further window."""
_QUIET_SECONDS = 60.0
"""How often a lane that only leaves out is written down."""


@dataclass(slots=True)
class _Growing:
    """A stretch that still grows. ``slots`` are there for every event as soon as they are for one."""

    generation: int
    lane: str
    after: Cursor
    until: Cursor
    windows: list[Handed] = field(default_factory=list)
    places: list[Cursor] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)

    def add(self, handed: Handed, events: Sequence[Outgoing], slots: Sequence[int]) -> None:
        if slots and not self.slots:
            self.slots = [NO_SLOT] * len(self.places)
        if slots or self.slots:
            self.slots += slots or [NO_SLOT] * handed.events
        self.windows.append(handed)
        self.places += [outgoing.place for outgoing in events[: handed.events]]


class Receipts:
    """One for each loop. ``write`` may raise Unavailable; what is gathered then stays for the next time."""

    def __init__(self, sink: str, deliveries: Deliveries, clock: Clock) -> None:
        self._sink = sink
        self._deliveries = deliveries
        self._clock = clock
        self._growing: list[_Growing] = []
        self._written_at = clock.monotonic()

    def note(
        self,
        lane: Lane,
        before: Standing,
        after: Standing,
        events: Sequence[Outgoing] = (),
        delivery: Delivery | None = None,
    ) -> None:
        """A lane went from ``before`` to ``after``; on the way ``events`` were handed over, with this outcome."""
        generation = after.since if lane is Lane.LIVE else after.generation
        here, there = before.progress(lane)[0], after.progress(lane)[0]
        if here == there:
            return
        stretch = self._stretch(lane, generation, here)
        stretch.until = there
        if delivery is not None and delivery.finished:
            told, slots = delivery.receipt or ({}, ())
            refused = [refusal.number for refusal in delivery.refused]
            stretch.add(Handed(self._clock.now_ms(), delivery.finished, refused, told), events, slots)

    async def write(self, *, whole: bool = False) -> None:
        """Write down what is gathered, if it is time, or ``whole``, whatever the time."""
        waited = self._clock.monotonic() - self._written_at
        enough = _WRITE_SECONDS if any(stretch.windows for stretch in self._growing) else _QUIET_SECONDS
        if not self._growing or not (whole or waited >= enough):
            return
        gathered, self._growing = self._growing, []
        try:
            await self._deliveries.write(self._sink, [self._finished(stretch) for stretch in gathered])
        except BaseException:
            self._growing = gathered + self._growing
            raise
        self._written_at = self._clock.monotonic()

    def _stretch(self, lane: Lane, generation: int, after: Cursor) -> _Growing:
        """The stretch that goes on at ``after``, or a new one that begins there."""
        for stretch in reversed(self._growing):
            if (stretch.lane, stretch.generation) == (lane, generation):
                if stretch.until == after and len(stretch.places) < _MOST_EVENTS:
                    return stretch
                break
        stretch = _Growing(generation, lane.value, after, after)
        self._growing.append(stretch)
        return stretch

    def _finished(self, growing: _Growing) -> Stretch:
        return Stretch(
            growing.generation, growing.lane, growing.after, growing.until, self._clock.now_ms(),
            encode(growing.places, growing.slots), growing.windows,
        )  # fmt: skip
