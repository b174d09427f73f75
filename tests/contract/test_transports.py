"""What holds for every transport, whatever it speaks: the port's promises, on real receivers.

rsyslog for syslog and RELP, a directory for files, Apache Kafka for Kafka, OpenSearch for bulk requests, and programs
of our own for webhooks and for Splunk's event collector.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from eventgate.clock import SystemClock
from eventgate.errors import ConfigurationError, Disconnected
from eventgate.event import Event, SensorNames
from eventgate.formats import Format
from eventgate.formats.json import encode
from eventgate.formats.rfc5424 import Rfc5424
from eventgate.forward.plan import History, plan
from eventgate.forward.transports import Outgoing, Transport, Window
from eventgate.ids import uuid7
from eventgate.journal.cursors import START, Cursor, Standing, Totals
from eventgate.sinks.definition import SinkDefinition
from tests.services.certificates import Certificates
from tests.services.http_receivers import EventCollector, WebhookReceiver
from tests.services.kafka import Kafka as Broker
from tests.services.kafka_records import committed
from tests.services.opensearch import OpenSearch
from tests.services.ports import free_port
from tests.services.rsyslog import Rsyslog
from tests.unit.formats.samples import ALERT, NAMES

pytestmark = pytest.mark.xdist_group("services")  # what it needs of them it asks for by name
KINDS = ["udp", "tcp", "tls", "relp", "relp-tls", "file", "kafka", "hec", "hec-received", "bulk", "webhook"]
FORMAT = Rfc5424()


@dataclass
class Case:
    """A transport as a configuration makes it, what its receiver has got, and the same towards nobody."""

    make: Callable[[], Transport]
    received: Callable[[], Awaitable[list[str]]]
    towards_nobody: Callable[[], Transport]
    encode: Format = FORMAT


def made(transport: str, format_: str = "rfc5424", **options: object) -> Callable[[], Transport]:
    async def digest_at(position: int) -> bytes:
        return bytes(32)

    checked = plan(SinkDefinition(f"contract-{uuid.uuid4()}", transport, format_, options=options), "test.toml")
    history = History(uuid.uuid4(), digest_at)
    return lambda: checked.make(history, SystemClock())


@pytest.fixture(params=KINDS)
def case(request: pytest.FixtureRequest, tmp_path: Path, certificates: Certificates) -> Case:
    kind: str = request.param
    if kind == "file":

        async def lines() -> list[str]:
            return (tmp_path / "out").read_text().splitlines()

        return Case(made("file", path=tmp_path / "out"), lines, made("file", path=tmp_path / "no" / "out"))
    if kind == "kafka":
        broker: Broker = request.getfixturevalue("kafka")
        topic = f"contract-{uuid.uuid4()}"

        async def records() -> list[str]:
            return [record.value.decode() for record in await committed(broker.bootstrap, topic)]

        nobody = made("kafka", brokers=[f"127.0.0.1:{free_port()}"], topic=topic)
        return Case(made("kafka", brokers=[broker.bootstrap], topic=topic), records, nobody)

    if kind in ("hec", "hec-received", "bulk", "webhook"):
        return over_http(kind, request, tmp_path)

    rsyslog: Rsyslog = request.getfixturevalue("rsyslog")
    keys: dict[str, object] = {}
    if kind in ("tls", "relp-tls"):
        keys = {
            "ca_file": certificates.ca,
            "certificate_file": certificates.client,
            "key_file": certificates.client_key,
        }
    if kind == "relp-tls":
        keys["tls"] = True
    port = {"tls": "mutual_tls", "relp-tls": "relp_tls"}.get(kind, kind)
    transport = kind.removesuffix("-tls")

    async def messages() -> list[str]:
        await asyncio.sleep(0.3)
        return [line["raw"] for line in rsyslog.received()]

    address = f"localhost:{rsyslog.ports[port]}"
    nobody = made(transport, address=f"127.0.0.1:{free_port()}", **keys)
    return Case(made(transport, address=address, **keys), messages, nobody)


def over_http(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    transport, nowhere = kind.removesuffix("-received"), f"http://127.0.0.1:{free_port()}"
    if kind == "bulk":
        cluster: OpenSearch = request.getfixturevalue("opensearch")
        index = f"eventgate-{uuid.uuid4()}"

        async def documents() -> list[str]:
            added = {"_id", "_index", "@timestamp"}
            found = [{k: v for k, v in each.items() if k not in added} for each in cluster.documents(index)]
            return [json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in found]

        url, keys, received = cluster.url, {"index": index}, documents
    elif kind == "webhook":
        hooked: WebhookReceiver = request.getfixturevalue("hooked")

        async def bodies() -> list[str]:
            return hooked.events()

        url, keys, received = hooked.url, {"secret_file": request.getfixturevalue("webhook_secret")}, bodies
    else:
        collector: EventCollector = request.getfixturevalue("collector")
        acknowledge = kind == "hec"
        collector.set(acknowledges=acknowledge)

        async def events() -> list[str]:
            await asyncio.sleep(0.3)
            return collector.events()

        url, keys, received = collector.url, {"token": "first-token", "acknowledge": acknowledge}, events
    keys |= {"private_addresses": True}
    if kind == "bulk":
        nobody = made(transport, "json", url=nowhere, **keys)
        return Case(made(transport, "json", url=url, **keys), received, nobody, document)
    return Case(made(transport, url=url, **keys), received, made(transport, url=nowhere, **keys))


def document(event: Event, names: SensorNames) -> bytes:
    """JSON that a program which reads and writes it leaves as it is: no 1.50."""
    return encode(event._replace(data=b'{"channel":6}'), names)


def window(first: int, count: int, encode: Format = FORMAT) -> Window:
    events = []
    for n in range(first, first + count):
        event = ALERT._replace(id=uuid7(ALERT.timestamp, n.to_bytes(10, "big")), sequence=n)
        events.append(Outgoing(event, NAMES, Cursor(1, n), encode(event, NAMES)))
    done = first + count
    return Window(events, Standing(Cursor(1, done - 1), Totals(delivered=done), 0))


async def test_two_windows_arrive_whole_and_it_can_be_closed_and_opened_again(case: Case) -> None:
    transport = case.make()
    await transport.probe()
    assert await transport.open(START) == START
    for first in (0, 30):
        delivery = await transport.deliver(window(first, 30, case.encode))
        assert (delivery.finished, list(delivery.refused), delivery.failure) == (30, [], None)
    await transport.close()
    await transport.close()
    reached = window(30, 30).upto
    assert await transport.open(reached) == reached
    assert (await transport.deliver(window(60, 5, case.encode))).finished == 5
    await transport.close()
    assert sorted(await case.received()) == sorted(out.body.decode() for out in window(0, 65, case.encode).events)


async def test_its_label_and_its_limits_are_said_before_it_is_opened(case: Case) -> None:
    transport = case.make()
    assert transport.guarantee in {"exactly once", "confirmed", "written", "best effort"}
    assert transport.keeps_progress is (transport.guarantee == "exactly once")
    assert 0 < transport.limits.events <= 10_000
    assert 64 << 10 < transport.limits.bytes <= 8 << 20
    assert transport.limits.event_bytes is None or transport.limits.event_bytes > 60_000
    await transport.close()


async def test_nobody_there_is_a_lost_connection_and_takes_no_longer_than_patience(case: Case) -> None:
    transport = case.towards_nobody()
    begun = time.monotonic()
    failure: Exception | None = None
    try:
        await transport.open(START)
        # A datagram's sender learns it only now.
        failure = (await transport.deliver(window(0, 50, case.encode))).failure
    except Disconnected as error:
        failure = error
    await transport.close()
    assert isinstance(failure, Disconnected)
    assert str(failure)
    assert time.monotonic() - begun < 20


async def test_a_cancelled_window_can_be_let_go_at_once(case: Case) -> None:
    transport = case.make()
    await transport.open(START)
    delivering = asyncio.create_task(transport.deliver(window(0, 500, case.encode)))
    await asyncio.sleep(0.001)
    delivering.cancel()
    await asyncio.gather(delivering, return_exceptions=True)
    begun = time.monotonic()
    await transport.close()
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_it_does_not_know_is_a_mistake_that_names_the_key(kind: str) -> None:
    options = {"path": "x", "address": "h:1", "brokers": ["h:1"], "topic": "t"}
    definition = SinkDefinition("siem", kind.split("-", maxsplit=1)[0], options={**options, "adress": "h:1"})
    with pytest.raises(ConfigurationError) as caught:
        plan(definition, "gate.toml")
    assert caught.value.source == "gate.toml"
    assert "sinks.siem.adress" in [problem.pointer for problem in caught.value.problems]
