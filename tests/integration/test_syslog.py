"""RFC 5424 over UDP, TCP and TLS, received by a real rsyslog and a real syslog-ng and read back field by field."""

import re
import socket
from datetime import datetime

import pytest

from eventgate.errors import Disconnected
from eventgate.event import Event
from eventgate.formats.rfc5424 import Rfc5424
from eventgate.forward.transports import Outgoing, Transport, Window
from eventgate.forward.transports.stream import SecureSettings, SyslogStream, TcpSettings
from eventgate.forward.transports.udp import SyslogDatagrams, UdpSettings
from eventgate.ids import uuid7
from eventgate.journal.cursors import START, Cursor
from tests.services.certificates import Certificates
from tests.services.rsyslog import Rsyslog
from tests.services.syslog_receiver import SyslogReceiver
from tests.unit.formats.samples import ALERT, HOSTILE, NAMES, SIGHTING
from tests.unit.formats.strict_rfc5424 import params_of

FORMAT = Rfc5424()
EVENTS = {
    "alert": ALERT,
    "hostile": HOSTILE._replace(id=uuid7(HOSTILE.timestamp, b"hostile-id")),
    "sighting": SIGHTING._replace(id=uuid7(SIGHTING.timestamp, b"a-sighting")),
}
MESSAGES = {
    "alert": ALERT.message,
    "hostile": "\u2400 caf\u00e9 \u240a<34>1 2025-01-01T00:00:00Z forged - - - -",
    "sighting": "",
}


def window(*events: Event) -> Window:
    return Window([Outgoing(each, NAMES, Cursor(1, n), FORMAT(each, NAMES)) for n, each in enumerate(events)], START)


def transport_to(receiver: SyslogReceiver, port: str, certificates: Certificates) -> Transport:
    known = "tcp" if port == "lines" and "lines" not in receiver.ports else port
    address = f"localhost:{receiver.ports[known]}"
    match port:
        case "udp":
            return SyslogDatagrams(UdpSettings(address=address))
        case "tcp":
            return SyslogStream(TcpSettings(address=address))
        case "lines":
            return SyslogStream(TcpSettings(address=address, framing="newline"))
        case "tls":
            return SyslogStream(SecureSettings(address=address, ca_file=certificates.ca))
    return SyslogStream(
        SecureSettings(
            address=address,
            ca_file=certificates.ca,
            certificate_file=certificates.client,
            key_file=certificates.client_key,
        )
    )


@pytest.fixture
def receiver(request: pytest.FixtureRequest) -> SyslogReceiver:
    """By its name, the test's parameter."""
    found: SyslogReceiver = request.getfixturevalue(request.param)
    return found


WAYS = [
    *(("rsyslog", port, port) for port in ("udp", "tcp", "tls", "mutual_tls", "gnutls")),
    ("rsyslog", "lines", "tcp"),  # it tells the two framings apart by the first octet
    *(("syslogng", port, port) for port in ("udp", "tcp", "lines", "tls", "mutual_tls")),
]


@pytest.mark.parametrize(("receiver", "port", "way_in"), WAYS, indirect=["receiver"])
async def test_every_field_arrives(
    receiver: SyslogReceiver, port: str, way_in: str, certificates: Certificates
) -> None:
    transport = transport_to(receiver, port, certificates)
    await transport.probe()
    assert await transport.open(START) == START
    delivery = await transport.deliver(window(*EVENTS.values()))
    assert (delivery.finished, delivery.refused, delivery.failure) == (3, [], None)
    received = await receiver.wait_for(3)
    await transport.close()

    lines = {params_of(line["structured_data"])["id"]: line for line in received}
    assert len(received) == len(lines) == 3
    for name, event in EVENTS.items():
        line = lines[str(event.id)]
        params = params_of(line["structured_data"])
        assert line["input"] == way_in
        assert line["pri"] == str(16 * 8 + (6 if event is EVENTS["sighting"] else 2))
        assert datetime.fromisoformat(line["timestamp"]).timestamp() == event.timestamp / 1000
        assert (line["hostname"], line["app_name"]) == ("EG-0001", "eventgate")
        assert line["procid"] in ("", "-")
        assert line["msgid"] == (re.sub(r"[^!-~]", "_", event.code) if event.code else "sighting")
        assert line["message"].removeprefix("\ufeff") == MESSAGES[name]
        assert params["companyId"] == str(event.company)
        assert params["edgeId"] == str(event.sensor)
        assert params["data"] == event.data.decode().translate(str.maketrans("\t\r\n", "   "))
        assert params.get("alertCode") == (event.code.replace("\n", "\u240a") if event.code else None)
        assert params.get("eventId") == event.event_id
        assert params.get("severity") == (None if event.severity is None else str(event.severity))


@pytest.mark.parametrize("port", ["tcp", "lines", "tls"])
async def test_thousands_in_order(rsyslog: Rsyslog, port: str, certificates: Certificates) -> None:
    transport = transport_to(rsyslog, port, certificates)
    await transport.open(START)
    for first in range(0, 3000, 1000):
        await transport.deliver(window(*(ALERT._replace(sequence=n) for n in range(first, first + 1000))))
    received = await rsyslog.wait_for(3000)
    await transport.close()
    assert [params_of(line["structured_data"])["sequence"] for line in received] == [str(n) for n in range(3000)]


async def test_a_receiver_signed_by_nobody_we_trust_gets_nothing(rsyslog: Rsyslog, certificates: Certificates) -> None:
    address = f"localhost:{rsyslog.ports['tls']}"
    transport = SyslogStream(SecureSettings(address=address, ca_file=certificates.stranger_ca))
    with pytest.raises(Disconnected, match="certificate does not pass"):
        await transport.open(START)
    await transport.close()


async def test_a_receiver_of_another_name_gets_nothing(rsyslog: Rsyslog, certificates: Certificates) -> None:
    address = f"localhost:{rsyslog.ports['tls']}"
    transport = SyslogStream(SecureSettings(address=address, ca_file=certificates.ca, server_name="siem.example"))
    with pytest.raises(Disconnected, match=r"siem\.example"):
        await transport.open(START)
    await transport.close()


async def test_without_a_client_certificate_the_door_stays_shut(rsyslog: Rsyslog, certificates: Certificates) -> None:
    """Although TLS 1.3 lets a client believe it is inside before the receiver has looked at its certificate."""
    address = f"localhost:{rsyslog.ports['mutual_tls']}"
    transport = SyslogStream(SecureSettings(address=address, ca_file=certificates.ca))
    with pytest.raises(Disconnected, match=r"TLS|closed"):
        await transport.open(START)
    await transport.close()
    assert rsyslog.received() == []


async def test_a_line_feed_has_no_frame_among_lines(rsyslog: Rsyslog, certificates: Certificates) -> None:
    """No format writes one; if one did, a sensor could write messages of its own."""
    transport = transport_to(rsyslog, "lines", certificates)
    await transport.open(START)
    forged = FORMAT(ALERT, NAMES) + b"\n<34>1 2026-01-01T00:00:00Z - - - - - forged"
    events = [*window(SIGHTING).events, Outgoing(ALERT, NAMES, Cursor(1, 1), forged), *window(SIGHTING).events]
    delivery = await transport.deliver(Window(events, START))
    assert (delivery.finished, [refusal.number for refusal in delivery.refused]) == (3, [1])
    received = await rsyslog.wait_for(2)
    await transport.close()
    assert [line["msgid"] for line in received] == ["sighting", "sighting"]


async def test_a_receiver_that_went_away_is_noticed_before_the_next_window(
    rsyslog: Rsyslog, certificates: Certificates
) -> None:
    transport = transport_to(rsyslog, "tcp", certificates)
    await transport.open(START)
    await transport.deliver(window(ALERT))
    await rsyslog.wait_for(1)
    rsyslog.kill()
    with pytest.raises(Disconnected):
        await transport.deliver(window(ALERT))
    await transport.close()
    with pytest.raises(Disconnected, match="cannot connect"):
        await transport.open(START)
    rsyslog.start()
    await transport.open(START)
    await transport.deliver(window(SIGHTING))
    await rsyslog.wait_for(2)
    await transport.close()


async def test_a_peer_that_takes_nothing_does_not_count_as_a_receiver() -> None:
    """Its kernel's buffer fills, ours stays full: the window is not finished, whatever was handed to our kernel."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        settings = TcpSettings(address=f"127.0.0.1:{listener.getsockname()[1]}", timeout_seconds=0.3)
        transport = SyslogStream(settings)
        await transport.open(START)
        long = ALERT._replace(message="m" * 4000)
        with pytest.raises(Disconnected, match="took nothing"):
            await transport.deliver(window(*[long] * 1000))
        await transport.close()


async def test_datagrams_to_nobody_are_noticed_where_the_host_says_so() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    transport = SyslogDatagrams(UdpSettings(address=address))
    await transport.open(START)
    delivery = await transport.deliver(window(*[ALERT] * 40))
    await transport.close()
    assert isinstance(delivery.failure, Disconnected)
    assert delivery.finished < 40
