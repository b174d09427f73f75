"""How fast a full journal drains into rsyslog by RELP, beside a bare RELP loop of the same messages and window.

The bare loop has every message in memory, formatted, and does nothing but send while the window has room and count
answers. Both run in this process, in turn, into one rsyslog that writes to a file behind its own default queue, which
is empty again before the next begins. The processor time of this process is told beside.
``python -m benchmarks.relp_drain [EVENTS]``
"""

import asyncio
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from benchmarks.report import row
from benchmarks.rows import Site
from eventgate.app.collector import calm_collector
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.db.migrate import migrate
from eventgate.db.pool import open_pool
from eventgate.formats.rfc5424 import Rfc5424
from eventgate.sinks.definition import reader
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.services.certificates import Certificates
from tests.services.rsyslog import Rsyslog

EVENTS = 60_000
WINDOW = 128
ROUNDS = 3


async def main(events: int) -> None:
    calm_collector()  # as the forward process does
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)  # the database's account has to get in
        for part in ("certificates", "rsyslog"):
            (directory / part).mkdir()
        certificates = Certificates.make(directory / "certificates")
        with Rsyslog(directory / "rsyslog", certificates, queue="LinkedList") as rsyslog:
            async with EmbeddedPostgres(directory / "postgres") as postgres:
                await migrate(postgres.url)
                pool = await open_pool(postgres.url, size=5)
                async with forwarding(pool, postgres.url) as gate:
                    await _fill(gate, events)
                    await _measure(gate, rsyslog, events)
                await pool.close()


async def _fill(gate: Forwarding, events: int) -> None:
    site, start = Site(), int(time.time() * 1000) - events
    for first in range(0, events, 500):
        await gate.appender.append(site.write(start + first, min(500, events - first)))


async def _measure(gate: Forwarding, rsyslog: Rsyslog, events: int) -> None:
    encode, port = Rfc5424(), rsyslog.ports["relp"]
    ours: list[float] = []
    bare: list[float] = []
    messages = [
        encode(event, gate.stores.directory.names(event.company, event.sensor)) for event in await gate.stored()
    ]
    assert len(messages) == events
    for turn in range(ROUNDS):
        for rates, run in ((bare, _sent(port, messages)), (ours, _drained(gate, port, events, f"drain-{turn}"))):
            used = time.process_time()
            rates.append(events / await run)
            used = time.process_time() - used
            who = "bare loop" if rates is bare else "EventGate"
            print(
                f"round {turn + 1}, {who}: {rates[-1]:,.0f} events/s, {used / events * 1e6:.1f} µs of CPU each",
                flush=True,
            )
            await _written(rsyslog.output)
    row(
        f"RELP drain of {events:,} stored events into rsyslog",
        f"{statistics.median(ours):,.0f}/s",
        f"bare RELP loop, same messages and window of {WINDOW}: {statistics.median(bare):,.0f}/s",
        statistics.median(mine / theirs for mine, theirs in zip(ours, bare, strict=True)),
        "0.80",
    )


async def _drained(gate: Forwarding, port: int, events: int, name: str) -> float:
    """Seconds from starting the forward process's loop to the last event confirmed and its cursor saved."""
    plan = sink(name, "relp", format="rfc5424", address=f"127.0.0.1:{port}", window=WINDOW)
    begun = time.perf_counter()
    async with gate.running(plan):
        while (await gate.stores.cursors.look(reader(name))).totals.delivered < events:
            await asyncio.sleep(0.05)
        took = time.perf_counter() - begun
    await gate.until_done(name)
    return took


async def _written(output: Path) -> None:
    """Wait until rsyslog has nothing more to write."""
    size = -1
    async with asyncio.timeout(60):
        while size != (size := output.stat().st_size):
            await asyncio.sleep(0.5)


async def _sent(port: int, messages: Sequence[bytes]) -> float:
    begun = time.perf_counter()
    loop = asyncio.get_running_loop()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        offer = b"relp_version=0\ncommands=syslog"
        await loop.sock_sendall(connection, b"1 open %d %b\n" % (len(offer), offer))
        while b"\n" not in (await loop.sock_recv(connection, 65_536))[-1:]:
            pass
        sent = answered = 0
        while answered < len(messages):
            upto = min(len(messages), answered + WINDOW)
            if upto > sent:
                frames = [b"%d syslog %d %b\n" % (n + 2, len(messages[n]), messages[n]) for n in range(sent, upto)]
                await loop.sock_sendall(connection, b"".join(frames))
                sent = upto
            answered += (await loop.sock_recv(connection, 65_536)).count(b"200 OK\n")
    return time.perf_counter() - begun


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
