"""What a dead sink costs the others: ingest, a file sink beside it, and the forward process's memory.

Two installations of the real ``eventgate serve`` take the same writes in turn: one has a file sink, the other a RELP
sink besides, whose rsyslog is dead, half of the time gone and half of the time silent. Then rsyslog comes back, and
every event is looked for in what it wrote.
``python -m benchmarks.dead_sink [--events 1000000]``; a million is the figure that counts, the default is fewer.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import uvloop

from benchmarks.load.memory import cpu_seconds, peak_mib
from benchmarks.load.requests import Writer
from benchmarks.report import row
from tests.services.certificates import Certificates
from tests.services.rsyslog import Rsyslog
from tests.serving import Serving

_EVENTS = 200_000
_BATCH = 500
_CONNECTIONS = 8
_TURNS = 4
_SLOWEST = 1_000
"""Events a second below which a phase is given up."""

_FILE = '[[sinks]]\nname = "file"\ntransport = "file"\nformat = "json"\npath = "{path}"\nkeep_files = 100\n'
_RELP = '[[sinks]]\nname = "relp"\ntransport = "relp"\nformat = "rfc5424"\naddress = "127.0.0.1:{port}"\n'
_ID = re.compile(rb'\[eventgate@32473 id=\\"([0-9a-f-]{36})\\"')


class _Took(NamedTuple):
    """Seconds until every write of a turn was answered, and until the file sink had all of it."""

    ingest: float = 0.0
    file: float = 0.0


class _Gate:
    """One installation, filled by one sensor."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._writer = Writer(serving.bootstrap)
        self.forward = serving.children()["forward"]

    async def turn(self, events: int) -> _Took:
        """Send so many events in signed batches, and wait until the file has them."""
        began = time.perf_counter()
        async with asyncio.timeout(30 + 2 * events / _SLOWEST):
            writes = iter(range(events // _BATCH))
            await asyncio.gather(*(self._send(writes) for _ in range(_CONNECTIONS)))
            ingest = time.perf_counter() - began
            await self.until_done("file")
        return _Took(ingest, time.perf_counter() - began)

    async def until_done(self, sink: str) -> dict[str, int]:
        """The ledger of a sink, once nothing is pending."""
        while (ledger := await asyncio.to_thread(self._ledger, sink))["pending"]:
            await asyncio.sleep(0.1)
        return ledger

    async def _send(self, writes: Iterator[int]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._serving.port)
        try:
            for _ in writes:
                writer.write(self._writer.request(self._writer.body(_BATCH)))
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]))
                assert head.startswith(b"HTTP/1.1 201"), head
        finally:
            writer.close()

    def _ledger(self, sink: str) -> dict[str, int]:
        bearer = {"Authorization": self._serving.bootstrap["adminAuthKey"]}
        asked = urllib.request.Request(f"{self._serving.url}/v2/sinks/{sink}", headers=bearer)
        with urllib.request.urlopen(asked, timeout=20) as answer:
            ledger: dict[str, int] = json.load(answer)
        return ledger


@contextmanager
def _gate(directory: Path, sinks: str) -> Iterator[_Gate]:
    directory.mkdir()
    directory.chmod(0o755)  # the database's account has to get in
    with Serving(directory, config=sinks.replace("{path}", str(directory / "events.jsonl"))) as serving:
        yield _Gate(serving)


async def _measure(directory: Path, events: int) -> None:
    with ExitStack() as stack:
        rsyslog = _rsyslog(directory)
        stack.callback(rsyslog.kill)
        calm = stack.enter_context(_gate(directory / "calm", _FILE))
        dead = stack.enter_context(_gate(directory / "dead", _FILE + _RELP.format(port=rsyslog.ports["relp"])))
        at_start = peak_mib(dead.forward)
        for gate in (calm, dead):  # warm: connections, caches, the first partition
            await gate.turn(10 * _BATCH)
        took: dict[_Gate, list[_Took]] = {calm: [], dead: []}
        for number in range(_TURNS):
            if number == _TURNS // 2:
                rsyslog.start()
                os.kill(rsyslog.pid, signal.SIGSTOP)  # accepts connections, answers nothing
            for gate in (calm, dead) if number % 2 else (dead, calm):  # who goes first finds a quieter machine
                took[gate].append(await gate.turn(events // _TURNS))
            ours, theirs = took[dead][-1], took[calm][-1]
            print(f"turn {number + 1}: {ours.ingest:.1f} s, the file {ours.file:.1f}; without it ", end="")
            print(f"{theirs.ingest:.1f} s, {theirs.file:.1f}", flush=True)
        _compare(f"ingest of {events:,} events in signed batches beside a dead sink", took[calm], took[dead], events, 0)
        _compare("the same to the last event in a file sink", took[calm], took[dead], events, 1)
        while_dead = peak_mib(dead.forward)
        used, began = cpu_seconds(dead.forward), time.perf_counter()
        os.kill(rsyslog.pid, signal.SIGCONT)
        async with asyncio.timeout(120 + events / _SLOWEST):
            ledger = await dead.until_done("relp")
        seconds, used = time.perf_counter() - began, cpu_seconds(dead.forward) - used
        caught_up = peak_mib(dead.forward)
        rsyslog.stop()  # it writes what it still holds
        lines, ids = _received(rsyslog.output)
    stored = ledger["stored"]
    row(
        "stored events found at the receiver once it is back",
        f"{len(ids):,} in {seconds:.0f} s ({stored / seconds:,.0f}/s, {used / stored * 1e6:.1f} µs of CPU each)",
        f"{stored:,} stored, {ledger['delivered']:,} counted as delivered, {lines - len(ids):,} seen twice",
        len(ids) / stored, "1.00",
    )  # fmt: skip
    row(
        "peak memory of the forward process that did this", f"{caught_up:.0f} MiB",
        f"{at_start:.0f} MiB at its start, {while_dead:.0f} before the receiver came back", None, "flat, under 150 MiB",
    )  # fmt: skip


def _compare(what: str, calm: list[_Took], dead: list[_Took], events: int, upto: int) -> None:
    ours, theirs = (sum(took[upto] for took in turns) for turns in (dead, calm))
    row(what, f"{events / ours:,.0f}/s", f"{events / theirs:,.0f}/s without it", theirs / ours, "1.00")


def _rsyslog(directory: Path) -> Rsyslog:
    """With a queue as it comes, which it empties before it stops."""
    for part in ("certificates", "rsyslog"):
        (directory / part).mkdir()
    return Rsyslog(directory / "rsyslog", Certificates.make(directory / "certificates"), queue="LinkedList")


def _received(output: Path) -> tuple[int, set[bytes]]:
    """How many lines a receiver wrote, and the ids in them."""
    ids, lines = set(), 0
    with output.open("rb") as file:
        for line in file:
            found = _ID.search(line)
            assert found is not None, line
            ids.add(found[1])
            lines += 1
    return lines, ids


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=_EVENTS)
    events = max(parser.parse_args().events, _TURNS * _BATCH)
    with tempfile.TemporaryDirectory(prefix="eventgate-bench-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        uvloop.run(_measure(directory, events))


if __name__ == "__main__":
    main()
