"""How fast a full journal drains over TCP, TLS and UDP into rsyslog and into a file, beside bare loops of the same.

A bare loop has every event in memory, decoded, and does what a client has to do: formats it, frames it, sends it, and
waits as EventGate does until it counts (TCP and TLS: the send queue is empty; file: it is synced), by windows of the
same size. It keeps no cursor, reads no journal, filters nothing.
``python -m benchmarks.stream_drain [EVENTS]``
"""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Iterator

import uvloop

from benchmarks.draining import Full, compare, drained, full_journal, quiet
from eventgate.event import Event
from eventgate.formats import Format
from eventgate.formats.json import encode as to_json
from eventgate.formats.rfc5424 import Rfc5424
from eventgate.forward.plan import Plan
from eventgate.forward.transports.connection import Connection
from eventgate.forward.transports.tls import TlsSettings, client_context
from eventgate.protocols.octet_counting import frame
from tests.integration.forwarding import sink
from tests.services.rsyslog import Rsyslog

EVENTS = 60_000
_WINDOW = 1000


async def main(events: int) -> None:
    async with full_journal(events) as full:
        with Rsyslog(full.directory, full.certificates, queue="LinkedList") as rsyslog:
            bench = _Bench(full, rsyslog, await full.gate.stored())
            for way in ("tcp", "tls", "udp", "file"):
                await bench.measure(way)


class _Bench:
    def __init__(self, full: Full, rsyslog: Rsyslog, events: list[Event]) -> None:
        self._full, self._rsyslog, self._events = full, rsyslog, events

    async def measure(self, way: str) -> None:
        events, gate = len(self._events), self._full.gate
        file = self._full.directory / "lines"
        bare = {"tcp": self._stream, "tls": self._stream, "udp": self._datagrams, "file": self._lines}[way]
        await compare(
            f"{way} drain of {events:,} stored events",
            events,
            ours=lambda turn: drained(gate, events, self._plan(way, turn)),
            bare=lambda: bare(way),
            against="bare loop that formats, frames and sends",
            between=lambda: quiet(file if way == "file" else self._rsyslog.output),
        )

    def _plan(self, way: str, turn: int) -> Plan:
        name = f"{way}-{turn}"
        if way == "file":
            return sink(name, way, path=self._full.directory / "lines")
        keys = {"ca_file": self._full.certificates.ca} if way == "tls" else {}
        return sink(name, way, format="rfc5424", address=f"localhost:{self._rsyslog.ports[way]}", **keys)

    def _windows(self, encode: Format) -> Iterator[list[bytes]]:
        names = self._full.gate.stores.directory.names
        for first in range(0, len(self._events), _WINDOW):
            yield [encode(event, names(event.company, event.sensor)) for event in self._events[first : first + _WINDOW]]

    async def _stream(self, way: str) -> float:
        begun = time.perf_counter()
        tls = client_context(TlsSettings(ca_file=self._full.certificates.ca)) if way == "tls" else None
        connection = await Connection.connect(f"localhost:{self._rsyslog.ports[way]}", tls)
        for window in self._windows(Rfc5424()):
            await connection.send(frame(window))
            while connection.unacknowledged():
                await asyncio.sleep(0.0005)
        connection.close()
        return time.perf_counter() - begun

    async def _datagrams(self, way: str) -> float:
        """As quick as EventGate's own: a receiver's buffer holds no more."""
        begun, loop = time.perf_counter(), asyncio.get_running_loop()
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect(("127.0.0.1", self._rsyslog.ports[way]))
            for window in self._windows(Rfc5424()):
                for number, message in enumerate(window):
                    if number % 32 == 0:
                        await asyncio.sleep(0.001)
                    await loop.sock_sendall(sock, message)
        return time.perf_counter() - begun

    async def _lines(self, way: str) -> float:
        begun = time.perf_counter()
        file = os.open(self._full.directory / f"{way}-bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for window in self._windows(to_json):
            await asyncio.to_thread(_synced, file, b"".join([line + b"\n" for line in window]))
        os.close(file)
        return time.perf_counter() - begun


def _synced(file: int, lines: bytes) -> None:
    os.write(file, lines)
    os.fdatasync(file)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
