"""One receiver of each kind for the tests of faults, and what of the guarantee can be counted.

A kind says where its receiver listens, how a sink towards it through a proxy is configured, and what arrived there.
"""

import asyncio
import json
import re
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from eventgate.forward.plan import Plan
from tests.integration.forwarding import sink
from tests.services.certificates import Certificates
from tests.services.http_receivers import EventCollector, WebhookReceiver
from tests.services.kafka import Kafka as Broker
from tests.services.kafka_records import committed, ids
from tests.services.opensearch import OpenSearch
from tests.services.rsyslog import Rsyslog

TIMEOUT = 0.6
"""Seconds after which a transport leaves a silent receiver, in these tests."""
_ID = re.compile(r'\[eventgate@32473 id="([0-9a-f-]{36})"')


@dataclass
class Kind:
    """``port`` is the receiver's own, ``proxy`` where the proxy must listen (0: anywhere).

    ``most_twice`` events may arrive twice for each fault: as many as can be on their way without an answer. As many as
    ``most_lost`` may be lost by a fault that destroys what a receiver's kernel had taken and its program had not read.
    """

    name: str
    port: int
    plan: Callable[[int], Plan]
    arrived: Callable[[], Awaitable[list[str]]]
    proxy: int = 0
    most_twice: int = 0
    most_lost: int = 0

    async def settled(self, wanted: set[str]) -> Counter[str]:
        """The ids of what arrived, once all is there or nothing more comes."""
        seen: list[str] = []
        for _ in range(20):
            had, seen = len(seen), await self.arrived()
            if set(seen) >= wanted or (had and had == len(seen)):
                break
            await asyncio.sleep(0.2)
        return Counter(seen)


def syslog(name: str, rsyslog: Rsyslog, certificates: Certificates) -> Kind:
    """``name``: tcp, tls, relp or relp-tls."""
    keys: dict[str, object] = {"timeout_seconds": TIMEOUT}
    if name in ("tls", "relp-tls"):
        keys |= {"ca_file": certificates.ca}
        keys |= {"certificate_file": certificates.client, "key_file": certificates.client_key}
    if name == "relp-tls":
        keys["tls"] = True
    transport = name.removesuffix("-tls")
    way_in = {"tls": "mutual_tls", "relp-tls": "relp_tls"}.get(name, name)
    begin = rsyslog.output.stat().st_size if rsyslog.output.exists() else 0

    async def arrived() -> list[str]:
        with rsyslog.output.open("rb") as file:
            file.seek(begin)
            whole, _, _ = file.read().rpartition(b"\n")
        lines = [json.loads(line) for line in whole.split(b"\n") if line]
        heads = [_ID.match(line["structured_data"]) for line in lines if line["input"] == way_in]
        return [head[1] for head in heads if head is not None]

    acknowledged = transport == "relp"
    return Kind(
        name,
        rsyslog.ports[way_in],
        lambda port: sink(name, transport, format="rfc5424", address=f"localhost:{port}", **keys),
        arrived,
        most_twice=128 if acknowledged else 1000,
        most_lost=0 if acknowledged else 1000,
    )


def kafka(broker: Broker) -> Kind:
    topic = f"faults-{uuid.uuid4()}"

    async def arrived() -> list[str]:
        return ids(await committed(broker.bootstrap, topic))

    return Kind(
        "kafka",
        broker.behind,
        lambda port: sink("kafka", "kafka", brokers=[f"127.0.0.1:{port}"], topic=topic, partitions=2),
        arrived,
        proxy=broker.proxy,
    )


def hec(collector: EventCollector) -> Kind:
    """What is on its way is a window; a collector takes an event as often as it is sent."""

    async def arrived() -> list[str]:
        return [envelope["fields"]["eventgate_id"] for envelope in await asyncio.to_thread(collector.received)]

    keys = {"token": "first-token", "private_addresses": True, "timeout_seconds": TIMEOUT, "acknowledge_seconds": 1.5}
    return Kind(
        "hec",
        collector.port,
        lambda port: sink("hec", "hec", url=f"http://127.0.0.1:{port}", **keys),
        arrived,
        most_twice=10_000,
    )


def webhook(hooked: WebhookReceiver, secret: Path) -> Kind:
    async def arrived() -> list[str]:
        return [event["id"] for event in await asyncio.to_thread(hooked.events)]

    keys = {"secret_file": secret, "private_addresses": True, "timeout_seconds": TIMEOUT, "batch": 40, "in_flight": 2}
    return Kind(
        "webhook",
        hooked.port,
        lambda port: sink("webhook", "webhook", url=f"http://127.0.0.1:{port}/", **keys),
        arrived,
        most_twice=40 * 2 * 64,
    )


def bulk(opensearch: OpenSearch) -> Kind:
    """A document with an id that is there is there already: nothing is stored twice, however often it is sent."""
    index = f"eventgate-{uuid.uuid4()}"

    async def arrived() -> list[str]:
        return [document["_id"].partition(".")[2] for document in await asyncio.to_thread(opensearch.documents, index)]

    keys = {"index": index, "private_addresses": True, "timeout_seconds": 3.0}  # its first request takes a while
    return Kind(
        "bulk",
        urlsplit(opensearch.url).port or 0,
        lambda port: sink("bulk", "bulk", url=f"http://127.0.0.1:{port}", **keys),
        arrived,
    )


def ends_a_transaction(sent: bytes) -> bool:
    """Whether this is Kafka's request EndTxn (key 26): what commits."""
    return sent[4:6] == b"\x00\x1a"


def produces(sent: bytes) -> bool:
    """Whether this is Kafka's request Produce (key 0)."""
    return sent[4:6] == b"\x00\x00"
