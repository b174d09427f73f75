"""Signed writes: how many a second, how long they take, and what an overload costs, each against its limit in this run.

Starts the real ``eventgate serve`` on temporary directories, and wrk. Takes about three minutes.
"""

import asyncio
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import asyncpg
from backports import zstd

from benchmarks.load.requests import Writer, save
from benchmarks.load.wrk import Measured, demand_wrk, replay
from benchmarks.report import row
from benchmarks.rows import Site
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.journal.rows import COLUMNS, copy_body, pack
from tests.services.ports import free_port
from tests.serving import Serving

_SECONDS = 5
_GROUP = 2_000
"""Rows in one transaction of the bare COPY, as many as the journal puts into a group."""


@contextmanager
def _gate(directory: Path, workers: int) -> Iterator[Serving]:
    directory.mkdir()
    directory.chmod(0o755)
    with Serving(directory, workers=workers) as serving:
        yield serving


@contextmanager
def _bare_handler() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.load.bare", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def _measure(serving: Serving, writer: Writer, size: int, count: int) -> Measured:
    prefix = serving.data.parent / "requests"
    save(prefix, [list(writer.requests(count, size))])
    return replay(serving.url, prefix, seconds=_SECONDS)


def singles(directory: Path) -> float:
    """Rows one and two; the rate of two processes."""
    directory.mkdir()
    directory.chmod(0o755)
    with _gate(directory / "one", 1) as one, _gate(directory / "two", 2) as two, _bare_handler() as bare:
        writers = {one: Writer(one.bootstrap), two: Writer(two.bootstrap)}
        for serving, writer in writers.items():  # warm: connections, caches, the first partition
            save(directory / "warm", [list(writer.requests(2_000, 1))])
            replay(serving.url, directory / "warm", seconds=1)
        limits, ones, twos = [], [], []
        for _ in range(2):
            limits.append(replay(bare, directory / "warm", seconds=_SECONDS).rate)
            ones.append(_measure(one, writers[one], 1, 6_000 * _SECONDS).rate)
            twos.append(_measure(two, writers[two], 1, 9_000 * _SECONDS).rate)
    limit, single, double = median(limits), median(ones), median(twos)
    row(
        "signed single-event writes, one ingest process, 64 connections",
        f"{single:,.0f}/s", f"{limit:,.0f}/s by a handler with one bare verify", single / limit, "0.70",
    )  # fmt: skip
    row("the same with 2 ingest processes", f"{double:,.0f}/s", f"{single:,.0f}/s with one", double / single, "1.6")
    return double


def batches(directory: Path) -> None:
    """Rows three, four and five, all with two processes, each beside a bare COPY of the same rows."""
    with _gate(directory, 2) as gate:
        writer = Writer(gate.bootstrap)
        for size, aim in ((500, "0.75"), (100, "50 k/s where that COPY does 80 k")):
            _measure(gate, writer, size, 100)
            copies, ours = [], []
            for _ in range(2):
                copies.append(asyncio.run(_bare_copy(gate)))
                ours.append(_measure(gate, writer, size, 60_000 * _SECONDS // size).rate * size)
            limit, rate = median(copies), median(ours)
            row(
                f"events committed in signed batches of {size}, 2 ingest processes",
                f"{rate:,.0f}/s", f"{limit:,.0f}/s by one connection's binary COPY", rate / limit, aim,
            )  # fmt: skip
        calm, storm = [], []
        for _ in range(2):
            calm.append(_measure(gate, writer, 100, 600 * _SECONDS).rate)
            storm.append(_storm(gate, writer))
        row(
            "writes of a retry storm: a tenth of them sent twice, to different workers as it comes",
            f"{median(storm) * 100:,.0f} events/s", f"{median(calm) * 100:,.0f}/s without",
            median(storm) / median(calm), "0.8",
        )  # fmt: skip


def _storm(gate: Serving, writer: Writer) -> float:
    """Writes stored a second while each tenth one is sent a second time right after, on another connection."""
    prefix = gate.data.parent / "storm"
    requests = list(writer.requests(600 * _SECONDS, 100))
    save(prefix, [[again for n, request in enumerate(requests) for again in [request] * (1 + (n % 10 == 0))]])
    return replay(gate.url, prefix, seconds=_SECONDS).rate * 10 / 11


async def _bare_copy(gate: Serving) -> float:
    """Rows a second by one connection: the same kind of rows into the same table, in groups, each committed."""
    connection = await asyncpg.connect(EmbeddedPostgres(gate.data / "postgres").url_of_running())
    start = int(time.time() * 1000)
    groups = []
    for number in range(30):
        events = Site(1, 1, seed=time.time_ns()).write(start + number, _GROUP, step_ms=0)
        groups.append(copy_body(-1 - number, sorted(pack(events), key=lambda packed: packed.key)))
    schema, columns = "public", COLUMNS.split(", ")
    began = time.perf_counter()
    for group in groups:
        await connection.copy_to_table("events", source=group, columns=columns, schema_name=schema, format="binary")
    seconds = time.perf_counter() - began
    await connection.execute("DELETE FROM events WHERE batch < 0")
    await connection.close()
    return len(groups) * _GROUP / seconds


def latency(directory: Path, limit: float) -> None:
    """How long a lone event takes from POST to 201 at half of what two processes can."""
    with _gate(directory, 2) as gate:
        writer = Writer(gate.bootstrap)
        _measure(gate, writer, 1, 2_000)
        rate = limit / 2
        save(directory / "paced", [list(writer.requests(int(rate * _SECONDS), 1))])
        times = _run("pace", gate.port, directory / "paced.0", rate)
    row(
        f"from POST to 201 at {rate:,.0f} writes/s, half the maximum rate",
        f"p50 {times['p50']:.1f} ms, p99 {times['p99']:.1f} ms", f"{times['under_25_ms']:.1%} under 25 ms",
        None, "99 % under 25 ms",
    )  # fmt: skip


def overload(directory: Path) -> None:
    """The most memory that an ingest process takes while everything comes at once."""
    with _gate(directory, 1) as gate:
        writer = Writer(gate.bootstrap)
        worker = gate.children()["worker-1"]
        _measure(gate, writer, 1, 2_000)
        before = _peak(worker)
        save(directory / "flood", [_hostile(writer)])
        seen = _run("flood", gate.port, directory / "flood.0", 3 * _SECONDS)
        after = _peak(worker)
    answers = ", ".join(f"{count:,} of {status}" for status, count in sorted(seen.items()))
    row(
        "peak memory of an ingest process under overload", f"{after:,.0f} MiB",
        f"{before:,.0f} MiB before; {answers}", None, "under 150 MiB",
    )  # fmt: skip


def _hostile(writer: Writer) -> list[bytes]:
    """The largest legal writes in every form, bombs, too much, unsigned, and small ones between them."""
    bomb = zstd.compress(bytes(1 << 30))
    requests = []
    for _ in range(8):
        inflated = writer.body(5_000, filling=1_200)
        requests += [
            writer.request(writer.body(5_000, filling=560)),
            writer.request(gzip.compress(inflated, 1), Content_Encoding="gzip"),
            writer.request(zstd.compress(writer.body(5_000, filling=1_200)), Content_Encoding="zstd"),
            writer.request(bomb, Content_Encoding="zstd"),
            writer.request(writer.body(5_000, filling=700)),
            writer.request(writer.body(5_000, filling=560)).replace(b"keyid", b"keyed"),
            *writer.requests(3, 500),
            *writer.requests(3, 1),
        ]
    return requests


def _peak(pid: int) -> float:
    """The most resident memory a process ever had, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _run(module: str, *arguments: object) -> dict[str, float]:
    command = [sys.executable, "-m", f"benchmarks.load.{module}", *map(str, arguments)]
    answer: dict[str, float] = json.loads(
        subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120).stdout
    )
    return answer


def main() -> None:
    demand_wrk()
    with tempfile.TemporaryDirectory(prefix="eventgate-bench-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        limit = singles(directory / "singles")
        batches(directory / "batches")
        latency(directory / "latency", limit)
        overload(directory / "overload")


if __name__ == "__main__":
    main()
