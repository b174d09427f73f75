"""The write path on real parts (PostgreSQL, journal, access, HTTP), with one company that may write."""

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson
from aiohttp import web

from eventgate.access import Authenticator, Bootstrap, KeyAuthenticator, Rates, bootstrap
from eventgate.api.addresses import Addresses
from eventgate.api.application import build_application
from eventgate.api.connection import Runner
from eventgate.api.writes import Writes
from eventgate.clock import SystemClock
from eventgate.ingest import Disk, Limits, Walk
from eventgate.journal.appender import Appender
from eventgate.journal.rejects import KeptReject, Rejects
from eventgate.query.paging import PageRequest
from eventgate.sensors import Directory, register
from eventgate.signing.keys import SigningKey
from eventgate.signing.sign import sign
from eventgate.signing.verify import Freshness


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]


class Gate:
    """A running gate and the sensor that writes to it."""

    def __init__(self, session: aiohttp.ClientSession, port: int, made: Bootstrap, pool: asyncpg.Pool) -> None:
        self.session = session
        self.port = port
        self.made = made
        self.pool = pool
        self.key = SigningKey.from_pem(Path(made.signing_key_file).read_bytes())
        self.rejects = Rejects(pool, SystemClock())

    def headers(self, body: bytes, *, created: int | None = None, **more: str) -> dict[str, str]:
        """The header fields of a signed write of ``body``; further ones may be named with underscores."""
        moment = SystemClock().now_ms() // 1000 if created is None else created
        signed = sign("POST", "/v2/events", body, self.key, keyid=self.made.verify_key_id, created=moment)
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Authorization": self.made.auth_key, "Content-Type": "application/json"} | signed | named

    async def post(self, body: bytes, headers: Mapping[str, str] | None = None, query: str = "", **more: str) -> Answer:
        """Post a body, signed unless ``headers`` are given."""
        url = f"http://127.0.0.1:{self.port}/v2/events{query}"
        sent = self.headers(body, **more) if headers is None else headers
        async with self.session.post(
            url, data=io.BytesIO(body), headers=sent, skip_auto_headers=["Content-Type"]
        ) as response:
            return Answer(response.status, response.headers, orjson.loads(await response.read()))

    async def kept_rejects(self) -> list[KeptReject]:
        company = await self.pool.fetchval("SELECT id FROM companies")
        return [*(await self.rejects.page(company, PageRequest(limit=100))).items]

    async def stored(self) -> int:
        count: int = await self.pool.fetchval("SELECT count(*) FROM events")
        return count


@asynccontextmanager
async def open_gate(
    database_url: str, pool: asyncpg.Pool, directory: Path, *, limits: Limits | None = None, minimum_free: int = 0
) -> AsyncIterator[Gate]:
    """Build the write path as the service does and listen on a free port of the loopback."""
    clock = SystemClock()
    made = await bootstrap(pool, directory, "http://127.0.0.1", register, clock)
    assert made is not None
    async with AsyncExitStack() as stack:
        appender = await stack.enter_async_context(Appender(database_url, clock, connections=2))
        addresses = Addresses()
        walk = Walk(
            origin=addresses.origin,
            path_prefix="",
            directory=Directory(pool, clock),
            defaults=lambda _code: (6, 5),
            appender=appender,
            rejects=Rejects(pool, clock),
            disk=Disk(directory, minimum_free, clock),
            clock=clock,
            freshness=Freshness(),
            limits=limits or Limits(),
        )
        rates = Rates(directory / "rates", clock)
        stack.callback(rates.close)
        application = build_application(
            Writes(walk.write).routes(),
            authenticate=Authenticator(KeyAuthenticator(pool, clock)).authenticate,
            spend=rates.spend,
            addresses=addresses,
            server_url="http://127.0.0.1",
        )
        runner = Runner(application, shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Gate(session, runner.addresses[0][1], made, pool)
