"""The audit log: written, read back, searched in the language of filters, and whose lines they are."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventgate.access import AUDIT_LINES, Actor, Audit, AuditLine, AuditLog, Change, forget_lines
from eventgate.clock import Clock, ManualClock, SystemClock
from eventgate.db.pool import open_pool
from eventgate.errors import CallerError
from eventgate.ids import uuid7_ms
from eventgate.query import OPERATORS, Takes, parse_filters
from eventgate.query.fieldtypes import Identifier
from eventgate.query.paging import Neighbour, PageRequest

OURS, THEIRS = UUID(int=1), UUID(int=2)
ADMIN = Actor("admin", OURS, UUID(int=10), UUID(int=11), None, "192.0.2.7", "r-1")
OPERATOR = Actor("root", THEIRS, UUID(int=20), None, UUID(int=21), "198.51.100.9", "r-2")
EVERYTHING = parse_filters([])
BEGIN = 1_763_726_400_000


class Ticking(ManualClock):
    """A clock on which every look is a millisecond later."""

    def now_ms(self) -> int:
        self.advance(0.001)
        return super().now_ms()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    opened = await open_pool(database_url, size=4)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> Clock:
    return Ticking(BEGIN)


@pytest.fixture
async def lines(pool: asyncpg.Pool, clock: Clock) -> None:
    """Thirty changes of ours, every third made by the operator of another company, and five of theirs."""
    audit = Audit(pool, clock)
    for number in range(30):
        actor = OPERATOR if number % 3 == 0 else ADMIN
        await audit.record(
            actor, Change("key.update", f"key-{number}", OURS, {"number": number}, {"number": number + 1})
        )
    for number in range(5):
        await audit.record(OPERATOR, Change("sink.pause", f"theirs-{number}", THEIRS))


def asked(neighbour: Neighbour | None, limit: int) -> PageRequest:
    assert neighbour is not None
    return PageRequest(limit=limit, after=neighbour.after, before=neighbour.before, offset=neighbour.offset or 0)


async def test_a_line_is_read_back_whole(pool: asyncpg.Pool, clock: Clock) -> None:
    await Audit(pool, clock).record(ADMIN, Change("key.update", "k", OURS, {"name": "a\0b"}, {"name": None}))
    (line,) = (await AuditLog(pool, clock).page(OURS, EVERYTHING, PageRequest())).items
    assert line[1:-2] == (
        OURS, uuid7_ms(line.id), "key.update", "k", "admin", ADMIN.user, ADMIN.key, None, "192.0.2.7", "r-1",
    )  # fmt: skip
    assert json.loads(line.before or "") == {"name": "a\ufffdb"}
    assert json.loads(line.after or "") == {"name": None}


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize("stretch", [1, 4, 1000])
async def test_pages_go_to_the_end_and_back(pool: asyncpg.Pool, clock: Clock, stretch: int) -> None:
    log = AuditLog(pool, clock, stretch=stretch)
    some = parse_filters(['actor·is·"admin"'], AUDIT_LINES)
    page = await log.page(OURS, some, PageRequest(limit=8))
    found = [list(page.items)]
    assert (page.total, page.total_is_exact, page.previous) == (20, True, None)
    while page.next:
        page = await log.page(OURS, some, asked(page.next, 8))
        found.append(list(page.items))
    assert [len(items) for items in found] == [8, 8, 4]
    whole = [line for items in found for line in items]
    assert [line.object_id for line in whole] == [f"key-{n}" for n in reversed(range(30)) if n % 3]
    back = await log.page(OURS, some, asked(page.previous, 8))
    assert list(back.items) == found[1]
    third = await log.page(OURS, some, PageRequest(limit=5, offset=15))
    assert list(third.items) == whole[15:]
    assert third.previous == Neighbour(offset=10)


@pytest.mark.usefixtures("lines")
async def test_a_company_sees_its_own_and_of_the_operator_only_that_it_was_the_operator(
    pool: asyncpg.Pool, clock: Clock
) -> None:
    log = AuditLog(pool, clock)
    ours = await log.page(OURS, EVERYTHING, PageRequest(limit=100))
    assert {line.company for line in ours.items} == {OURS}
    by_operator = [line for line in ours.items if line.actor == "operator"]
    assert len(by_operator) == 10
    assert {line[6:10] for line in by_operator} == {(None, None, None, "")}
    everybody = await log.page(None, EVERYTHING, PageRequest(limit=100))
    assert (everybody.total, {line.actor for line in everybody.items}) == (35, {"root", "admin"})


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize(
    "guess",
    ['actor·is·"root"', f'userId·is·"{OPERATOR.user}"', f'sessionId·is·"{OPERATOR.session}"', 'remote·contains·"198"'],
)
async def test_what_is_hidden_cannot_be_found_out_by_filtering(pool: asyncpg.Pool, clock: Clock, guess: str) -> None:
    page = await AuditLog(pool, clock).page(OURS, parse_filters([guess], AUDIT_LINES), PageRequest())
    assert (page.total, list(page.items)) == (0, [])


class Hurried(ManualClock):
    """A clock on which every look costs a second."""

    def monotonic(self) -> float:
        self.advance(1)
        return super().monotonic()


@pytest.mark.usefixtures("lines")
async def test_a_search_that_takes_too_long_says_where_it_goes_on(pool: asyncpg.Pool) -> None:
    log = AuditLog(pool, Hurried(BEGIN), stretch=4)
    query = parse_filters(['objectId·is·"key-0"'], AUDIT_LINES)
    page, pages = await log.page(OURS, query, PageRequest()), 1
    assert (page.complete, list(page.items)) == (False, [])
    while not page.items:
        page, pages = await log.page(OURS, query, asked(page.next, 25)), pages + 1
    assert [line.object_id for line in page.items] == ["key-0"]
    assert pages > 2
    with pytest.raises(CallerError) as refused:
        await log.page(OURS, query, PageRequest(offset=3))
    assert refused.value.code == "offset-too-deep"


@pytest.mark.usefixtures("lines")
async def test_a_page_that_comes_to_the_end_knows_its_total(pool: asyncpg.Pool, clock: Clock) -> None:
    page = await AuditLog(pool, clock).page(OURS, EVERYTHING, PageRequest(offset=90))
    assert (page.total, page.total_is_exact, list(page.items)) == (30, True, [])


@pytest.mark.usefixtures("lines")
async def test_lines_are_forgotten_in_time(pool: asyncpg.Pool, clock: Clock) -> None:
    log = AuditLog(pool, clock)
    newest = (await log.page(None, EVERYTHING, PageRequest(limit=2))).items
    await forget_lines(pool, older_than_ms=newest[-1].at)
    assert (await log.page(None, EVERYTHING, PageRequest())).items == newest


texts = st.sampled_from(["", "a", "A.b", "key.create", "é", "\ufffd", "10.0.0.1", '"', "\\", "%"])
objects = st.none() | st.dictionaries(
    st.sampled_from(["status", "a.b", "0", ""]),
    st.none() | st.booleans() | texts | st.integers(-3, 3) | st.lists(texts, max_size=2),
    max_size=3,
)
ids = st.sampled_from([UUID(int=n) for n in range(1, 4)])
changes = st.builds(Change, texts, texts, st.just(OURS), objects, objects)
actors = st.builds(Actor, texts, st.just(OURS), st.none() | ids, st.none() | ids, st.none() | ids, texts, texts)
names = st.sampled_from([*AUDIT_LINES.fields, "before.status", 'after."a.b"', "after.0", 'before.""'])


@st.composite
def filters(draw: st.DrawFn) -> str:
    name = draw(names)
    kind = AUDIT_LINES.named(name).type
    operator = draw(st.sampled_from([o for o in OPERATORS.values() if o.fits_type(kind)]))
    if name == "timestamp":
        value = st.integers(0, 99).map(lambda ms: f"2025-11-21T12:00:00.{ms:03d}Z")
    elif isinstance(kind, Identifier) and not operator.reads:
        value = ids.map(lambda found: json.dumps(str(found)))
    else:
        value = texts.map(json.dumps)
    match operator.takes:
        case Takes.NOTHING:
            return f"{name}·{operator.name}"
        case Takes.ONE:
            return f"{name}·{operator.name}·{draw(value)}"
        case Takes.MANY:
            several = draw(st.lists(value, min_size=1, max_size=3))
            return f"{name}·{operator.name}·[" + ",".join(v if v[0] == '"' else f'"{v}"' for v in several) + "]"


@pytest.fixture
def running(database_url: str) -> Iterator[tuple[asyncio.Runner, asyncpg.Pool]]:
    with asyncio.Runner() as runner:
        pool = runner.run(open_pool(database_url, size=3))
        yield runner, pool
        runner.run(pool.close())


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(made=st.lists(st.tuples(actors, changes), min_size=1, max_size=8), queries=st.lists(filters(), max_size=20))
def test_memory_and_sql_agree(
    running: tuple[asyncio.Runner, asyncpg.Pool], made: list[tuple[Actor, Change]], queries: list[str]
) -> None:
    runner, pool = running

    async def by_sql() -> tuple[list[AuditLine], list[set[UUID]]]:
        await pool.execute("DELETE FROM audit")
        clock = Ticking(BEGIN)
        for actor, change in made:
            await Audit(pool, clock).record(actor, change)
        log = AuditLog(pool, SystemClock())
        every = (await log.page(OURS, EVERYTHING, PageRequest(limit=100))).items
        found = []
        for text in queries:
            page = await log.page(OURS, parse_filters([text], AUDIT_LINES), PageRequest(limit=100))
            assert (page.total, page.complete) == (len(page.items), True)
            found.append({line.id for line in page.items})
        return list(every), found

    every, found = runner.run(by_sql())
    for text, expected in zip(queries, found, strict=True):
        (condition,) = parse_filters([text], AUDIT_LINES).conditions
        assert {line.id for line in every if condition.holds(line)} == expected, text


async def test_recording_needs_no_transaction_of_its_own(pool: asyncpg.Pool, clock: Clock) -> None:
    audit, change = Audit(pool, clock), Change("user.create", str(uuid4()), OURS)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await audit.record_within(connection, ADMIN, change)
        await transaction.rollback()
    assert (await AuditLog(pool, clock).page(OURS, EVERYTHING, PageRequest())).items == []
