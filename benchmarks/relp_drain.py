"""How fast a full journal drains into rsyslog by RELP, beside a bare RELP loop of the same messages and window.

The bare loop has every message in memory, formatted, and does nothing but send while the window has room and count
answers. Both run in turn into one rsyslog that writes to a file behind its own default queue, which is empty again
before the next begins. ``python -m benchmarks.relp_drain [EVENTS]``
"""

import asyncio
import socket
import sys
import time
from collections.abc import Sequence

import uvloop

from benchmarks.draining import compare, drained, full_journal, quiet
from eventgate.formats.rfc5424 import Rfc5424
from eventgate.forward.plan import Plan
from tests.integration.forwarding import sink
from tests.services.rsyslog import Rsyslog

EVENTS = 60_000
WINDOW = 128


async def main(events: int) -> None:
    async with full_journal(events) as full:
        with Rsyslog(full.directory, full.certificates, queue="LinkedList") as rsyslog:
            encode, gate, port = Rfc5424(), full.gate, rsyslog.ports["relp"]
            messages = [
                encode(event, gate.stores.directory.names(event.company, event.sensor)) for event in await gate.stored()
            ]

            def plan(turn: int) -> Plan:
                address = f"127.0.0.1:{port}"
                return sink(f"drain-{turn}", "relp", format="rfc5424", address=address, window=WINDOW)

            await compare(
                f"RELP drain of {events:,} stored events into rsyslog",
                events,
                ours=lambda turn: drained(gate, events, plan(turn)),
                bare=lambda: _sent(port, messages),
                against=f"bare RELP loop, same messages and window of {WINDOW}",
                between=lambda: quiet(rsyslog.output),
            )


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
