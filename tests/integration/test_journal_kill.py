"""Promises 1, 2 and 7 of the journal: appenders and PostgreSQL are killed (kill -9) while they append the same events.

Several processes append overlapping writes, so that repeats and conflicts meet in flight, and write down what they
were told. Afterwards what they were told must be what is stored. Run as a program, this module is such a process.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self
from uuid import UUID

import asyncpg
import pytest

from eventgate.clock import SystemClock
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.db.migrate import migrate
from eventgate.errors import Unavailable
from eventgate.event import Event, Kind, Origin
from eventgate.ids import uuid7
from eventgate.journal.appender import Appender
from eventgate.journal.chain import verify
from eventgate.journal.content import canonical, content_digest
from tests.patience import PATIENCE

COMPANIES = (UUID(int=1), UUID(int=2))
APPENDERS = 4


def event(number: int, variant: int, base_ms: int) -> Event:
    """Event ``number``; variants of it have the same id and other content."""
    pick = random.Random(number)
    members = {"number": number, "variant": variant, "data": {"padding": "x" * pick.randrange(200)}}
    company, sensor = pick.choice(COMPANIES), UUID(int=100 + number % 7)
    # Neighbours lie days apart, so that one group reaches many partitions.
    ms = base_ms - pick.randrange(20) * 86_400_000 + number
    return Event(
        company=company, id=uuid7(ms, pick.randbytes(10)), kind=Kind.ALERT, sensor=sensor, timestamp=ms,
        received=base_ms, code="DEAUTHFLOOD", category=1, severity=5, message=f"number {number}",
        data=canonical(members["data"]), event_id=None, sequence=number, key=None, verify_key=None,
        content_digest=content_digest(sensor, canonical(members)), origin=Origin.SENSOR, raw=canonical(members),
    )  # fmt: skip


async def append_until_terminated(url: str, base_ms: int, seed: int) -> None:
    """Append windows of numbers that move with the clock; tell each fate on a line of standard output."""
    pick = random.Random(seed)
    terminated = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set)

    async def writer(appender: Appender) -> None:
        while not terminated.is_set():
            front = int((time.time() * 1000 - base_ms) * 2)
            numbers = sorted(front + pick.randrange(-100, 100) for _ in range(pick.randrange(1, 12)))
            variants = [int(pick.random() < 0.02) for _ in numbers]
            events = [event(*chosen, base_ms) for chosen in zip(numbers, variants, strict=True)]
            try:
                appended = await appender.append(events)
                fates = [(status.value, *place) for status, *place in appended.outcomes]
            except Unavailable:
                fates = [("unknown", 0, 0)] * len(numbers)
                await asyncio.sleep(0.1)
            told = [(*chosen, *fate) for *chosen, fate in zip(numbers, variants, fates, strict=True)]
            os.write(1, json.dumps(told).encode() + b"\n")

    while not terminated.is_set():
        with suppress(Unavailable):  # started while PostgreSQL is away
            async with Appender(url, SystemClock(), connections=2) as appender:
                await asyncio.gather(*(writer(appender) for _ in range(12)))


class Appenders:
    """The processes, and the file in which each writes down what it was told."""

    def __init__(self, url: str, directory: Path, base_ms: int) -> None:
        self._url = url
        self._directory = directory
        self._base_ms = base_ms
        self._running: list[asyncio.subprocess.Process] = []
        self._started = 0
        self.killed = 0

    async def __aenter__(self) -> Self:
        for _ in range(APPENDERS):
            await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Kill those that still run."""
        for process in self._running:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            self.killed += 1

    async def start(self) -> None:
        self._started += 1
        with (self._directory / f"told-{self._started}").open("wb") as told:
            self._running.append(
                await asyncio.create_subprocess_exec(
                    sys.executable, "-m", __name__, self._url, str(self._base_ms), str(self._started), stdout=told
                )
            )

    async def have_told(self, more: int) -> None:
        """Wait until they have told so many bytes more, however slow the machine is."""
        goal = self._told_bytes() + more
        async with asyncio.timeout(PATIENCE):
            while self._told_bytes() < goal:
                await asyncio.sleep(0.02)

    def _told_bytes(self) -> int:
        return sum(path.stat().st_size for path in self._directory.glob("told-*"))

    async def kill_one(self) -> None:
        victim = self._running.pop(0)
        assert victim.returncode is None, "an appender ended by itself"
        victim.kill()
        await victim.wait()
        self.killed += 1

    async def end_all(self) -> None:
        """Let each finish what it began, and tell it."""
        for process in self._running:
            process.terminate()
        assert [await process.wait() for process in self._running] == [0] * len(self._running)
        self._running.clear()

    def told(self) -> list[tuple[int, int, str, int, int]]:
        """Everything that was told, but for a last line cut short by a kill."""
        told = []
        for path in self._directory.glob("told-*"):
            for line in path.read_bytes().splitlines(keepends=True):
                if line.endswith(b"\n"):
                    told += [tuple(one) for one in json.loads(line)]
        return told


@pytest.fixture
async def postgres(public_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    async with EmbeddedPostgres(public_path / "postgres", settings={"fsync": "off"}) as running:
        await migrate(running.url)
        yield running


async def kill_postmaster(postgres: EmbeddedPostgres) -> None:
    assert postgres.pid
    os.kill(postgres.pid, signal.SIGKILL)
    await postgres.exited()
    await postgres.start()


async def kill_backend(postgres: EmbeddedPostgres) -> None:
    """Kill a backend in the middle of an append: PostgreSQL then ends all connections and recovers."""
    with suppress(asyncpg.PostgresError, OSError):
        connection = await asyncpg.connect(postgres.url)
        pid = await connection.fetchval(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'eventgate-append' ORDER BY state LIMIT 1"
        )
        if pid:
            os.kill(pid, signal.SIGKILL)
        connection.terminate()


async def compare(url: str, told: Sequence[tuple[int, int, str, int, int]], base_ms: int) -> Counter[str]:
    """Hold what was told against what is stored; count what was told."""
    connection = await asyncpg.connect(url)
    try:
        verdict = await verify(connection)
        assert verdict.holds, verdict.breaks
        rows = await connection.fetch(
            "SELECT company, id, content_digest, position, index FROM events JOIN journal USING (batch)"
        )
        assert len(rows) == verdict.events
        stored = {(row["company"], row["id"]): row for row in rows}
        assert len(stored) == len(rows), "an id is stored twice"
    finally:
        await connection.close()
    accepted: Counter[int] = Counter()
    counted: Counter[str] = Counter()
    for number, variant, status, *place in told:
        counted[status] += 1
        if status == "unknown":
            continue
        said = event(number, variant, base_ms)
        row = stored[said.company, said.id]
        assert [row["position"], row["index"]] == place
        assert (row["content_digest"] == said.content_digest) == (status != "conflict")
        accepted[number] += status == "accepted"
    assert max(accepted.values()) == 1, "an event was accepted twice"
    doubtful = {number for number, _, status, *_ in told if status == "unknown"}
    counted["stored without anybody having been told"] = sum(
        1 for number, times in accepted.items() if times == 0 and number not in doubtful
    )
    return counted


async def test_acknowledged_means_committed_and_told_apart_rightly_while_postgres_is_killed(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    base_ms = int(time.time() * 1000)
    async with Appenders(postgres.url, tmp_path, base_ms) as appenders:
        for kill in (kill_backend, kill_postmaster, kill_backend):
            await appenders.have_told(100_000)
            await kill(postgres)
        await appenders.have_told(100_000)
        await appenders.end_all()
    counted = await compare(postgres.url, appenders.told(), base_ms)
    assert counted["accepted"] > 500
    assert counted["duplicate"] > 500
    assert counted["conflict"] > 10
    # No appender was killed: each event that somebody met as a duplicate was accepted of somebody.
    assert counted["stored without anybody having been told"] == 0


async def test_acknowledged_means_committed_while_appenders_and_postgres_are_killed(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    base_ms = int(time.time() * 1000)
    async with Appenders(postgres.url, tmp_path, base_ms) as appenders:
        for round_number in range(6):
            await appenders.have_told(50_000)
            await appenders.kill_one()
            await appenders.start()
            if round_number == 3:
                await kill_postmaster(postgres)
        await appenders.have_told(50_000)
    counted = await compare(postgres.url, appenders.told(), base_ms)
    assert counted["accepted"] > 500
    assert counted["duplicate"] > 500
    assert counted["conflict"] > 10
    assert appenders.killed == 6 + APPENDERS


if __name__ == "__main__":
    asyncio.run(append_until_terminated(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
