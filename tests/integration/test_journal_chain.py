"""Verification: holds on an honest journal, and says where any one tampering is."""

import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from benchmarks.rows import Site
from eventgate.clock import SystemClock
from eventgate.journal.appender import Appender
from eventgate.journal.chain import Verdict, verify
from eventgate.journal.content import canonical, content_digest

NOW = int(time.time() * 1000)


@pytest.fixture
async def connection(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a journal of three batches with 4, 5 and 6 events, some of them hostile."""
    site = Site()
    async with Appender(database_url, SystemClock(), connections=1) as appender:
        for number, size in enumerate((4, 5, 6)):
            events = site.write(NOW + number * 100, size)
            data = b'{"big":1e300,"int":9223372036854775807,"one":1.0,"ssid":"\\u0000\\\\u0000"}'
            members = {"data": {"big": 1e300, "int": 2**63 - 1, "one": 1.0, "ssid": "\0\\u0000"}, "message": "a\0b"}
            events[0] = events[0]._replace(
                message="a\0b", data=data, raw=canonical(members),
                content_digest=content_digest(events[0].sensor, canonical(members)),
            )  # fmt: skip
            await appender.append(events)
    async with pool.acquire() as taken:
        yield taken


async def test_an_honest_journal_holds(connection: asyncpg.Connection) -> None:
    told: list[int] = []
    verdict = await verify(connection, told.append)
    assert verdict == Verdict(first=1, last=3, events=15)
    assert verdict.holds
    assert told[-1] == 3


async def test_an_empty_journal_holds(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        assert await verify(connection) == Verdict(first=1, last=0)


async def test_it_holds_by_the_events_alone_once_payloads_are_gone(connection: asyncpg.Connection) -> None:
    await connection.execute("DELETE FROM journal_payloads")
    assert await verify(connection) == Verdict(first=1, last=3, events=15, without_payload=3)


SECOND = "(SELECT batch FROM journal WHERE position = 2)"

TAMPERINGS = {
    "a changed message": (f"UPDATE events SET message = 'x' WHERE batch = {SECOND} AND index = 3", 2, 3, "message"),
    "changed data": (f"UPDATE events SET data = '{{}}' WHERE batch = {SECOND} AND index = 0", 2, 0, "data"),
    "a changed severity": (f"UPDATE events SET severity = 0 WHERE batch = {SECOND} AND index = 1", 2, 1, "severity"),
    "another sensor": (f"UPDATE events SET sensor = company WHERE batch = {SECOND} AND index = 2", 2, 2, "sensor"),
    "a changed digest": (
        f"UPDATE events SET content_digest = sha256('') WHERE batch = {SECOND} AND index = 4", 2, 4, "content_digest",
    ),
    "a deleted event": (f"DELETE FROM events WHERE batch = {SECOND} AND index = 2", 2, 2, "not in the events table"),
    "a moved event": (f"UPDATE events SET batch = 77777 WHERE batch = {SECOND} AND index = 2", 2, 2, "not in the"),
    "a deleted batch": ("DELETE FROM journal WHERE position = 2", 2, None, "goes on with 3"),
    "a deleted head": ("DELETE FROM journal WHERE position = 3", 2, None, "6 events belong to no batch"),
    "a changed chain digest": ("UPDATE journal SET digest = sha256('') WHERE position = 2", 2, None, "digest does not"),
    "a changed count": ("UPDATE journal SET events = 6 WHERE position = 2", 2, None, "counts"),
    "a changed payload": (
        """UPDATE journal_payloads SET payload = (SELECT payload FROM journal_payloads WHERE position = 1)
           WHERE position = 2""", 2, None, "holds 4 events of 5",
    ),
    "a damaged payload": (
        "UPDATE journal_payloads SET payload = substr(payload, 1, 40) WHERE position = 2", 2, None, "payload",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_tampering_is_found_where_it_is(connection: asyncpg.Connection, name: str) -> None:
    statement, position, index, words = TAMPERINGS[name]
    await connection.execute(statement)
    verdict = await verify(connection)
    assert not verdict.holds
    assert (position, index) in {(one.position, one.index) for one in verdict.breaks}
    assert any(words in one.detail for one in verdict.breaks if (one.position, one.index) == (position, index))


async def test_rewriting_event_and_payload_alike_is_found_by_the_digest_of_the_content(
    connection: asyncpg.Connection,
) -> None:
    from eventgate.journal import payload

    body = await connection.fetchval("SELECT payload FROM journal_payloads WHERE position = 2")
    events = payload.decode(body)
    events[1] = events[1]._replace(message="x", raw=b'{"message":"x"}')
    await connection.execute("UPDATE journal_payloads SET payload = $1 WHERE position = 2", payload.encode(events))
    await connection.execute(f"UPDATE events SET message = 'x' WHERE batch = {SECOND} AND index = 1")
    verdict = await verify(connection)
    assert [(one.position, one.index) for one in verdict.breaks] == [(2, 1)]
    assert "accepted bytes" in verdict.breaks[0].detail


async def test_after_the_payload_is_gone_a_changed_digest_breaks_the_chain(connection: asyncpg.Connection) -> None:
    await connection.execute("DELETE FROM journal_payloads")
    await connection.execute(f"UPDATE events SET content_digest = sha256('') WHERE batch = {SECOND} AND index = 4")
    verdict = await verify(connection)
    assert [(one.position, one.index) for one in verdict.breaks] == [(2, None)]
