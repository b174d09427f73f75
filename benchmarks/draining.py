"""What the benchmarks of transports share: a full journal, a sink that drains it, and a bare loop in the same run.

Both run in this process, in turn, and the processor time of each is told beside.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.report import row
from benchmarks.rows import Site
from eventgate.app.memory import expect_windows
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.db.migrate import migrate
from eventgate.db.pool import open_pool
from eventgate.forward.plan import Plan
from eventgate.sinks.definition import reader
from tests.integration.forwarding import Forwarding, forwarding
from tests.services.certificates import Certificates

ROUNDS = 3


class Full(NamedTuple):
    """A journal with events in it, a directory to work in, and certificates."""

    gate: Forwarding
    directory: Path
    certificates: Certificates


@asynccontextmanager
async def full_journal(events: int) -> AsyncIterator[Full]:
    expect_windows()  # as the forward process does
    with tempfile.TemporaryDirectory(prefix="eventgate-bench-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # the database's account has to get in
        for part in ("certificates", "receiver"):
            (directory / part).mkdir()
        certificates = Certificates.make(directory / "certificates")
        async with EmbeddedPostgres(directory / "postgres") as postgres:
            await migrate(postgres.url)
            pool = await open_pool(postgres.url, size=5)
            async with forwarding(pool, postgres.url) as gate:
                await _fill(gate, events)
                yield Full(gate, directory / "receiver", certificates)
            await pool.close()


async def _fill(gate: Forwarding, events: int) -> None:
    site, start = Site(), int(time.time() * 1000) - events
    for first in range(0, events, 500):
        await gate.appender.append(site.write(start + first, min(500, events - first)))


async def drained(gate: Forwarding, events: int, *plans: Plan) -> float:
    """Seconds from starting the loops of some sinks to the last event counted by each and its cursor saved."""
    begun = time.perf_counter()
    async with gate.running(*plans):
        for plan in plans:
            while (await gate.stores.cursors.look(reader(plan.name))).totals.delivered < events:
                await asyncio.sleep(0.05)
        took = time.perf_counter() - begun
        for plan in plans:
            await gate.until_done(plan.name)
    return took


async def compare(
    what: str,
    events: int,
    *,
    ours: Callable[[int], Awaitable[float]],
    bare: Callable[[], Awaitable[float]],
    against: str,
    between: Callable[[], Awaitable[None]],
) -> None:
    """Both in turn, some rounds; each returns its seconds, and ``between`` lets the receiver catch up."""
    rates: dict[str, list[float]] = {"bare loop": [], "EventGate": []}
    for turn in range(ROUNDS):
        for who, found in rates.items():
            used = time.process_time()
            found.append(events / await (bare() if who == "bare loop" else ours(turn)))
            used = (time.process_time() - used) / events * 1e6
            print(f"{what}, round {turn + 1}, {who}: {found[-1]:,.0f} events/s, {used:.1f} µs of CPU each", flush=True)
            await between()
    theirs, mine = rates.values()
    row(
        what,
        f"{statistics.median(mine):,.0f}/s",
        f"{against}: {statistics.median(theirs):,.0f}/s",
        statistics.median(one / other for one, other in zip(mine, theirs, strict=True)),
        "0.80",
    )


async def quiet(output: Path) -> None:
    """Wait until a receiver has nothing more to write."""
    size = -1
    async with asyncio.timeout(60):
        while size != (size := output.stat().st_size if output.exists() else 0):
            await asyncio.sleep(0.5)
