"""Into a real Kafka: over TLS with SASL, in each compression, past events it refuses, and what a record holds."""

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from eventgate.clock import SystemClock
from eventgate.errors import ConfigurationError, Disconnected, Refused
from eventgate.forward.transports import Outgoing, Window
from eventgate.forward.transports.kafka import Kafka, KafkaSettings
from eventgate.journal.cursors import START
from tests.services.certificates import Certificates
from tests.services.kafka import PASSWORD, USER
from tests.services.kafka import Kafka as Broker
from tests.services.kafka_records import by_key, committed, header, ids, make_topic
from tests.services.story import Story


@pytest.fixture
def topic() -> str:
    return f"delivery-{uuid.uuid4()}"


@pytest.fixture
def story() -> Story:
    return Story(uuid.uuid4(), batches=5, events_in_batch=20)


def transport(story: Story, **keys: Any) -> Kafka:
    return Kafka(KafkaSettings(**keys), "s", story.id, story.digest_at, SystemClock())


async def deliver_all(kafka: Kafka, story: Story) -> None:
    try:
        for window in story.windows(await kafka.open(START), 40):
            await kafka.deliver(window)
    finally:
        await kafka.close()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
async def test_over_tls_with_a_user_and_a_password(
    kafka: Broker, certificates: Certificates, topic: str, story: Story, mechanism: str
) -> None:
    secure = {"brokers": (kafka.secure,), "topic": topic, "tls": True, "ca_file": certificates.ca}
    user = {"sasl_mechanism": mechanism, "username": USER, "password": PASSWORD}
    await deliver_all(transport(story, **secure, **user), story)
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == sorted(story.ids)


async def test_a_stranger_is_not_believed_and_a_wrong_password_not_hidden(
    kafka: Broker, certificates: Certificates, topic: str, story: Story
) -> None:
    secure = {"brokers": (kafka.secure,), "topic": topic, "tls": True}
    user = {"sasl_mechanism": "PLAIN", "username": USER, "password": "wrong"}
    for keys in ({"ca_file": certificates.stranger_ca}, {"ca_file": certificates.ca}):
        with pytest.raises(Disconnected):
            await transport(story, **secure, **user, **keys).open(START)
    with pytest.raises(ConfigurationError, match="ca_file"):
        transport(story, **secure, **user, ca_file=certificates.ca.with_name("absent.pem"))


@pytest.mark.parametrize("compression", ["zstd", "lz4", "snappy", "gzip", "none"])
async def test_every_compression(kafka: Broker, topic: str, story: Story, compression: str) -> None:
    await deliver_all(transport(story, brokers=(kafka.bootstrap,), topic=topic, compression=compression), story)
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == sorted(story.ids)


async def test_a_record_carries_the_body_the_sensor_and_where_it_came_from(
    kafka: Broker, topic: str, story: Story
) -> None:
    await deliver_all(transport(story, brokers=(kafka.bootstrap,), topic=topic), story)
    bodies = {str(outgoing.event.id): outgoing for outgoing in story.events}
    records = await committed(kafka.bootstrap, topic)
    assert len(records) == len(bodies)
    for record in records:
        outgoing = bodies[header(record, "eg-id") or ""]
        assert record.value == outgoing.body
        assert record.key == str(outgoing.event.sensor).encode()
        assert header(record, "eg-position") == f"{outgoing.place.position}.{outgoing.place.index}"
        assert header(record, "eg-replay") is None


async def test_a_window_that_needs_many_batches_keeps_the_order(kafka: Broker, topic: str) -> None:
    story = Story(uuid.uuid4(), batches=1, events_in_batch=2000)
    kafka_sink = transport(story, brokers=(kafka.bootstrap,), topic=topic, partitions=2, max_message_bytes=20_000)
    (window,) = story.windows(await kafka_sink.open(START), 2000)
    await kafka_sink.deliver(window)
    await kafka_sink.close()
    expected: dict[bytes, list[str]] = {}
    for outgoing in story.events:
        expected.setdefault(str(outgoing.event.sensor).encode(), []).append(str(outgoing.event.id))
    assert by_key(await committed(kafka.bootstrap, topic)) == expected


async def test_an_event_the_topic_refuses_is_refused_whole_and_the_rest_goes_on(
    kafka: Broker, topic: str, story: Story
) -> None:
    """What the loop does with Refused, in small: a fresh producer, a smaller window, at last without the event."""
    await make_topic(kafka.bootstrap, topic, {"max.message.bytes": "4000"})
    poison = story.events[30]._replace(body=b'"%s"' % uuid.uuid4().hex.encode() * 2000)
    sink = transport(story, brokers=(kafka.bootstrap,), topic=topic, max_message_bytes=100_000, compression="none")
    standing = await sink.open(START)
    refused: list[str] = []

    async def deliver(events: Sequence[Outgoing]) -> None:
        nonlocal standing
        upto = story.after(story.events.index(events[-1]) + 1) if events[-1] in story.events else story.after(31)
        try:
            await sink.deliver(Window(events, upto))
            standing = upto
        except Refused as refusal:
            await sink.close()
            assert await sink.open(START) == standing
            if len(events) == 1:
                refused.append(str(refusal))
                return
            await deliver(events[: len(events) // 2])
            await deliver(events[len(events) // 2 :])

    await deliver([*story.events[:30], poison, *story.events[31:60]])
    await sink.close()
    assert len(refused) == 1
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == sorted(story.ids[:30] + story.ids[31:60])


async def test_a_probe_disturbs_nobody_and_makes_nothing(kafka: Broker, topic: str, story: Story) -> None:
    sink = transport(story, brokers=(kafka.bootstrap,), topic=topic)
    windows = story.windows(await sink.open(START), 20)
    await sink.deliver(next(windows))
    await transport(story, brokers=(kafka.bootstrap,), topic=f"{topic}-absent").probe()
    await transport(story, brokers=(kafka.bootstrap,), topic=topic).probe()
    await sink.deliver(next(windows))
    await sink.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    assert f"{topic}-absent" not in await admin.list_topics()
    await admin.close()


async def test_nobody_there_is_said_at_once(story: Story) -> None:
    sink = transport(story, brokers=("127.0.0.1:9",), topic="t")
    async with asyncio.timeout(30):
        with pytest.raises(Disconnected, match="no broker let us in"):
            await sink.open(START)
        with pytest.raises(Disconnected):
            await sink.probe()
        await sink.close()
