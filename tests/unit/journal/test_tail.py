"""The tail: each reader sees the whole journal, which is read once for all of them, in large parts, ahead."""

import asyncio

import pytest

from eventgate.journal.batch import Batch
from eventgate.journal.cursors import START, Cursor
from eventgate.journal.tail import Tail
from tests.unit.forward.world import MemoryTail, batches

TWELVE_THOUSAND = batches(*[500] * 24)


class Counting(MemoryTail):
    """A journal in memory that counts how often it is read, and may be slow."""

    def __init__(self, stored: list[Batch]) -> None:
        super().__init__(stored)
        self.readings: list[Cursor] = []

    async def read(self, after: Cursor, *, max_events: int = 5_000, max_bytes: int = 8 << 20) -> list[Batch]:
        self.readings.append(after)
        return await super().read(after, max_events=max_events, max_bytes=max_bytes)


async def walk(tail: Tail, max_events: int) -> list[Cursor]:
    cursor, places = START.cursor, []
    while found := await tail.read(cursor, max_events=max_events):
        places += [place for batch in found for place, _ in batch.placed()]
        cursor = found[-1].end
    return places


@pytest.mark.parametrize("max_events", [1, 500, 1_700, 20_000])
async def test_any_reader_sees_everything_once(max_events: int) -> None:
    places = await walk(Tail(Counting(TWELVE_THOUSAND)), max_events)
    assert places == [place for batch in TWELVE_THOUSAND for place, _ in batch.placed()]


async def test_small_appetites_are_served_from_large_readings() -> None:
    journal = Counting(TWELVE_THOUSAND)
    tail = Tail(journal)
    await asyncio.gather(*(walk(tail, most) for most in (500, 700, 1_000)))
    assert len(journal.readings) <= 6  # of 5,000 events each, and at the head once for each reader


async def test_who_catches_up_finds_the_next_part_in_memory() -> None:
    journal = Counting(TWELVE_THOUSAND)
    tail = Tail(journal)
    found = await tail.read(START.cursor, max_events=2_500)
    assert journal.readings == [START.cursor]
    found = await tail.read(found[-1].end, max_events=1_000)
    for _ in range(5):
        await asyncio.sleep(0)
    assert journal.readings == [START.cursor, Cursor(10, 499)]
    while found[-1].position < 20:
        found = await tail.read(found[-1].end, max_events=1_000)
    assert len(journal.readings) <= 3


async def test_who_stands_at_the_head_has_nothing_read_ahead() -> None:
    journal = Counting(batches(3, 2))
    tail = Tail(journal)
    await tail.read(START.cursor)
    await asyncio.sleep(0)
    assert journal.readings == [START.cursor]
