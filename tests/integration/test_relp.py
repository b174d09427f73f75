"""RELP into a real rsyslog, in the clear and over TLS: every field, nothing lost whoever is killed, refusals."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from eventgate.errors import Disconnected
from eventgate.event import SensorNames
from eventgate.formats.json import encode
from eventgate.forward.transports.relp import Relp, RelpSettings
from eventgate.journal.cursors import START
from eventgate.sinks.definition import State
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.integration.test_syslog import EVENTS, MESSAGES, window
from tests.services.certificates import Certificates
from tests.services.rsyslog import Rsyslog
from tests.unit.formats.samples import ALERT
from tests.unit.formats.strict_rfc5424 import params_of


@pytest.fixture
async def gate(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(pool, database_url) as opened:
        yield opened


def relp_to(rsyslog: Rsyslog, certificates: Certificates | None = None) -> Relp:
    if certificates is None:
        return Relp(RelpSettings(address=f"localhost:{rsyslog.ports['relp']}"))
    return Relp(
        RelpSettings(
            address=f"localhost:{rsyslog.ports['relp_tls']}",
            tls=True,
            ca_file=certificates.ca,
            certificate_file=certificates.client,
            key_file=certificates.client_key,
        )
    )


@pytest.mark.parametrize("secure", [False, True], ids=["clear", "tls"])
async def test_every_field_arrives_and_is_confirmed(rsyslog: Rsyslog, certificates: Certificates, secure: bool) -> None:
    transport = relp_to(rsyslog, certificates if secure else None)
    await transport.probe()
    await transport.open(START)
    delivery = await transport.deliver(window(*EVENTS.values()))
    received = rsyslog.received()  # confirmed means written: there is nothing to wait for
    await transport.close()
    assert (delivery.finished, delivery.refused, delivery.failure) == (3, [], None)
    lines = {params_of(line["structured_data"])["id"]: line for line in received}
    for name, event in EVENTS.items():
        line = lines[str(event.id)]
        assert line["input"] == ("relp_tls" if secure else "relp")
        assert line["message"].removeprefix("\ufeff") == MESSAGES[name]
        assert params_of(line["structured_data"])["edgeId"] == str(event.sensor)


@pytest.mark.parametrize("ours", ["no certificate", "a stranger's certificate"])
async def test_who_is_not_known_gets_no_further_than_the_door(
    rsyslog: Rsyslog, certificates: Certificates, tmp_path: Path, ours: str
) -> None:
    strangers = Certificates.make(tmp_path)
    keys = {} if ours == "no certificate" else {"certificate_file": strangers.client, "key_file": strangers.client_key}
    address = f"localhost:{rsyslog.ports['relp_tls']}"
    transport = Relp(RelpSettings(address=address, tls=True, ca_file=certificates.ca, timeout_seconds=5, **keys))
    with pytest.raises(Disconnected):
        await transport.open(START)
    await transport.close()
    assert rsyslog.received() == []


async def test_a_receiver_signed_by_nobody_we_trust_gets_nothing(rsyslog: Rsyslog, certificates: Certificates) -> None:
    address = f"localhost:{rsyslog.ports['relp_tls']}"
    transport = Relp(RelpSettings(address=address, tls=True, ca_file=certificates.stranger_ca))
    with pytest.raises(Disconnected, match="certificate does not pass"):
        await transport.open(START)
    await transport.close()


@pytest.mark.parametrize("secure", [False, True], ids=["clear", "tls"])
async def test_thousands_in_order_through_the_window(
    rsyslog: Rsyslog, certificates: Certificates, secure: bool
) -> None:
    transport = relp_to(rsyslog, certificates if secure else None)
    await transport.open(START)
    for first in range(0, 4000, 2000):
        delivery = await transport.deliver(window(*(ALERT._replace(sequence=n) for n in range(first, first + 2000))))
        assert delivery.finished == 2000
    await transport.close()
    sequences = [params_of(line["structured_data"])["sequence"] for line in rsyslog.received()]
    assert sequences == [str(n) for n in range(4000)]


async def test_a_receiver_killed_in_a_window_leaves_what_it_confirmed_finished(rsyslog: Rsyslog) -> None:
    transport = relp_to(rsyslog)
    await transport.open(START)
    delivering = asyncio.create_task(transport.deliver(window(*(ALERT._replace(sequence=n) for n in range(20_000)))))
    await rsyslog.wait_for(500)
    rsyslog.kill()
    delivery = await delivering
    await transport.close()
    assert isinstance(delivery.failure, Disconnected)
    assert 0 < delivery.finished < 20_000
    assert len(rsyslog.received()) >= delivery.finished


@pytest.mark.parametrize("secure", [False, True], ids=["clear", "tls"])
async def test_killing_rsyslog_in_the_middle_of_a_stream_loses_nothing(
    gate: Forwarding, rsyslog: Rsyslog, certificates: Certificates, secure: bool
) -> None:
    port = rsyslog.ports["relp_tls" if secure else "relp"]
    keys = (
        {
            "tls": True,
            "ca_file": certificates.ca,
            "certificate_file": certificates.client,
            "key_file": certificates.client_key,
        }
        if secure
        else {}
    )
    stored = await gate.store(20_000)
    async with gate.running(sink("out", "relp", format="rfc5424", address=f"localhost:{port}", **keys)):
        for kill_at in (2_000, 7_000, 12_000):
            await rsyslog.wait_for(kill_at)
            rsyslog.kill()
            await gate.until("out", lambda status: status.state is State.RETRYING)
            rsyslog.start()
        status = await gate.until_done("out")
    seen = Counter(params_of(line["structured_data"])["id"] for line in rsyslog.received())
    assert set(seen) == {str(event.id) for event in stored}
    assert status.ledger.delivered == len(stored)
    # Only what was on its way without an answer may come twice: a window for each kill.
    assert seen.total() - len(seen) <= 3 * 128


async def test_events_too_long_for_the_receiver_are_dead_letters_and_hold_up_nobody(
    gate: Forwarding, rsyslog: Rsyslog
) -> None:
    stored = await gate.store(300)
    middle = sorted(len(encode(event, SensorNames(str(event.sensor), None))) for event in stored)[150]
    out = sink("out", "relp", address=f"localhost:{rsyslog.ports['relp']}", header="none", max_message_bytes=middle)
    async with gate.running(out):
        status = await gate.until_done("out")
    letters = await gate.deaths("out")
    assert 0 < len(letters) == status.ledger.dead < 300
    assert status.ledger.delivered == 300 - len(letters)
    assert {letter["event"] for letter in letters} <= {event.id for event in stored}
    assert "more than" in letters[0]["reason"]


@asynccontextmanager
async def peer(says: bytes) -> AsyncIterator[str]:
    """A server that says one thing to whoever connects, and then nothing; its address."""
    over = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(says)
        await over.wait()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        over.set()
        await asyncio.sleep(0)


async def test_a_peer_that_does_not_speak_relp_is_said_so() -> None:
    async with peer(b"SSH-2.0-OpenSSH_9.2\r\n" * 9) as address:
        transport = Relp(RelpSettings(address=address))
        with pytest.raises(Disconnected, match="expected a RELP frame"):
            await transport.open(START)
        await transport.close()


async def test_a_silent_peer_is_left_after_a_while() -> None:
    async with peer(b"") as address:
        transport = Relp(RelpSettings(address=address, timeout_seconds=0.2))
        with pytest.raises(Disconnected, match="answered nothing"):
            await transport.open(START)
        await transport.close()
