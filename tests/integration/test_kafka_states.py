"""What becomes of a Kafka sink whose cursor at the broker is gone, is foreign, or was moved: the stated state."""

import uuid
from collections.abc import AsyncIterator, Callable

import pytest
from structlog.testing import capture_logs

from eventgate.clock import SystemClock
from eventgate.forward.transports import CursorLost
from eventgate.forward.transports.kafka import Kafka, KafkaSettings
from eventgate.journal.cursors import START, Standing
from tests.services.kafka import Kafka as Broker
from tests.services.kafka_records import Record, add_partitions, committed, delete_topic, forget_groups, header, ids
from tests.services.story import Story

Sink = Callable[..., Kafka]


@pytest.fixture
def topic() -> str:
    return f"states-{uuid.uuid4()}"


@pytest.fixture
async def sink(kafka: Broker, topic: str) -> AsyncIterator[Sink]:
    """Makes sinks called ``s`` into the topic, for whichever journal."""
    made: list[Kafka] = []

    def make(story: Story, kept_by: str | None = None) -> Kafka:
        settings = KafkaSettings(brokers=(kafka.bootstrap,), topic=topic, partitions=3)
        made.append(Kafka(settings, "s", story.id, story.digest_at, SystemClock(), kept_by=kept_by))
        return made[-1]

    yield make
    for each in made:
        await each.close()


@pytest.fixture
def story() -> Story:
    return Story(uuid.uuid4(), batches=10, events_in_batch=20)


async def deliver(kafka: Kafka, story: Story, standing: Standing, upto: int | None = None) -> Standing:
    """Deliver from ``standing`` until so many events of the story are done, and let go."""
    for window in story.windows(standing, 25):
        if upto is not None and window.upto.cursor > story.events[upto - 1].place:
            break
        await kafka.deliver(window)
        standing = window.upto
    await kafka.close()
    return standing


def positions(records: list[Record]) -> list[str]:
    return [header(record, "eg-position") or "" for record in records]


async def test_a_fresh_sink_begins_at_the_beginning_and_makes_its_topic(
    kafka: Broker, sink: Sink, topic: str, story: Story
) -> None:
    transport = sink(story)
    assert await transport.open(START) == START
    end = await deliver(transport, story, START)
    records = await committed(kafka.bootstrap, topic)
    assert sorted(ids(records)) == sorted(story.ids)
    assert {record.partition for record in records} == {0, 1, 2}
    assert await transport.open(START) == end, "the broker's cursor counts, the database's copy may lag"


async def test_an_expired_cursor_is_recovered_from_the_topics_tail(
    kafka: Broker, sink: Sink, topic: str, story: Story
) -> None:
    transport = sink(story)
    await deliver(transport, story, await transport.open(START), upto=150)
    await forget_groups(kafka.bootstrap, [f"eventgate-{story.id}-s"])
    lagging = story.after(100)
    assert await transport.open(lagging) == lagging
    # It stops in the middle of what is there already, and starts once more: the second start must know, too.
    halfway = await deliver(transport, story, lagging, upto=125)
    assert await transport.open(lagging) == halfway
    end = await deliver(transport, story, halfway)
    assert end.totals.delivered == len(story.events)
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == sorted(story.ids)


async def test_an_expired_cursor_is_found_behind_the_records_of_others(
    kafka: Broker, sink: Sink, topic: str, story: Story
) -> None:
    transport, loud = sink(story), Story(uuid.uuid4(), batches=10, events_in_batch=200)
    await deliver(transport, story, await transport.open(START), upto=150)
    other = sink(loud)
    await deliver(other, loud, await other.open(START))
    await forget_groups(kafka.bootstrap, [f"eventgate-{story.id}-s"])
    await deliver(transport, story, await transport.open(story.after(100)))
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == sorted(story.ids + loud.ids)


async def test_a_deleted_topic_loses_the_cursor_until_an_operator_rewinds(
    kafka: Broker, sink: Sink, topic: str, story: Story
) -> None:
    transport = sink(story)
    standing = await deliver(transport, story, await transport.open(START), upto=150)
    await delete_topic(kafka.bootstrap, topic)
    for _ in range(2):  # a restart changes nothing
        with pytest.raises(CursorLost, match="rewind"):
            await transport.open(standing)
    assert await committed(kafka.bootstrap, topic) == []

    rewound = story.after(50, generation=1)
    assert await transport.open(rewound) == rewound
    await deliver(transport, story, rewound)
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == sorted(story.ids[50:])


async def test_a_topic_replaced_under_a_running_sink_is_noticed(
    kafka: Broker, sink: Sink, topic: str, story: Story
) -> None:
    transport = sink(story)
    windows = story.windows(await transport.open(START), 50)
    for _ in range(2):
        delivered = next(windows)
        await transport.deliver(delivered)
    await delete_topic(kafka.bootstrap, topic)
    other = sink(Story(uuid.uuid4(), 1, 1))
    await other.open(START)  # makes the topic anew
    with pytest.raises(Exception, match=r"replaced|no answer|lost"):
        await transport.deliver(next(windows))
    await transport.close()
    with pytest.raises(CursorLost):
        await transport.open(delivered.upto)


async def test_a_renewed_journal_id_loses_the_cursor(sink: Sink, story: Story) -> None:
    transport = sink(story)
    standing = await deliver(transport, story, await transport.open(START), upto=150)
    restored = Story(uuid.uuid4(), batches=10, events_in_batch=20)
    with pytest.raises(CursorLost):
        await sink(restored).open(standing)


async def test_a_wiped_data_directory_begins_anew_beside_the_old_records(
    kafka: Broker, sink: Sink, topic: str, story: Story
) -> None:
    transport = sink(story)
    await deliver(transport, story, await transport.open(START))
    fresh = Story(uuid.uuid4(), batches=2, events_in_batch=20)
    anew = sink(fresh)
    await deliver(anew, fresh, await anew.open(START))
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == sorted(story.ids + fresh.ids)


async def test_a_second_installation_of_the_same_name_disturbs_nobody(
    kafka: Broker, sink: Sink, topic: str, story: Story
) -> None:
    here, there = sink(story), Story(uuid.uuid4(), batches=10, events_in_batch=20)
    elsewhere = sink(there)
    await here.open(START)
    await elsewhere.open(START)
    for mine, theirs in zip(story.windows(START, 40), there.windows(START, 40), strict=True):
        await here.deliver(mine)
        await elsewhere.deliver(theirs)
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == sorted(story.ids + there.ids)


async def test_a_copied_data_directory_is_told_apart_by_its_history(sink: Sink, story: Story) -> None:
    transport = sink(story)
    await deliver(transport, story, await transport.open(START), upto=150)
    copied = Story(story.id, batches=10, events_in_batch=20, history="after the copy")
    with pytest.raises(CursorLost, match="another history"):
        await sink(copied).open(copied.after(20))
    behind = Story(story.id, batches=3, events_in_batch=20)
    with pytest.raises(CursorLost, match="does not have"):
        await sink(behind).open(behind.after(20))


async def test_a_cursor_of_the_broker_that_was_set_back_is_lost(sink: Sink, story: Story) -> None:
    transport = sink(story)
    await deliver(transport, story, await transport.open(START), upto=100)
    with pytest.raises(CursorLost, match="set back"):
        await transport.open(story.after(150))


async def test_a_sink_that_was_elsewhere_goes_on_where_it_stands(
    kafka: Broker, sink: Sink, topic: str, story: Story
) -> None:
    here = sink(story)
    await deliver(here, story, await here.open(START), upto=100)
    back = sink(story, kept_by="")
    assert await back.open(story.after(150)) == story.after(150), "50 went to another place, which kept no progress"
    await back.close()
    assert await sink(story, kept_by=here.keeper).open(story.after(150)) == story.after(150), "the broker knows by now"
    await deliver(back, story, await back.open(story.after(150)))
    # It left after a kill: what is in the topic beyond the copy is not written twice.
    assert await sink(story, kept_by="").open(story.after(175)) == story.after(200)
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == sorted(story.ids[:100] + story.ids[150:])


async def test_a_sink_comes_to_a_topic_where_it_never_was(kafka: Broker, sink: Sink, topic: str, story: Story) -> None:
    with pytest.raises(CursorLost):
        await sink(story, kept_by=sink(story).keeper).open(story.after(100))
    other = Story(story.id, batches=10, events_in_batch=20)
    await forget_groups(kafka.bootstrap, [f"eventgate-{story.id}-s"])
    new = sink(other, kept_by="kafka elsewhere at broker.example:9092")
    assert await new.open(story.after(100)) == story.after(100)
    await deliver(new, story, story.after(100), upto=150)
    # Its note is gone when it comes back: the topic's own records say how far it was.
    await forget_groups(kafka.bootstrap, [f"eventgate-{story.id}-s"])
    back = sink(story, kept_by="")
    await deliver(back, story, await back.open(story.after(125)))
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == sorted(story.ids[100:])


async def test_a_rewind_delivers_again_and_says_so(kafka: Broker, sink: Sink, topic: str, story: Story) -> None:
    transport = sink(story)
    await deliver(transport, story, await transport.open(START), upto=100)
    rewound = story.after(60, generation=1)
    assert await transport.open(rewound) == rewound
    for window in story.windows(rewound, 20):
        marked = [each._replace(replay=each.place <= story.events[99].place) for each in window.events]
        await transport.deliver(window._replace(events=marked))
    records = await committed(kafka.bootstrap, topic)
    again = {header(record, "eg-id") for record in records if header(record, "eg-replay") == "1"}
    assert again == set(story.ids[60:100])
    assert sorted(ids(records)) == sorted(story.ids + story.ids[60:100])
    # The cursor of the new generation can be recovered as well, past the records of the old one.
    await transport.close()
    await forget_groups(kafka.bootstrap, [f"eventgate-{story.id}-s"])
    await deliver(transport, story, await transport.open(story.after(80, generation=1)))
    assert len(await committed(kafka.bootstrap, topic)) == len(records)


async def test_two_forwarders_of_one_sink_fence_each_other(kafka: Broker, sink: Sink, topic: str, story: Story) -> None:
    first, second = sink(story), sink(story)
    windows = story.windows(await first.open(START), 50)
    delivered = next(windows)
    await first.deliver(delivered)
    standing = await second.open(START)
    assert standing == delivered.upto
    with pytest.raises(Exception, match="fenced"):
        await first.deliver(next(windows))
    await deliver(second, story, standing)
    assert sorted(ids(await committed(kafka.bootstrap, topic))) == sorted(story.ids)


async def test_an_idle_sink_keeps_its_cursor_alive_with_nothing_to_say(kafka: Broker, sink: Sink, story: Story) -> None:
    from eventgate.forward.transports import Window

    transport = sink(story)
    await transport.open(START)
    passed_over = story.after(30)
    await transport.deliver(Window([], passed_over))
    await transport.close()
    assert await transport.open(START) == passed_over


async def test_a_topic_that_was_given_more_partitions_is_an_alarm(
    kafka: Broker, sink: Sink, topic: str, story: Story
) -> None:
    transport = sink(story)
    standing = await deliver(transport, story, await transport.open(START), upto=100)
    await add_partitions(kafka.bootstrap, topic, 5)
    with capture_logs() as said:
        assert await transport.open(standing) == standing
    (alarm,) = [entry for entry in said if "partitions changed" in entry["event"]]
    assert (alarm["log_level"], alarm["before"], alarm["partitions"]) == ("warning", 3, 5)
    await deliver(transport, story, standing)
    records = await committed(kafka.bootstrap, topic)
    assert sorted(ids(records)) == sorted(story.ids)
    assert {record.partition for record in records} - {0, 1, 2}
