"""How fast the journal's Appender commits, beside one connection's binary COPY of the same rows into the same table.

The bare COPY has its rows packed beforehand and knows nothing of journal, chain, payload or repeats. Everything commits
with fsync. ``python -m benchmarks.append [EVENTS]``
"""

import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import asyncpg
import uvloop

from benchmarks.report import row
from benchmarks.rows import Site
from eventgate.clock import SystemClock
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.db.migrate import migrate
from eventgate.event import Event
from eventgate.journal.appender import Appender
from eventgate.journal.rows import COLUMNS, copy_body, pack

EVENTS = 60_000
ROUNDS = 3
IN_FLIGHT = 8


def writes_of(events: int, size: int, part: int) -> list[list[Event]]:
    """The writes of one appender: ``events`` in writes of ``size``, other ones for each part and each call."""
    return list(Site(seed=time.time_ns() + part).writes(int(time.time() * 1000) - events, events // size, size))


async def bare_copy(url: str, events: int, size: int) -> float:
    """Events a second through one connection, a COPY and a commit for each ``size`` rows."""
    bodies = [copy_body(-number, sorted(pack(write))) for number, write in enumerate(writes_of(events, size, 0))]
    connection = await asyncpg.connect(url)
    statement = f"COPY events ({COLUMNS}) FROM STDIN (FORMAT binary)"
    started = time.monotonic()
    for body in bodies:
        await connection._copy_in(statement, body, None)
    elapsed = time.monotonic() - started
    await connection.close()
    return events / elapsed


class Share(NamedTuple):
    """What one appender process has to do: ``events`` in writes of ``size``; each ``repeats``-th write goes to both."""

    url: str
    part: int
    events: int
    size: int
    connections: int
    repeats: int


def appender_process(share: Share, line: Connection) -> None:
    """Append as told; answer with the moments of the first and the last write, and the processor time in between."""

    async def run() -> tuple[float, float, float]:
        writes = writes_of(share.events, share.size, share.part)
        if share.repeats:
            line.send(writes[:: share.repeats])
            again = line.recv()
            writes = [
                write for pair in zip(writes, _spread(again, len(writes)), strict=True) for write in pair if write
            ]
        async with Appender(share.url, SystemClock(), connections=share.connections) as appender:
            pending = iter(writes)

            async def writer() -> None:
                for write in pending:
                    await appender.append(write)

            line.send("ready")
            line.recv()
            started, used = time.monotonic(), time.process_time()
            await asyncio.gather(*(writer() for _ in range(IN_FLIGHT)))
            return started, time.monotonic(), time.process_time() - used

    line.send(uvloop.run(run()))


def _spread(few: Sequence[list[Event]], places: int) -> list[list[Event] | None]:
    spread: list[list[Event] | None] = [None] * places
    for number, write in enumerate(few):
        spread[number * places // len(few)] = write
    return spread


def appenders(url: str, processes: int, events: int, size: int, repeats: int = 0) -> tuple[float, float]:
    """Events stored a second by so many processes together, and their processor time for an event in microseconds."""
    context = multiprocessing.get_context("spawn")
    lines, running = [], []
    for part in range(processes):
        ours, theirs = context.Pipe()
        share = Share(url, part, events // processes, size, 2 // processes, repeats)
        running.append(context.Process(target=appender_process, args=(share, theirs)))
        running[-1].start()
        lines.append(ours)
    if repeats:
        first = [line.recv() for line in lines]
        for line, again in zip(lines, reversed(first), strict=True):
            line.send(again)
    assert [line.recv() for line in lines] == ["ready"] * processes
    for line in lines:
        line.send("go")
    results = [line.recv() for line in lines]
    for process in running:
        process.join()
    starts, ends, used = zip(*results, strict=True)
    return events / (max(ends) - min(starts)), 1e6 * sum(used) / events


async def main(events: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)  # the database's account has to get in
        async with EmbeddedPostgres(directory / "postgres") as postgres:
            await migrate(postgres.url)
            cases = {
                "events/s appended in writes of 500, 1 process": (500, 1, 0, "1.0"),
                "the same, 2 processes": (500, 2, 0, "1.0"),
                "the same in writes of 100": (100, 2, 0, "0.75"),
                "the same, a tenth of the writes sent to both": (100, 2, 10, "0.6"),
            }
            measured: dict[str, list[tuple[float, float, float]]] = {what: [] for what in cases}
            for _ in range(ROUNDS):
                for what, (size, processes, repeats, _aim) in cases.items():
                    bare = await bare_copy(postgres.url, events, 500)
                    ours, used = await asyncio.to_thread(appenders, postgres.url, processes, events, size, repeats)
                    measured[what].append((ours / bare, ours, used))
            for what, (*_, aim) in cases.items():
                ratio, ours, used = sorted(measured[what])[ROUNDS // 2]
                row(what, f"{ours:,.0f}/s ({used:.1f} µs CPU each)", f"{ours / ratio:,.0f}/s by bare COPY", ratio, aim)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
