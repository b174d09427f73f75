"""A forward process in a test: a real journal that can be filled, and a supervisor over any sinks."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from benchmarks.rows import Site
from eventgate.clock import SystemClock
from eventgate.db.listen import Listener
from eventgate.event import Event
from eventgate.forward.owned import Stores
from eventgate.forward.pages import Pages
from eventgate.forward.plan import Plan, plan
from eventgate.forward.supervisor import Supervisor
from eventgate.journal.announce import CHANNEL
from eventgate.journal.appender import Appender
from eventgate.journal.cursors import START, Cursors
from eventgate.journal.reading import Journal
from eventgate.journal.tail import Tail
from eventgate.sensors.directory import Directory
from eventgate.sinks import requests
from eventgate.sinks.dead_letters import DeadLetters
from eventgate.sinks.definition import SinkDefinition
from eventgate.sinks.deliveries import Deliveries
from eventgate.sinks.generations import Generations
from eventgate.sinks.requests import Requests
from eventgate.sinks.store import SinkStatus, SinkStore
from tests.patience import PATIENCE

_OWN = ("format", "filters", "company", "begin", "replay_events_per_second")


@dataclass
class Forwarding:
    """``stores`` as a forward process has them, and ways to fill the journal and to wait for a sink."""

    pool: asyncpg.Pool
    stores: Stores
    appender: Appender
    listener: Listener

    async def append(self, events: int, in_writes_of: int = 500) -> None:
        """Append so many events."""
        site, start = Site(companies=1, sensors=9, seed=time.monotonic_ns()), int(time.time() * 1000) - 3_600_000
        for first in range(0, events, in_writes_of):
            await self.appender.append(site.write(start + first, min(in_writes_of, events - first)))

    async def store(self, events: int, in_writes_of: int = 500) -> list[Event]:
        """Append so many events, and return all there are."""
        await self.append(events, in_writes_of)
        return await self.stored()

    async def stored(self) -> list[Event]:
        """Everything in the journal, in order."""
        events: list[Event] = []
        cursor = START.cursor
        while batches := await self.stores.journal.read(cursor):
            for batch in batches:
                events += batch.events
                cursor = batch.end
        return events

    @asynccontextmanager
    async def running(self, *plans: Plan, owner: str = "test") -> AsyncIterator[Supervisor]:
        supervisor = Supervisor(plans, self.stores, SystemClock(), owner=owner)
        await self.listener.subscribe(requests.CHANNEL, supervisor.wake)
        async with supervisor:
            yield supervisor

    async def deaths(self, sink: str) -> list[asyncpg.Record]:
        """Every dead letter of a sink, in the journal's order."""
        statement = "SELECT * FROM dead_letters WHERE sink = $1 ORDER BY position, index, generation"
        return list(await self.pool.fetch(statement, sink))

    async def status(self, sink: str) -> SinkStatus:
        found = await self.stores.sinks.get(sink, None)
        assert found is not None
        return found

    async def until(self, sink: str, holds: Callable[[SinkStatus], bool], timeout: float = PATIENCE) -> SinkStatus:
        """Wait until something holds of a sink."""
        deadline = time.monotonic() + timeout
        while not holds(status := await self.status(sink)):
            assert time.monotonic() < deadline, status
            await asyncio.sleep(0.02)
        return status

    async def until_done(self, sink: str, timeout: float = PATIENCE) -> SinkStatus:
        """Wait until a sink has nothing pending; its ledger balances then."""
        status = await self.until(sink, lambda status: status.ledger.pending == 0, timeout)
        assert status.ledger.balances, status
        return status


def sink(name: str, transport: str, **rest: Any) -> Plan:
    """A plan as a configuration file would make it."""
    own = {key: rest.pop(key) for key in _OWN if key in rest}
    return plan(SinkDefinition(name, transport, options=rest, **own), "test.toml")


@asynccontextmanager
async def forwarding(pool: asyncpg.Pool, url: str) -> AsyncIterator[Forwarding]:
    clock = SystemClock()
    journal = Journal(pool, poll_seconds=0.2)
    directory = Directory(pool, clock)
    stores = Stores(
        journal=journal,
        tail=Tail(journal),
        pages=Pages(directory),
        cursors=Cursors(pool),
        directory=directory,
        sinks=SinkStore(pool, journal),
        generations=Generations(pool),
        requests=Requests(pool),
        letters=DeadLetters(pool),
        deliveries=Deliveries(pool),
    )
    async with Listener(url) as listener, Appender(url, clock, connections=1) as appender:
        await listener.subscribe(CHANNEL, journal.wake)
        yield Forwarding(pool, stores, appender, listener)
