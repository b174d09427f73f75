"""Composition root: builds a running service from its configuration; the only module that knows every room.

Dramatis personae. ``prepare`` runs once in the parent, before any child. A *worker* takes writes and answers searches;
there are several, alike, on one port. The *forward* process owns the delivery loops and the housekeeping.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from eventgate.access.first_start import bootstrap
from eventgate.clock import SystemClock
from eventgate.config import Configuration
from eventgate.db.durability import demand_durable
from eventgate.db.migrate import migrate
from eventgate.db.pool import open_pool
from eventgate.sensors import register
from eventgate.telemetry import configure_logging

WORKER, FORWARD = "worker", "forward"
"""The parts of the service; workers are numbered behind a dash."""


class Order(BaseModel):
    """All that a child process is told."""

    model_config = ConfigDict(frozen=True)

    configuration: Configuration
    database_url: str


async def prepare(configuration: Configuration, database_url: str) -> None:
    """Make the database ready and, at the first start, whoever may use it."""
    await demand_durable(database_url)
    await migrate(database_url)
    pool = await open_pool(database_url, size=1, name="eventgate prepare")
    try:
        await bootstrap(pool, configuration.data, configuration.http.base_url, register, SystemClock())
    finally:
        await pool.close()


@asynccontextmanager
async def run_part(name: str, order: Order) -> AsyncIterator[None]:
    """Run the part called ``name`` while entered; leaving drains it."""
    log = order.configuration.log
    configure_logging(log.level, log.style)
    async with AsyncExitStack() as stack:
        if name != FORWARD:
            await _build_worker(stack, order)
        yield


async def _build_worker(stack: AsyncExitStack, order: Order) -> None:
    http = order.configuration.http
    application = web.Application()

    async def ready(_request: web.Request) -> web.Response:
        return web.Response()

    application.router.add_get("/readyz", ready)
    runner = web.AppRunner(application, access_log=None, handle_signals=False)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, http.host, http.port, reuse_port=True).start()
