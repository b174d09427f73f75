"""A journal made up for a test: the same events, places and digests whenever and wherever it is told again.

Pure. For tests of transports in processes that die; the real journal has tests of its own.
"""

import hashlib
from collections.abc import Iterator
from uuid import UUID

from eventgate.event import Event, Kind, Origin, SensorNames
from eventgate.forward.transports import Outgoing, Window
from eventgate.ids import uuid7
from eventgate.journal.cursors import START, Cursor, Lane, Standing, Totals

_BEGINNING_MS = 1_763_726_400_000


class Story:
    """So many batches of so many events each, from a few sensors in turn; ``history`` makes its digests differ."""

    def __init__(self, journal: UUID, batches: int, events_in_batch: int, sensors: int = 7, history: str = "") -> None:
        self.id = journal
        self._digests = [bytes(32)]
        self.events: list[Outgoing] = []
        for position in range(1, batches + 1):
            self._digests.append(hashlib.sha256(self._digests[-1] + f"{position}{history}".encode()).digest())
            for index in range(events_in_batch):
                self.events.append(self._event(Cursor(position, index), len(self.events), sensors))

    def _event(self, place: Cursor, number: int, sensors: int) -> Outgoing:
        timestamp = _BEGINNING_MS + number
        entropy = hashlib.sha256(self.id.bytes + number.to_bytes(8, "big")).digest()
        event = Event(
            company=UUID(int=1),
            id=uuid7(timestamp, entropy),
            kind=Kind.ALERT,
            sensor=UUID(int=number % sensors),
            timestamp=timestamp,
            received=timestamp,
            code="DEAUTHFLOOD",
            category=2,
            severity=7,
            message=f"event {number}",
            data=b"{}",
            event_id=str(number),
            sequence=number,
            key=None,
            verify_key=None,
            content_digest=entropy,
            origin=Origin.SENSOR,
            raw=b"{}",
        )
        body = b'{"number":%d,"filling":"%s"}' % (number, entropy.hex().encode() * 4)
        return Outgoing(event, SensorNames("EG-1", None), place, body)

    async def digest_at(self, position: int) -> bytes | None:
        return self._digests[position] if position < len(self._digests) else None

    @property
    def ids(self) -> list[str]:
        return [str(outgoing.event.id) for outgoing in self.events]

    def after(self, count: int, generation: int = 0) -> Standing:
        """Where a sink stands that has delivered the first ``count`` events, its cursor set in ``generation``."""
        if count == 0:
            return START._replace(generation=generation, since=generation)
        return Standing(self.events[count - 1].place, Totals(delivered=count), generation, generation)

    def windows(self, standing: Standing, size: int) -> Iterator[Window]:
        """What is still to be delivered from there, in windows of ``size`` events."""
        left = [outgoing for outgoing in self.events if outgoing.place > standing.cursor]
        for start in range(0, len(left), size):
            part = left[start : start + size]
            totals = standing.totals._replace(delivered=standing.totals.delivered + len(part))
            standing = standing._replace(cursor=part[-1].place, totals=totals)
            yield Window(part, standing)

    def lanes(self, standing: Standing, size: int) -> Iterator[Window]:
        """As ``windows``, those of a replay that is not done between them."""
        live = self.windows(standing, size)
        while True:
            replay, window = standing.replay, next(live, None)
            if window is not None:
                standing = standing.moved(Lane.LIVE, window.upto.cursor, window.upto.totals)
                yield window._replace(upto=standing)
            if replay is not None and not replay.done:
                part = [each for each in self.events if replay.cursor < each.place <= replay.until][:size]
                totals = replay.totals._replace(delivered=replay.totals.delivered + len(part))
                standing = standing.moved(Lane.REPLAY, part[-1].place, totals)
                yield Window([each._replace(replay=True) for each in part], standing, Lane.REPLAY)
            elif window is None:
                return
