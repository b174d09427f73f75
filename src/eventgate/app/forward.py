"""The forward process: one delivery loop for each sink, and the housekeeping of the journal.

Touches what its rooms touch; wires them.
"""

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from eventgate.access import Audit, forget_lines
from eventgate.access.companies import company_of_operator
from eventgate.access.sessions.sessions import Sessions
from eventgate.access.signin.sweeping import Sweeping
from eventgate.access.signin.throttle import Throttle
from eventgate.alerts import catalogue
from eventgate.alerts.counts import DayCounts
from eventgate.alerts.windows import Partitions
from eventgate.app.ground import Ground, lay_ground
from eventgate.app.memory import expect_windows
from eventgate.app.order import Order, Takes
from eventgate.app.remarks import log_unknown_companies
from eventgate.app.signing_in import lifetime_of
from eventgate.app.sinks import plans
from eventgate.config import Configuration
from eventgate.forward.files import SinkFiles
from eventgate.forward.owned import Stores
from eventgate.forward.pages import Pages
from eventgate.forward.supervisor import Supervisor
from eventgate.forward.system_alerts import SystemAlerts
from eventgate.forward.watch import Watch
from eventgate.journal.appender import Appender
from eventgate.journal.cursors import Cursors
from eventgate.journal.housekeeping import Chore, Housekeeping
from eventgate.journal.retention import Policy
from eventgate.sinks import requests
from eventgate.sinks.alarms import Alarms
from eventgate.sinks.dead_letters import DeadLetters, forget_letters
from eventgate.sinks.deliveries import Deliveries, forget_deliveries
from eventgate.sinks.generations import Generations
from eventgate.sinks.minutes import LedgerMinutes
from eventgate.sinks.requests import Requests
from eventgate.sinks.store import SinkStore

_CONNECTIONS = 8
_DAY_MS = 24 * 3_600_000


@asynccontextmanager
async def forward(order: Order) -> AsyncIterator[Takes]:
    """Deliver and keep house while entered; leaving saves every cursor. Yields how it takes a later order's sinks."""
    expect_windows()
    configuration = order.configuration
    async with AsyncExitStack() as stack:
        ground = await lay_ground(stack, order.database_url, connections=_CONNECTIONS, name="eventgate-forward")
        housekeeping = Housekeeping(
            order.database_url,
            ground.clock,
            _policy(configuration),
            days_past=configuration.writes.max_age_days,
            chores=_chores(configuration),
        )
        await stack.enter_async_context(housekeeping)
        partitions = Partitions(ground.pool, ground.clock)
        await stack.enter_async_context(DayCounts(ground.pool, partitions, ground.clock))
        audit = Audit(ground.pool, ground.clock)
        sessions = Sessions(ground.pool, ground.clock, audit, lifetime_of(configuration))
        await stack.enter_async_context(Sweeping(sessions, Throttle(ground.pool, ground.clock)))
        stores = Stores(
            journal=ground.journal,
            tail=ground.tail,
            pages=Pages(ground.directory),
            cursors=Cursors(ground.pool),
            directory=ground.directory,
            sinks=SinkStore(ground.pool, ground.journal),
            generations=Generations(ground.pool),
            requests=Requests(ground.pool),
            letters=DeadLetters(ground.pool),
            deliveries=Deliveries(ground.pool),
        )
        # A restart on the same machine and data directory takes its cursors over without waiting for a lease to lapse.
        owner = f"{socket.gethostname()}:{configuration.data.absolute()}"
        sinks = plans(configuration)
        await log_unknown_companies(ground.pool, sinks)
        supervisor = Supervisor(sinks, stores, ground.clock, owner=owner)
        await ground.listener.subscribe(requests.CHANNEL, supervisor.wake)
        await stack.enter_async_context(supervisor)
        await _watch(stack, order, ground, stores, supervisor)
        if configuration.metrics.port:
            from eventgate.app.metrics import expose_metrics  # noqa: PLC0415 - 20 MiB, for few

            await expose_metrics(stack, configuration.metrics.port)

        async def take(later: Order) -> None:
            wanted = plans(later.configuration)
            await log_unknown_companies(ground.pool, wanted)
            await supervisor.reconfigure(wanted)

        yield take


async def _watch(stack: AsyncExitStack, order: Order, ground: Ground, stores: Stores, supervisor: Supervisor) -> None:
    """Keep an eye on the sinks, and append what is to be said of them with one connection of its own."""
    appender = await stack.enter_async_context(Appender(order.database_url, ground.clock, connections=1))
    alarms, files = Alarms(ground.pool), SinkFiles()
    watch = Watch(
        stores.sinks,
        ground.journal,
        alarms,
        LedgerMinutes(ground.pool),
        SystemAlerts(alarms, appender.append, catalogue.defaults),
        clock=ground.clock,
        faults=lambda: files.faults(supervisor.definitions),
        operator=lambda: company_of_operator(ground.pool),
        failing_minutes=order.configuration.alarms.failing_minutes,
    )
    await stack.enter_async_context(watch)


def _policy(configuration: Configuration) -> Policy:
    told = configuration.journal
    return Policy(
        events=timedelta(days=told.keep_events_days),
        payloads=timedelta(hours=told.keep_payload_hours),
        payload_bytes=told.keep_payload_bytes,
        rejects=timedelta(days=told.keep_rejects_days),
    )


def _chores(configuration: Configuration) -> Sequence[Chore]:
    """What the rooms beside the journal want tidied."""
    kept, journal = configuration.audit.keep_days * _DAY_MS, configuration.journal
    receipts, letters = journal.keep_events_days * _DAY_MS, journal.keep_dead_letters_days * _DAY_MS
    return (
        lambda pool, now: forget_lines(pool, older_than_ms=now - kept),
        lambda pool, now: forget_deliveries(pool, older_than_ms=now - receipts),
        lambda pool, now: forget_letters(pool, older_than_ms=now - letters),
    )
