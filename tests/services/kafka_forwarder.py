"""A forwarding process for a test to kill: delivers a made-up journal into Kafka, and dies where it is told to.

``python -m tests.services.kafka_forwarder BOOTSTRAP TOPIC JOURNAL COPY POINT WINDOW``: COPY is the file that stands for
the database's copy of the cursor; at POINT of the WINDOW-th window of this process it kills itself (``never``: it
finishes and ends with 0). It prints a line for each window, and one for each time it lost the broker. Where the copy
has a replay lane, its windows and those of what is new take turns. Beside it stands who kept the progress last.
"""

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer

from eventgate.clock import SystemClock
from eventgate.errors import Disconnected
from eventgate.forward.transports.kafka import Kafka, KafkaSettings, transport
from eventgate.journal.cursors import START, Cursor, Replay, Standing, Totals
from tests.services.story import Story

POINTS = ("after produce", "after offsets", "after commit")
BATCHES, EVENTS_IN_BATCH, WINDOW = 60, 100, 125


def story(journal: UUID) -> Story:
    return Story(journal, BATCHES, EVENTS_IN_BATCH)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(point: str, window: int) -> Callable[[], None]:
    """Have the process die at a point; returns what to call once a commit has come back."""
    counts = {name: itertools.count(1) for name in POINTS}

    def reached(name: str) -> None:
        if next(counts[name]) == window and name == point:
            _die()

    send_offsets = AIOKafkaProducer.send_offsets_to_transaction

    async def and_die(self: AIOKafkaProducer, *arguments: Any) -> None:
        reached("after produce")
        await send_offsets(self, *arguments)
        reached("after offsets")

    AIOKafkaProducer.send_offsets_to_transaction = and_die
    return lambda: reached("after commit")


def read(copy: Path) -> Standing:
    if not copy.exists():
        return START
    cursor, totals, generation, since, replay = json.loads(copy.read_text())
    if replay is not None:
        reached, until, counted = replay
        replay = Replay(Cursor(*reached), Cursor(*until), Totals(*counted))
    return Standing(Cursor(*cursor), Totals(*totals), generation, since, replay)


def open_replay(copy: Path) -> Standing:
    """Have everything that the copy knows to be delivered go once more, in the next generation."""
    standing = read(copy)
    replay = Replay(START.cursor, standing.cursor)
    opened = standing._replace(generation=standing.generation + 1, replay=replay)
    write(copy, opened)
    return opened


def elsewhere(journal: UUID, copy: Path, events: int) -> list[str]:
    """Have so many more events go to another place, for which the copy is the truth; their ids."""
    standing = read(copy)
    window = next(story(journal).windows(standing, events))
    _keeper(copy).write_text("")
    write(copy, window.upto)
    return [str(outgoing.event.id) for outgoing in window.events]


def _keeper(copy: Path) -> Path:
    return copy.with_suffix(".kept-by")


def write(copy: Path, standing: Standing) -> None:
    saved = copy.with_suffix(".new")
    saved.write_text(json.dumps(standing))
    saved.replace(copy)


async def forward(bootstrap: str, topic: str, journal: UUID, copy: Path, committed: Callable[[], None]) -> None:
    told = story(journal)
    settings = KafkaSettings(brokers=(bootstrap,), topic=topic, partitions=3)
    transport.WINDOW_SECONDS = 2.0  # an outage of a test's length is a long one
    kept_by = _keeper(copy).read_text() if _keeper(copy).exists() else None
    kafka = Kafka(settings, "s", journal, told.digest_at, SystemClock(), kept_by=kept_by)
    while True:
        try:
            opened = await kafka.open(read(copy))
            _keeper(copy).write_text(kafka.keeper or "")
            for window in told.lanes(opened, WINDOW):
                await kafka.deliver(window)
                committed()
                write(copy, window.upto)
                print("delivered", flush=True)
        except Disconnected as error:
            print("lost", error, flush=True)
            await kafka.close()
            await asyncio.sleep(0.2)
        else:
            return await kafka.close()


if __name__ == "__main__":
    bootstrap, topic, journal, copy, point, window = sys.argv[1:]
    asyncio.run(forward(bootstrap, topic, UUID(journal), Path(copy), _arm(point, int(window))))
