"""A broker that is killed and comes back while events flow, and credentials that change under a Kafka sink: each event
is there once, in its sensor's order, and another sink noticed nothing.
"""

import asyncio
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from eventgate.forward.transports.kafka import transport
from eventgate.sinks.definition import State
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.services.certificates import Certificates
from tests.services.kafka import PASSWORD, USER
from tests.services.kafka import Kafka as Broker
from tests.services.kafka_records import by_key, committed


@pytest.fixture
async def gate(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(pool, database_url) as opened:
        yield opened


@asynccontextmanager
async def load(gate: Forwarding) -> AsyncIterator[None]:
    """Events are appended meanwhile, some thousand a second."""
    over = asyncio.Event()

    async def flow() -> None:
        while not over.is_set():
            await gate.append(50)
            await asyncio.sleep(0.02)

    flowing = asyncio.create_task(flow())
    try:
        yield
    finally:
        over.set()
        await flowing


def put(path: Path, content: bytes) -> None:
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.replace(path)


async def once_and_in_order(gate: Forwarding, bootstrap: str, topic: str) -> None:
    expected: dict[bytes, list[str]] = defaultdict(list)
    for event in await gate.stored():
        expected[str(event.sensor).encode()].append(str(event.id))
    assert by_key(await committed(bootstrap, topic)) == expected


async def test_a_broker_killed_under_load(
    gate: Forwarding, kafka: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "WINDOW_SECONDS", 2.0)  # a killed broker is noticed sooner than in earnest
    topic = f"bounced-{uuid4()}"
    out = sink("out", "kafka", brokers=[kafka.bootstrap], topic=topic, partitions=2)
    async with gate.running(out, sink("beside", "file", path=tmp_path / "beside")):
        async with load(gate):
            await gate.until("out", lambda status: status.ledger.delivered > 300)
            kafka.kill()
            await gate.until("out", lambda status: status.state is State.RETRYING)
            before = (await gate.status("beside")).ledger.delivered
            await gate.until("beside", lambda status: status.ledger.delivered > before)
            await asyncio.to_thread(kafka.start)
            resumed = (await gate.status("out")).ledger.delivered
            await gate.until("out", lambda status: status.ledger.delivered > resumed + 300)
        await gate.until_done("out")
        await gate.until_done("beside")
    await once_and_in_order(gate, kafka.bootstrap, topic)


async def test_certificates_and_the_password_change_under_load(
    gate: Forwarding, kafka: Broker, certificates: Certificates, tmp_path: Path
) -> None:
    topic, ca, password = f"changed-{uuid4()}", tmp_path / "ca.pem", tmp_path / "password"
    shutil.copy(certificates.ca, ca)
    password.write_text(f"{PASSWORD}\n")
    out = sink(
        "out", "kafka", brokers=[kafka.secure], topic=topic, partitions=2, tls=True, ca_file=ca,
        sasl_mechanism="SCRAM-SHA-512", username=USER, password_file=password,
    )  # fmt: skip
    async with gate.running(out):
        async with load(gate):
            await gate.until("out", lambda status: status.ledger.delivered > 100)
            put(ca, certificates.ca.read_bytes() + certificates.stranger_ca.read_bytes())
            before = (await gate.status("out")).ledger.delivered
            await gate.until("out", lambda status: status.ledger.delivered > before + 200)
            # A wrong password is used, as it was put there; the right one is found without a restart.
            put(password, b"close-sesame")
            await gate.until("out", lambda status: status.state is State.RETRYING)
            put(password, PASSWORD.encode())
            await gate.until("out", lambda status: status.state is State.RUNNING)
        await gate.until_done("out")
    await once_and_in_order(gate, kafka.bootstrap, topic)
