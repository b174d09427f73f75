"""Searching stored events on a real PostgreSQL: pages, cursors, totals, deadlines, and whose events they are."""

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

import asyncpg
import pytest

from eventgate.alerts.search import ALERTS, EVERY_KIND, AlertSearch
from eventgate.alerts.stored import StoredEvent
from eventgate.alerts.windows import Partitions
from eventgate.clock import ManualClock, SystemClock
from eventgate.errors import CallerError, Unavailable
from eventgate.event import Kind, SensorNames
from eventgate.query import Where, parse_filters
from eventgate.query.fieldtypes import EVERY_ID
from eventgate.query.paging import Neighbour, Page, PageRequest
from tests.integration.stored_alerts import OURS, THEIRS, alerts_stored, an_event, names_of

EVERYTHING = parse_filters([])


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with alerts_stored(database_url) as opened:
        yield opened


@pytest.fixture
def search(pool: asyncpg.Pool) -> AlertSearch:
    return AlertSearch(pool, names_of, Partitions(pool, SystemClock()), SystemClock())


def numbers(page: Page[StoredEvent]) -> list[int]:
    return [event.sequence for event in page.items if event.sequence is not None]


def request_for(neighbour: Neighbour | None, limit: int) -> PageRequest:
    assert neighbour is not None
    return PageRequest(limit=limit, after=neighbour.after, before=neighbour.before, offset=neighbour.offset or 0)


async def test_a_stored_event_is_read_back_whole(search: AlertSearch) -> None:
    expected = an_event(3)
    found = await search.get(OURS, expected.id)
    assert found is not None
    assert (found.serial, found.edge_name) == ("EG-0002", None)
    for name in ("company", "id", "kind", "sensor", "timestamp", "received", "code", "category", "severity", "message",
                 "event_id", "sequence", "key", "verify_key", "content_digest", "origin"):  # fmt: skip
        assert getattr(found, name) == getattr(expected, name), name
    assert found.data == '{"number": 3}'


async def test_another_company_has_its_own_events_alone(search: AlertSearch) -> None:
    assert await search.get(THEIRS, an_event(3).id) is None
    page = await search.page(THEIRS, EVERYTHING, PageRequest())
    assert {event.company for event in page.items} == {THEIRS}
    assert (page.total, page.total_is_exact) == (7, True)


async def test_alerts_are_one_kind_of_event(search: AlertSearch) -> None:
    alerts = await search.page(OURS, EVERYTHING, PageRequest(limit=100), ALERTS)
    events = await search.page(OURS, EVERYTHING, PageRequest(limit=100), EVERY_KIND)
    heartbeats = await search.page(OURS, EVERYTHING, PageRequest(limit=100), (Kind.HEARTBEAT,))
    assert (alerts.total, events.total, heartbeats.total) == (50, 51, 1)


async def test_pages_go_forth_and_back_and_end(search: AlertSearch) -> None:
    seen: list[int] = []
    page = await search.page(OURS, EVERYTHING, PageRequest(limit=8))
    assert page.previous is None
    first = numbers(page)
    while True:
        seen += numbers(page)
        assert (page.total, page.total_is_exact, page.complete) == (50, True, True)
        if page.next is None:
            break
        page = await search.page(OURS, EVERYTHING, request_for(page.next, 8))
    assert seen == list(range(50))
    while page.previous is not None:
        page = await search.page(OURS, EVERYTHING, request_for(page.previous, 8))
        assert numbers(page) == sorted(numbers(page))
    assert numbers(page) == first


async def test_offsets_pass_over_matches(search: AlertSearch) -> None:
    odd = parse_filters(['alertCode·is·"DEAUTHFLOOD"'])
    page = await search.page(OURS, odd, PageRequest(limit=4, offset=10))
    assert numbers(page) == [21, 23, 25, 27]
    assert (page.next, page.previous) == (Neighbour(offset=14), Neighbour(offset=6))
    last = await search.page(OURS, odd, PageRequest(limit=10, offset=20))
    assert (numbers(last), last.next) == ([41, 43, 45, 47, 49], None)
    assert numbers(await search.page(OURS, odd, PageRequest(offset=1000))) == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([f'id·is·"{an_event(17).id}"'], [17]),
        (["data.number·is·33"], [33]),
        (['message·contains·"NUMBER 4"', "severity·>·8"], [42, 43]),
        (['edgeName·is·"Lobby"', "data.number·<·6"], [1, 2, 4, 5]),
        (['serial·isAnyOf·["EG-0001","EG-0002"]', "data.number·<·3"], [0, 1, 2]),
        (['alertCode·isAnyOf·["APSPOOF","DEAUTHFLOOD"]', "data.number·<·3"], [0, 1, 2]),
        (["timestamp·isBefore·2025-11-17 04:00"], [47, 48, 49]),
        (["timestamp·isAfter·2025-11-21 17:36"], [0]),
        (["timestamp·isOnOrAfter·2025-11-21 17:36"], [0, 1]),
        (["timestamp·isBefore·2025-05-13 16:11"], []),
        (['edgeName·is·"nowhere"'], []),
    ],
)
async def test_filters_select(search: AlertSearch, filters: list[str], expected: list[int]) -> None:
    page = await search.page(OURS, parse_filters(filters), PageRequest())
    assert numbers(page) == expected
    assert (page.total, page.total_is_exact, page.complete) == (len(expected), True, True)


@pytest.mark.parametrize(
    "impossible",
    [
        {"limit": 0}, {"limit": 101}, {"offset": 10_001}, {"offset": -1},
        {"after": OURS, "before": THEIRS}, {"after": OURS, "offset": 1},
    ],
)  # fmt: skip
def test_contradicting_list_parameters_are_refused(impossible: dict[str, object]) -> None:
    with pytest.raises(CallerError) as caught:
        PageRequest(**impossible)
    assert caught.value.status == 400


class TestAtTheDeadline:
    """A clock that every look moves on by a tenth of a second: a search gets through a few windows only."""

    class ImpatientClock(ManualClock):
        def monotonic(self) -> float:
            self.advance(0.1)
            return super().monotonic()

    @pytest.fixture
    def hasty(self, pool: asyncpg.Pool) -> AlertSearch:
        partitions = Partitions(pool, SystemClock())
        return AlertSearch(pool, names_of, partitions, self.ImpatientClock(), deadline_seconds=0.25)

    @pytest.mark.parametrize("forth", [True, False])
    async def test_a_page_is_partial_and_says_where_to_go_on(self, hasty: AlertSearch, forth: bool) -> None:
        rare = parse_filters(["data.number·isAnyOf·[1,24,48]"])
        found: list[int] = []
        incomplete = 0
        request = PageRequest() if forth else PageRequest(before=UUID(int=0))
        for _ in range(100):
            page = await hasty.page(OURS, rare, request)
            found += numbers(page) if forth else numbers(page)[::-1]
            onward = page.next if forth else page.previous
            if onward is None:
                break
            incomplete += not page.complete
            request = request_for(onward, 25)
        assert found == ([1, 24, 48] if forth else [48, 24, 1])
        assert incomplete > 1

    async def test_a_total_is_a_lower_bound(self, hasty: AlertSearch) -> None:
        page = await hasty.page(OURS, EVERYTHING, PageRequest(limit=5))
        assert not page.total_is_exact
        assert len(page.items) <= page.total < 50
        exact = await hasty.page(OURS, EVERYTHING, PageRequest(limit=5, exact_total=True))
        assert (exact.total, exact.total_is_exact) == (50, True)

    async def test_an_offset_out_of_reach_is_refused_with_the_way_to_go(self, hasty: AlertSearch) -> None:
        with pytest.raises(CallerError) as caught:
            await hasty.page(OURS, EVERYTHING, PageRequest(offset=45))
        assert (caught.value.status, caught.value.code) == (422, "offset-too-deep")


async def test_a_slow_window_is_cut_finer_until_it_answers(pool: asyncpg.Pool) -> None:
    """Where looking at a day takes longer than a page may, pages still get to its end."""
    await pool.execute(
        "CREATE FUNCTION slowly(boolean) RETURNS boolean VOLATILE LANGUAGE sql AS 'SELECT $1 FROM pg_sleep(0.02)'"
    )
    search = AlertSearch(pool, names_of, Partitions(pool, SystemClock()), SystemClock(), deadline_seconds=0.2)
    slow_text = "slowly(data ->> 'number' = '48')"

    class SlowQuery:
        def where(self, names: Mapping[UUID, SensorNames], first_parameter: int) -> Where:
            return Where(slow_text, (), EVERY_ID, None, None)

    found: list[int] = []
    request = PageRequest()
    pages = 0
    while pages < 100:
        pages += 1
        page = await search.page(OURS, SlowQuery(), request)  # type: ignore[arg-type]
        found += numbers(page)
        if page.next is None:
            break
        request = request_for(page.next, 25)
    assert found == [48]
    assert pages > 3


async def test_a_database_that_is_away_is_unavailable(pool: asyncpg.Pool, search: AlertSearch) -> None:
    await search.page(OURS, EVERYTHING, PageRequest())
    pool.terminate()
    with pytest.raises(Unavailable):
        await search.page(OURS, EVERYTHING, PageRequest())
