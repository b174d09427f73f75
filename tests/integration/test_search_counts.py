"""Counts over what a query selects, export of all of it, and the codes really seen, on a real PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable

import asyncpg
import pytest

from eventgate.alerts import counts, export
from eventgate.alerts.counts import DayCounts
from eventgate.alerts.export import Export
from eventgate.alerts.meta import AlertMeta, Meta
from eventgate.alerts.observed import observed_codes
from eventgate.alerts.search import EVERY_KIND
from eventgate.alerts.windows import Partitions
from eventgate.clock import ManualClock, SystemClock
from eventgate.query import parse_filters
from tests.integration.stored_alerts import LOBBY, OURS, THEIRS, YARD, alerts_stored, an_event, names_of, store
from tests.patience import PATIENCE

HOUR = 3_600_000


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with alerts_stored(database_url) as opened:
        yield opened


@pytest.fixture
def meta(pool: asyncpg.Pool) -> AlertMeta:
    return AlertMeta(pool, names_of, Partitions(pool, SystemClock()), SystemClock())


async def test_counts_of_everything(meta: AlertMeta) -> None:
    counted = await meta.meta(OURS, parse_filters([]))
    assert (counted.total, counted.complete, counted.counted_from) == (50, True, None)
    assert (counted.first, counted.last) == (an_event(49).timestamp, an_event(0).timestamp)
    assert counted.by_code == {"DEAUTHFLOOD": 25, "APSPOOF": 25}
    assert counted.by_category == {1: 25, 2: 25}
    assert counted.by_severity == Counter(number % 11 for number in range(50))
    assert counted.by_sensor == {YARD: 17, LOBBY: 33}
    assert counted.names[LOBBY].name == "Lobby"


async def test_the_histogram_has_buckets_that_fit_the_span(meta: AlertMeta) -> None:
    five_days = await meta.meta(OURS, parse_filters([]))
    assert five_days.bucket_ms == 3 * HOUR
    assert sum(five_days.histogram.values()) == 50
    assert all(start % five_days.bucket_ms == 0 for start in five_days.histogram)
    half_a_day = await meta.meta(OURS, parse_filters(["data.number·<·5"]))
    assert half_a_day.bucket_ms == HOUR // 4
    assert half_a_day.histogram == Counter(
        an_event(number).timestamp // (HOUR // 4) * (HOUR // 4) for number in range(5)
    )


async def test_counts_follow_the_query(meta: AlertMeta) -> None:
    counted = await meta.meta(OURS, parse_filters(['edgeName·is·"Lobby"', "severity·>·8"]))
    expected = [number for number in range(50) if number % 3 and number % 11 > 8]
    assert counted.total == len(expected)
    assert counted.by_sensor == {LOBBY: len(expected)}
    assert set(counted.by_severity) == {9, 10}


async def test_nothing_selected_counts_nothing(meta: AlertMeta) -> None:
    for nothing in (["data.number·is·-1"], ['edgeName·is·"nowhere"']):
        counted = await meta.meta(OURS, parse_filters(nothing))
        assert (counted.total, counted.complete, counted.first, counted.histogram) == (0, True, None, {})


async def test_events_without_a_code_are_counted_too(meta: AlertMeta) -> None:
    counted = await meta.meta(OURS, parse_filters([]), EVERY_KIND)
    assert (counted.total, sum(counted.by_code.values())) == (51, 50)


async def test_counting_stops_at_the_deadline_and_says_how_far_it_came(pool: asyncpg.Pool) -> None:
    class ImpatientClock(ManualClock):
        def monotonic(self) -> float:
            self.advance(0.02)
            return super().monotonic()

    meta = AlertMeta(pool, names_of, Partitions(pool, SystemClock()), ImpatientClock(), deadline_seconds=0.25)
    counted = await meta.meta(OURS, parse_filters(["timestamp·isBefore·2025-11-22 00:00"]))
    assert not counted.complete
    assert counted.first is None
    assert counted.counted_from is not None
    newer = [number for number in range(50) if an_event(number).timestamp >= counted.counted_from]
    assert counted.total == len(newer) < 50


async def test_export_reads_everything_in_short_pages(pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE", 7)
    reader = Export(pool, names_of, Partitions(pool, SystemClock()), SystemClock())
    pages = [page async for page in reader.pages(OURS, parse_filters([]))]
    assert [event.sequence for page in pages for event in page] == list(range(50))
    assert max(map(len, pages)) == 7
    odd = [event.sequence async for page in reader.pages(OURS, parse_filters(["categoryId·is·1"])) for event in page]
    assert odd == list(range(1, 50, 2))
    assert [page async for page in reader.pages(OURS, parse_filters(['serial·is·"none"']))] == []


async def test_observed_codes_are_the_companys_own(pool: asyncpg.Pool) -> None:
    await store(pool, [an_event(8, THEIRS, code="OUR-OWN", category=6, severity=3)])
    assert [(o.code, o.category) for o in await observed_codes(pool, OURS)] == [("APSPOOF", 2), ("DEAUTHFLOOD", 1)]
    theirs = {o.code: o for o in await observed_codes(pool, THEIRS)}
    assert set(theirs) == {"APSPOOF", "DEAUTHFLOOD", "OUR-OWN"}
    assert (theirs["OUR-OWN"].severity, theirs["OUR-OWN"].last_seen) == (3, an_event(8).timestamp)


class TestCountsOfPastDays:
    """The same answers with and without the days being counted, late events and forgotten days included."""

    @pytest.fixture
    async def spread(self, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch) -> asyncpg.Pool:
        """Alerts over five weeks, so that a bucket is a day."""
        monkeypatch.setattr(counts, "DAYS_AT_ONCE", 50)
        await pool.execute("SELECT ensure_event_days('2025-10-10', '2025-11-21')")
        await self.append(pool, 1, range(60, 360, 3))
        return pool

    async def append(self, pool: asyncpg.Pool, batch: int, numbers: Iterable[int]) -> None:
        events = [an_event(number) for number in numbers]
        await store(pool, events, batch)
        await pool.execute(
            """INSERT INTO journal (position, batch, committed, events, total, bytes, first_id, last_id, digest)
               VALUES ($1, $2, now(), $3::integer, $3::integer, 0, $4, $5, '')""",
            await pool.fetchval("SELECT count(*) + 1 FROM journal"), batch, len(events),
            min(e.id for e in events), max(e.id for e in events),
        )  # fmt: skip

    async def refresh(self, pool: asyncpg.Pool) -> int:
        """Count until there is nothing left to count; how many days that were."""
        days = DayCounts(pool, Partitions(pool, SystemClock()), SystemClock())
        return sum([counted async for counted in self.rounds(days)])

    async def rounds(self, days: DayCounts) -> AsyncIterator[int]:
        while counted := await days.refresh():
            yield counted

    async def asked(self, pool: asyncpg.Pool) -> list[Meta]:
        meta = AlertMeta(pool, names_of, Partitions(pool, SystemClock()), SystemClock())
        return [
            await meta.meta(OURS, parse_filters(filters))
            for filters in (
                [],
                ["severity·>·4"],
                ['alertCode·is·"APSPOOF"', 'serial·is·"EG-0002"'],
                ["timestamp·isAfter·2025-10-14 11:11", "timestamp·isBefore·2025-11-18 03:00"],
                ["timestamp·not·2025-11-20 00:48"],
                ["data.number·<·300"],
            )
        ]

    async def test_counted_days_give_the_same_answers(self, spread: asyncpg.Pool) -> None:
        plain = await self.asked(spread)
        assert plain[0].total == 50 + 100
        assert await self.refresh(spread) > 50
        assert await self.refresh(spread) == 0
        assert await self.asked(spread) == plain

    async def test_counted_days_are_what_is_read(self, spread: asyncpg.Pool) -> None:
        """Otherwise the test above would show nothing."""
        await self.refresh(spread)
        before = await self.asked(spread)
        await spread.execute("UPDATE event_counts SET events = events * 1000")
        after = await self.asked(spread)
        assert [meta.total > 100 * then.total for meta, then in zip(after, before, strict=True)] == [
            True, True, True, True, False, False,
        ]  # fmt: skip

    async def test_what_came_late_counts_at_once_and_is_added_later(self, spread: asyncpg.Pool) -> None:
        await self.refresh(spread)
        await self.append(spread, 33, range(61, 210, 3))
        await self.append(spread, 2, range(211, 360, 3))  # numbers of batches do not come in order
        late = await self.asked(spread)
        assert late[0].total == 50 + 100 + 50 + 50
        assert await self.refresh(spread) == 0
        assert await self.asked(spread) == late
        await spread.execute("DELETE FROM events WHERE batch IN (2, 33)")
        assert (await self.asked(spread))[0].total == late[0].total, "the late ones were not added to the counts"

    async def test_counts_far_behind_the_journal_are_left_alone(
        self, spread: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await self.refresh(spread)
        await spread.execute("UPDATE event_counts SET events = events * 1000")
        await self.append(spread, 2, [61])
        monkeypatch.setattr(counts, "_TOO_MANY_BATCHES", 1)
        assert (await self.asked(spread))[0].total == 50 + 100 + 1

    async def test_days_that_are_gone_are_forgotten(self, spread: asyncpg.Pool) -> None:
        await self.refresh(spread)
        before = await spread.fetchval("SELECT count(*) FROM counted_days")
        await spread.execute("ALTER TABLE events DETACH PARTITION events_20251020")
        await self.refresh(spread)
        assert await spread.fetchval("SELECT count(*) FROM counted_days") == before - 1
        orphans = "SELECT count(*) FROM event_counts WHERE id NOT IN (SELECT low FROM counted_days)"
        assert await spread.fetchval(orphans) == 0

    async def test_days_are_counted_by_themselves(self, spread: asyncpg.Pool) -> None:
        async with DayCounts(spread, Partitions(spread, SystemClock()), SystemClock()), asyncio.timeout(PATIENCE):
            while await spread.fetchval("SELECT count(*) FROM counted_days") < 50:
                await asyncio.sleep(0.05)
