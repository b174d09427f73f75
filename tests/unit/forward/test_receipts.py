"""Receipts: windows grow together into stretches, are written now and then, and stay where the database is away."""

from collections.abc import Sequence

import pytest

from eventgate.clock import ManualClock
from eventgate.errors import Disconnected, Unavailable
from eventgate.forward.receipts import Receipts
from eventgate.forward.transports import Delivery, Outgoing, Receipt, Refusal
from eventgate.journal.cursors import Cursor, Lane, Replay, Standing, Totals
from eventgate.sinks.deliveries import Stretch, receipt_of
from eventgate.sinks.places import Places
from tests.unit.formats.samples import NAMES
from tests.unit.forward.world import event


class Written:
    """A table in memory; ``away`` says that the database is."""

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []
        self.writes = 0
        self.away = False

    async def write(self, sink: str, stretches: Sequence[Stretch]) -> None:
        if self.away:
            raise Unavailable("storage-unavailable", "away")
        self.writes += 1
        self.stretches += stretches


class Gathered:
    def __init__(self) -> None:
        self.written, self.clock = Written(), ManualClock()
        self.receipts = Receipts("sink", self.written, self.clock)
        self.at = 0

    def window(self, events: int, receipt: Receipt | None = None, lane: Lane = Lane.LIVE, **fate: object) -> None:
        """A window of the next events of the batch at position 1."""
        places = [Cursor(1, index) for index in range(self.at, self.at + events)]
        window = [Outgoing(event(n), NAMES, place, b"") for n, place in enumerate(places)]
        delivery = Delivery(**{"finished": events, "receipt": receipt} | fate)
        self.receipts.note(lane, self.standing(), self.standing(delivery.finished), window, delivery)
        self.at += delivery.finished

    def standing(self, further: int = 0) -> Standing:
        """Both lanes so many events further than they are."""
        here = Cursor(1, self.at + further - 1)
        return Standing(here, Totals(), 0, replay=Replay(here, here))

    def pass_over(self, events: int) -> None:
        self.receipts.note(Lane.LIVE, self.standing(), self.standing(events))
        self.at += events


async def test_neighbours_become_one_row_that_says_what_was_left_out() -> None:
    gathered = Gathered()
    gathered.window(3, Receipt({"transaction": 2}))
    gathered.pass_over(4)
    gathered.window(2, Receipt({"transaction": 5}), refused=[Refusal(1, "no")])
    await gathered.receipts.write(whole=True)
    (stretch,) = gathered.written.stretches
    assert (stretch.after, stretch.until) == (Cursor(1, -1), Cursor(1, 8))
    assert [(window.events, window.refused) for window in stretch.windows] == [(3, []), (2, [1])]
    numbers = [Places(stretch.places).number(Cursor(1, index)) for index in range(10)]
    assert numbers == [0, 1, 2, None, None, None, None, 3, 4, None]


async def test_what_is_not_finished_is_not_in_it() -> None:
    gathered = Gathered()
    gathered.window(4, finished=1, failure=Disconnected("lost"))
    await gathered.receipts.write(whole=True)
    (stretch,) = gathered.written.stretches
    assert [Places(stretch.places).number(Cursor(1, index)) for index in range(3)] == [0, None, None]


async def test_lanes_and_gaps_stay_apart() -> None:
    gathered = Gathered()
    gathered.window(1)
    gathered.window(1, lane=Lane.REPLAY)
    gathered.at += 5
    gathered.window(1)
    await gathered.receipts.write(whole=True)
    assert [(stretch.lane, stretch.until.index) for stretch in gathered.written.stretches] == [
        ("live", 0), ("replay", 1), ("live", 7),
    ]  # fmt: skip


async def test_rows_are_written_now_and_then_however_small_the_windows() -> None:
    gathered = Gathered()
    for _ in range(100):
        gathered.window(1)
        gathered.clock.advance(0.01)
        await gathered.receipts.write()
    assert 1 <= gathered.written.writes <= 6
    writes = gathered.written.writes
    await gathered.receipts.write(whole=True)
    gathered.pass_over(1)
    gathered.clock.advance(1.0)
    await gathered.receipts.write()
    assert gathered.written.writes <= writes + 1
    gathered.clock.advance(60.0)
    await gathered.receipts.write()
    assert gathered.written.stretches[-1].windows == []


async def test_where_the_database_is_away_they_wait() -> None:
    gathered = Gathered()
    gathered.window(2)
    gathered.written.away = True
    with pytest.raises(Unavailable):
        await gathered.receipts.write(whole=True)
    gathered.written.away = False
    await gathered.receipts.write(whole=True)
    await gathered.receipts.write(whole=True)
    assert len(gathered.written.stretches) == 1


async def test_slots_of_some_windows_leave_the_others_without() -> None:
    gathered = Gathered()
    gathered.window(2)
    gathered.window(2, Receipt({"offsets": {"3": [[0, 70]]}}, [3, 3]))
    gathered.window(1)
    await gathered.receipts.write(whole=True)
    read = Places(gathered.written.stretches[0].places)
    assert [read.slot(number, 2 if number > 1 else 0) for number in range(5)] == [None, None, (3, 0), (3, 1), None]


def test_the_receipt_of_one_event_of_a_window() -> None:
    assert receipt_of({"transaction": 999_999_998}, 3, None) == {"transaction": 2}
    assert receipt_of({"status": 200, "ackId": 4}, 3, None) == {"status": 200, "ackId": 4}
    told = {"topic": "t", "offsets": {"1": [[0, 100], [2, 250]]}}
    offsets = [receipt_of(told, 9, (1, before))["offset"] for before in range(4)]
    assert offsets == [100, 101, 250, 251]
