"""A worker process: takes writes, answers searches, on a port it shares with its like.

Touches what its rooms touch; wires them.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from eventgate.access import (
    Audit,
    AuditLog,
    Authenticator,
    KeyAuthenticator,
    LastUsed,
    Passwords,
    Rates,
    TokenAuthenticator,
)
from eventgate.access import authenticator as access
from eventgate.access.rates import rates as rate_limits
from eventgate.access.sessions.sessions import revoke_all_within
from eventgate.alerts import catalogue, search
from eventgate.alerts.export import Export
from eventgate.alerts.meta import AlertMeta
from eventgate.alerts.observed import observed_codes
from eventgate.alerts.search import AlertSearch
from eventgate.alerts.windows import Partitions
from eventgate.api.access.audit import AuditLines
from eventgate.api.addresses import Addresses
from eventgate.api.alerts import Alerts
from eventgate.api.application import build_application
from eventgate.api.catalogue import Catalogue
from eventgate.api.connection import Runner
from eventgate.api.edges import Edges
from eventgate.api.export import ExportAlerts
from eventgate.api.health import Health, Metrics
from eventgate.api.meta import MetaOfAlerts
from eventgate.api.rejects import RejectList
from eventgate.api.routes import OpenRoute, Route
from eventgate.api.sink_generations import SinkGenerations
from eventgate.api.sink_minutes import SinkMinutes
from eventgate.api.sink_removal import SinkRemoval
from eventgate.api.sinks import Sinks
from eventgate.api.stream import Stream
from eventgate.api.writes import Writes
from eventgate.app.ground import Ground, lay_ground
from eventgate.app.issuers import trusted_issuers
from eventgate.app.keys import key_routes
from eventgate.app.memory import expect_events
from eventgate.app.order import Order
from eventgate.app.people import Signing, links_of, people_routes
from eventgate.app.signing_in import lifetime_of, open_entrance
from eventgate.app.tls import tls_context
from eventgate.app.whereabouts import whereabouts_routes
from eventgate.config import Configuration, Http
from eventgate.config import Writes as WriteBounds
from eventgate.db.pool import open_pool, translated
from eventgate.ingest.disk import Disk
from eventgate.ingest.limits import Limits
from eventgate.ingest.walk import Walk
from eventgate.journal.appender import Appender
from eventgate.journal.rejects import Rejects
from eventgate.signing.verify import Freshness
from eventgate.sinks.forgetting import forget
from eventgate.sinks.generations import Generations
from eventgate.sinks.minutes import LedgerMinutes
from eventgate.sinks.requests import Requests
from eventgate.sinks.store import SinkStore

_BACKLOG = 1024
"""Connections that the kernel holds for us until we accept them."""

_CANCEL_SECONDS = 2.0
"""What a request that outlasted the drain gets to clean up after itself."""


@asynccontextmanager
async def worker(order: Order) -> AsyncIterator[None]:
    """Serve while entered. Leaving stops listening, finishes what is under way, commits what waits."""
    expect_events()
    configuration = order.configuration
    http = configuration.http
    async with AsyncExitStack() as stack:
        ground = await lay_ground(
            stack, order.database_url, connections=configuration.database.connections, name="eventgate-worker"
        )
        last_used = await stack.enter_async_context(LastUsed(ground.pool, ground.clock))
        trusted = await trusted_issuers(stack, configuration, ground.clock)
        addresses = Addresses(http.public_url, http.trusted_proxies)
        passwords, audit = Passwords(), Audit(ground.pool, ground.clock)
        stack.callback(passwords.close)
        entrance = await open_entrance(
            stack, ground.pool, ground.clock, passwords=passwords, audit=audit, addresses=addresses,
            key_file=configuration.session_key_file, lifetime=lifetime_of(configuration),
        )  # fmt: skip
        signing = Signing(passwords, entrance.current_password.demand, revoke_all_within)
        authenticator = Authenticator(
            KeyAuthenticator(ground.pool, ground.clock),
            tokens=TokenAuthenticator(trusted, ground.pool, ground.clock) if trusted else None,
            sessions=entrance.authenticator,
            used=last_used.note,
        )
        await ground.listener.subscribe(access.CHANNEL, authenticator.forget)
        rates = Rates(configuration.data / rate_limits.FILE, ground.clock)
        stack.callback(rates.close)
        stream = Stream(ground.journal, ground.tail, ground.directory, ground.clock)
        store, requests = SinkStore(ground.pool, ground.journal), Requests(ground.pool)
        disk = Disk(_watched(configuration), configuration.writes.min_free_disk_bytes, ground.clock)
        table: list[Route | OpenRoute] = [
            *Writes((await _walk(stack, order, ground, addresses, disk)).write).routes(),
            *await _searches(stack, order, ground, audit),
            *stream.routes(),
            *Edges(ground.directory).routes(),
            *key_routes(ground.pool, ground.clock, ground.directory),
            *await _people(stack, configuration, ground, addresses, signing),
            *RejectList(Rejects(ground.pool, ground.clock)).routes(),
            *Sinks(store, requests, ground.journal, ground.clock, audit).routes(),
            *SinkRemoval(store, partial(forget, ground.pool), audit).routes(),
            *SinkMinutes(store, LedgerMinutes(ground.pool), ground.clock).routes(),
            *SinkGenerations(store, Generations(ground.pool)).routes(),
            *entrance.routes,
            *Health({"database": lambda: _ask_database(ground), "disk": lambda: _ask_disk(disk)}).routes(),
            *_metrics(configuration),
        ]
        application = build_application(
            table,
            authenticate=authenticator.authenticate,
            spend=rates.spend,
            addresses=addresses,
            server_url=http.base_url,
        )
        await _listen(stack, application, http)
        stack.push_async_callback(stream.stop)  # a live stream has no end of its own
        yield


async def _walk(stack: AsyncExitStack, order: Order, ground: Ground, addresses: Addresses, disk: Disk) -> Walk:
    configuration = order.configuration
    journal, writes = configuration.journal, configuration.writes
    connections = max(1, journal.commit_connections // configuration.http.workers)
    appender = Appender(order.database_url, ground.clock, connections=connections, group_events=journal.group_events)
    return Walk(
        origin=addresses.origin,
        path_prefix=urlsplit(configuration.http.public_url).path,
        directory=ground.directory,
        defaults=catalogue.defaults,
        appender=await stack.enter_async_context(appender),
        rejects=Rejects(ground.pool, ground.clock),
        disk=disk,
        clock=ground.clock,
        freshness=Freshness(writes.created_back_seconds, writes.created_ahead_seconds),
        limits=_limits(writes),
    )


def _limits(writes: WriteBounds) -> Limits:
    return Limits(
        body_bytes=writes.max_body_bytes,
        inflated_bytes=writes.max_inflated_bytes,
        events=writes.max_events,
        ahead_ms=writes.max_ahead_seconds * 1000,
        past_ms=writes.max_age_days * 24 * 3_600_000,
        budget_bytes=writes.bodies_in_flight_bytes,
        backlog_events=writes.max_backlog_events,
    )


def _watched(configuration: Configuration) -> Path | None:
    """The directory whose disk may run full: ours; an external database watches over its own."""
    return None if configuration.database.url else configuration.data


async def _people(
    stack: AsyncExitStack, configuration: Configuration, ground: Ground, addresses: Addresses, signing: Signing
) -> list[Route | OpenRoute]:
    return people_routes(
        stack,
        ground.pool,
        ground.clock,
        links=await links_of(stack, configuration, ground.clock),
        signing=signing,
        addresses=addresses,
    )


async def _searches(stack: AsyncExitStack, order: Order, ground: Ground, audit: Audit) -> list[Route]:
    """All that reads the events themselves, on connections of its own: however long a search takes, writes go on."""
    told = order.configuration.search
    pool = await open_pool(order.database_url, size=told.connections, name="eventgate-search", settings=search.SETTINGS)
    stack.callback(pool.terminate)
    names_of, partitions, clock = ground.directory.names_of, Partitions(pool, ground.clock), ground.clock
    alerts = AlertSearch(pool, names_of, partitions, clock, deadline_seconds=told.deadline_seconds)
    meta = AlertMeta(pool, names_of, partitions, clock, deadline_seconds=told.deadline_seconds)
    return [
        *Alerts(alerts).routes(),
        *MetaOfAlerts(meta).routes(),
        *ExportAlerts(Export(pool, names_of, partitions, clock)).routes(),
        *Catalogue(partial(observed_codes, pool)).routes(),
        *whereabouts_routes(ground.pool, ground.journal, ground.directory, alerts, audit),
        *AuditLines(AuditLog(pool, clock, deadline_seconds=told.deadline_seconds)).routes(),
    ]


def _metrics(configuration: Configuration) -> Sequence[OpenRoute]:
    """Metrics for whoever has the token; without one, on the machine's own address and behind no proxy, for anybody."""
    http, token = configuration.http, configuration.metrics.token
    if token:
        return Metrics(token).routes()
    private = ip_address(http.host).is_loopback and not http.trusted_proxies and not http.public_url
    return Metrics(None).routes() if private else ()


async def _ask_database(ground: Ground) -> str | None:
    with translated():
        await ground.pool.fetchval("SELECT 1", timeout=2)
    return None


async def _ask_disk(disk: Disk) -> str | None:
    disk.check()
    return None


async def _listen(stack: AsyncExitStack, application: web.Application, http: Http) -> None:
    runner = Runner(application, shutdown_timeout=_CANCEL_SECONDS)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(
        runner, http.host, http.port, reuse_port=True, backlog=_BACKLOG, ssl_context=tls_context(http, "configuration")
    )
    await site.start()
    stack.push_async_callback(runner.drain, http.drain_seconds)
