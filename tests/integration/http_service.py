"""The HTTP interface on a real database and a real socket, for the tests of its nouns.

Events are put straight into the journal: what writing them takes is another room's business.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg
from aiohttp import web
from argon2 import PasswordHasher
from yarl import URL

from eventgate.access import (
    Audit,
    AuditLog,
    Authenticator,
    Bootstrap,
    KeyAuthenticator,
    Passwords,
    Rates,
    TokenAuthenticator,
    bootstrap,
)
from eventgate.access.people.links import Links, Post
from eventgate.access.sessions.sessions import Lifetime, revoke_all_within
from eventgate.alerts.catalogue import defaults
from eventgate.alerts.export import Export
from eventgate.alerts.meta import AlertMeta
from eventgate.alerts.observed import observed_codes
from eventgate.alerts.search import SETTINGS, AlertSearch
from eventgate.alerts.windows import Partitions
from eventgate.api.access.audit import AuditLines
from eventgate.api.addresses import Addresses
from eventgate.api.alerts import Alerts
from eventgate.api.application import OPENAPI, build_application
from eventgate.api.catalogue import Catalogue
from eventgate.api.connection import Runner
from eventgate.api.edges import Edges
from eventgate.api.export import ExportAlerts
from eventgate.api.health import Health, Metrics
from eventgate.api.meta import MetaOfAlerts
from eventgate.api.rejects import RejectList
from eventgate.api.sink_generations import SinkGenerations
from eventgate.api.sink_minutes import SinkMinutes
from eventgate.api.sink_removal import SinkRemoval
from eventgate.api.sinks import Sinks
from eventgate.api.stream import Stream
from eventgate.api.writes import Writes
from eventgate.app.issuers import trusted_issuers
from eventgate.app.keys import key_routes
from eventgate.app.people import Signing, people_routes
from eventgate.app.signing_in import open_entrance
from eventgate.app.whereabouts import whereabouts_routes
from eventgate.clock import SystemClock
from eventgate.config import Configuration
from eventgate.db.pool import open_pool
from eventgate.event import Event, Kind, Origin
from eventgate.ids import uuid7
from eventgate.ingest.disk import Disk
from eventgate.ingest.limits import Limits
from eventgate.ingest.walk import Walk
from eventgate.journal.appender import Appender
from eventgate.journal.reading import Journal
from eventgate.journal.rejects import Rejects
from eventgate.journal.tail import Tail
from eventgate.sensors import Directory, register
from eventgate.signing.authkey import AuthKey
from eventgate.signing.verify import Freshness
from eventgate.sinks.forgetting import forget
from eventgate.sinks.generations import Generations
from eventgate.sinks.minutes import LedgerMinutes
from eventgate.sinks.requests import Requests
from eventgate.sinks.store import SinkStore

METRICS_TOKEN = "let-me-count"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Passwords of tests are nobody's."""


@dataclass
class Service:
    """A running HTTP interface and what its tests need of it."""

    url: str
    port: int
    made: Bootstrap
    pool: asyncpg.Pool
    session: aiohttp.ClientSession
    appender: Appender
    journal: Journal
    stream: Stream
    application: web.Application
    openapi: dict[str, Any]
    authenticator: Authenticator
    clock: SystemClock

    @property
    def company(self) -> UUID:
        return UUID(self.made.company_id)

    @property
    def edge(self) -> UUID:
        return UUID(self.made.edge_id)

    async def get(self, path: str, key: str | None = None, **headers: str) -> tuple[int, Any]:
        """Status and decoded body; the path goes out as it is written here."""
        headers = {"X-API-Key": key or self.made.auth_key} | {n.replace("_", "-"): v for n, v in headers.items()}
        url = path if path.startswith("http") else self.url + path
        async with self.session.get(URL(url, encoded=True), headers=headers, allow_redirects=False) as answer:
            body = await answer.read()
            return answer.status, (await answer.json(content_type=None) if body else None)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A bare connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()

    async def post(self, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
        headers = {"X-API-Key": key or self.made.admin_auth_key}
        async with self.session.post(self.url + path, json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
        """Status and decoded body of any method; None for an empty one."""
        headers = {"X-API-Key": key or self.made.admin_auth_key}
        async with self.session.request(method, self.url + path, json=body, headers=headers) as answer:
            return answer.status, (await answer.json(content_type=None) if await answer.read() else None)

    def event(self, number: int = 0, *, ms: int | None = None, **changes: Any) -> Event:
        """An alert of a moment ago; a higher number is older."""
        timestamp = ms or SystemClock().now_ms() - 60_000 - number * 1000
        whole = Event(
            company=self.company,
            id=uuid7(timestamp),
            kind=Kind.ALERT,
            sensor=self.edge,
            timestamp=timestamp,
            received=timestamp + 5,
            code="DEAUTHFLOOD",
            category=1,
            severity=8,
            message=f"alert number {number}",
            data=b'{"number":%d}' % number,
            event_id=None,
            sequence=number,
            key=None,
            verify_key=None,
            content_digest=sha256(b"%d" % number).digest(),
            origin=Origin.SENSOR,
            raw=b"{}",
        )
        return whole._replace(**changes)

    async def store(self, events: Sequence[Event]) -> None:
        await self.appender.append(events)


@asynccontextmanager
async def http_service(
    database_url: str,
    directory: Path,
    *,
    post: Post | None = None,
    issuers: Sequence[Mapping[str, Any]] = (),
    **addresses: Any,
) -> AsyncIterator[Service]:
    async with AsyncExitStack() as stack:
        passwords = Passwords(QUICK)
        stack.callback(passwords.close)
        clock = SystemClock()
        pool = await open_pool(database_url, size=6, settings=SETTINGS)
        stack.push_async_callback(pool.close)
        directory_of_sensors = Directory(pool, clock)
        journal = Journal(pool, poll_seconds=0.05)
        stream = Stream(journal, Tail(journal), directory_of_sensors, clock)
        partitions = Partitions(pool, clock)
        metrics = Metrics(METRICS_TOKEN)

        async def well() -> str | None:
            await pool.fetchval("SELECT 1")
            return None

        seen_as = Addresses(**addresses)
        appender = await stack.enter_async_context(Appender(database_url, clock, connections=1))
        walk = Walk(
            origin=seen_as.origin,
            path_prefix="",
            directory=directory_of_sensors,
            defaults=defaults,
            appender=appender,
            rejects=Rejects(pool, clock),
            disk=Disk(None, 0, clock),
            clock=clock,
            freshness=Freshness(),
            limits=Limits(),
        )
        search = AlertSearch(pool, directory_of_sensors.names_of, partitions, clock)
        entrance = await open_entrance(
            stack, pool, clock, passwords=passwords, audit=Audit(pool, clock), addresses=seen_as,
            key_file=directory / "sessions.key", lifetime=Lifetime(),
        )  # fmt: skip
        table = [
            *entrance.routes,
            *Alerts(search).routes(),
            *stream.routes(),
            *ExportAlerts(Export(pool, directory_of_sensors.names_of, partitions, clock)).routes(),
            *MetaOfAlerts(AlertMeta(pool, directory_of_sensors.names_of, partitions, clock)).routes(),
            *Catalogue(partial(observed_codes, pool)).routes(),
            *AuditLines(AuditLog(pool, clock)).routes(),
            *Edges(directory_of_sensors).routes(),
            *key_routes(pool, clock, directory_of_sensors),
            *people_routes(
                stack,
                pool,
                clock,
                links=Links(clock, "https://gate.example", post),
                signing=Signing(passwords, entrance.current_password.demand, revoke_all_within),
                addresses=seen_as,
            ),
            *RejectList(Rejects(pool, clock)).routes(),
            *Sinks(SinkStore(pool, journal), Requests(pool), journal, clock, Audit(pool, clock)).routes(),
            *SinkRemoval(SinkStore(pool, journal), partial(forget, pool), Audit(pool, clock)).routes(),
            *SinkMinutes(SinkStore(pool, journal), LedgerMinutes(pool), clock).routes(),
            *SinkGenerations(SinkStore(pool, journal), Generations(pool)).routes(),
            *whereabouts_routes(pool, journal, directory_of_sensors, search, Audit(pool, clock)),
            *Writes(walk.write).routes(),
            *Health({"database": well}).routes(),
            *metrics.routes(),
        ]
        oauth2 = Configuration.model_validate({"oauth2": {"issuers": issuers}})
        authenticator = Authenticator(
            KeyAuthenticator(pool, clock),
            tokens=TokenAuthenticator(await trusted_issuers(stack, oauth2, clock), pool, clock) if issuers else None,
            sessions=entrance.authenticator,
        )
        rates = Rates(directory / "rates", clock)
        stack.callback(rates.close)
        application = build_application(
            table,
            authenticate=authenticator.authenticate,
            spend=rates.spend,
            addresses=seen_as,
            server_url=addresses.get("public_url", "http://127.0.0.1"),
        )
        application.on_shutdown.append(lambda _: stream.stop())
        runner = Runner(application, shutdown_timeout=3)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        url = f"http://127.0.0.1:{port}"
        made = await bootstrap(pool, directory, url, register, clock)
        assert made is not None
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Service(
            url,
            port,
            made,
            pool,
            session,
            appender,
            journal,
            stream,
            application,
            application[OPENAPI],
            authenticator,
            clock,
        )


async def other_company(service: Service) -> tuple[UUID, str]:
    """Another company with a sensor of the same id and a key that may read."""
    company, user, key = uuid4(), uuid4(), AuthKey.mint()
    pool = service.pool
    await pool.execute("INSERT INTO companies (id, name, id_secret) VALUES ($1, 'Other', $2)", company, bytes(32))
    await pool.execute("INSERT INTO users (id, company, login, role) VALUES ($1, $2, 'eve', 'admin')", user, company)
    await pool.execute(
        """INSERT INTO api_keys (id, company, user_id, public_id, hash, scopes, api_version)
           VALUES ($1, $2, $3, $4, $5, '{alerts:read,edges:read,sinks:read,sinks:manage,audit:read,users:manage}',
                   '2026-11-22')""",
        uuid4(), company, user, key.public_id, key.hash,
    )  # fmt: skip
    await register(pool, company, service.edge, "EG-0001", "Theirs")
    return company, key.whole
