"""The Kafka transport: each window and the cursor after it are one transaction, so a committed event is there once.

Touches the network. The order at a start is fixed: fence, then read the cursor, then hold it against the journal.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

from eventgate.clock import Clock
from eventgate.errors import Disconnected
from eventgate.forward.transports import CursorLost, Delivery, Limits, Receipt, Window
from eventgate.forward.transports.kafka.failures import translated
from eventgate.forward.transports.kafka.judgement import standing_from
from eventgate.forward.transports.kafka.kept import Kept, decode, encode
from eventgate.forward.transports.kafka.partitioning import Partitioning
from eventgate.forward.transports.kafka.producer import Producer, TopicReplaced
from eventgate.forward.transports.kafka.records import Stamp, pack
from eventgate.forward.transports.kafka.settings import KafkaSettings
from eventgate.forward.transports.kafka.tail import TooFar, newest_place
from eventgate.forward.transports.kafka.topics import ensure_topic, reach
from eventgate.forward.transports.reread import Reread
from eventgate.journal.cursors import Cursor, Lane, Standing, Totals
from eventgate.sinks.places import NO_SLOT

OPEN_SECONDS = 30.0
WINDOW_SECONDS = 15.0

_HEADROOM = 1024
"""What a record needs beside its body: key, headers, the batch's own head."""

_log = structlog.get_logger(__name__)


class Kafka:
    """One sink's way into one topic.

    ``journal`` is the journal's id, and ``digest_at`` gives its chain's digest at a position, None where it has no such
    position (any more, or yet). ``kept_by`` is who kept the sink's progress last, None where nobody knows.
    """

    guarantee = "exactly once"
    keeps_progress = True

    def __init__(
        self,
        settings: KafkaSettings,
        sink: str,
        journal: UUID,
        digest_at: Callable[[int], Awaitable[bytes | None]],
        clock: Clock,
        *,
        kept_by: str | None = None,
    ) -> None:
        self.keeper: str | None = settings.keeper
        self._moved = kept_by is not None and kept_by != self.keeper
        self.limits = Limits(5_000, 3 << 20, settings.max_message_bytes - _HEADROOM)
        self._settings = settings
        self._files = Reread(settings.connection, settings.files())
        self._connection = self._files.current()
        self._journal = journal
        self._group = f"eventgate-{journal}-{sink}"
        self._digest_at = digest_at
        self._clock = clock
        self._producer: Producer | None = None
        self._partitioning = Partitioning(settings.partitions)
        self._already: dict[Lane, Cursor] = {}
        self._topic_replaced = False

    async def open(self, kept: Standing) -> Standing:
        await self.close()
        try:
            with translated("starting"):
                async with asyncio.timeout(OPEN_SECONDS):
                    return await self._open(kept)
        except BaseException:
            await self.close()
            raise

    async def _open(self, kept: Standing) -> Standing:
        self._already = {}
        self._connection = self._files.current()
        producer = self._producer = Producer(self._settings, self._connection, self._group)
        await producer.start()
        await ensure_topic(self._settings, self._connection)
        self._partitioning = Partitioning(await producer.partitions())
        note = None if self._topic_replaced else await producer.kept()
        if note is None:
            standing = await self._recover(producer, kept)
            self._topic_replaced = False
            return standing
        found = _decoded(note)
        digest = await self._digest_at(found.standing.cursor.position)
        standing = standing_from(found, kept, digest, moved=self._moved)
        if standing.since == found.standing.since and found.delivered_upto is not None:
            self._already[Lane.LIVE] = found.delivered_upto
        if standing.generation == found.standing.generation and found.replayed_upto is not None:
            self._already[Lane.REPLAY] = found.replayed_upto
        if standing != found.standing:
            await self._keep(producer, standing)
        if found.partitions != self._partitioning.partitions:
            _log.warning(
                "the topic's number of partitions changed: a sensor's events may be out of order across the change",
                topic=self._settings.topic,
                partitions=self._partitioning.partitions,
                before=found.partitions,
            )
        return standing

    async def _recover(self, producer: Producer, kept: Standing) -> Standing:
        """The broker has no cursor. Go on from the database's lagging copy where the topic's own records say how far
        they reach beyond it, so that these are not written twice; or where none were written: nothing ever was, or it
        was written elsewhere.
        """
        lanes = [Lane.LIVE] if kept.replay is None or kept.replay.done else list(Lane)
        for lane in lanes:
            cursor, totals = kept.progress(lane)
            newest, reason = await self._newest(kept, lane)
            if newest is None and (reason or not (self._moved or totals == Totals())):
                await self._keep(producer, kept, lost=True)
                lost = (
                    f"no cursor of this sink, and {reason}" if reason else "no cursor, and the topic no record, of it"
                )
                raise CursorLost(f"the broker has {lost}: rewind the sink to where it shall go on")
            if newest is not None and newest > cursor:
                self._already[lane] = newest
        await self._keep(producer, kept)
        return kept

    async def _newest(self, kept: Standing, lane: Lane) -> tuple[Cursor | None, str | None]:
        """The place of the newest record of a lane, or why it cannot be known."""
        source, partitions = self._source(kept, lane), self._partitioning.partitions
        try:
            return await newest_place(self._connection, self._settings.topic, partitions, source), None
        except TooFar as error:
            return None, str(error)

    async def deliver(self, window: Window) -> Delivery:
        producer, already = self._producer, self._already.get(window.lane)
        assert producer is not None, "deliver before open"
        self._moved = False  # from here on the progress is kept here
        if self._files.current() is not self._connection:
            raise Disconnected("the certificates or the password changed: connecting anew")
        upto, events = window.upto, window.events
        if already is not None:
            events = [outgoing for outgoing in events if outgoing.place > already or outgoing.place.position == 0]
            if upto.progress(window.lane)[0] >= already:
                del self._already[window.lane]
        try:
            with translated("delivering"):
                async with asyncio.timeout(WINDOW_SECONDS):
                    stamp = Stamp(self._source(upto, window.lane), upto.generation, self._clock.now_ms())
                    batches, slots = await pack(events, self._partitioning, producer.batch, stamp)
                    offsets = await producer.transact(batches, upto.cursor.position, await self._note(upto))
        except TopicReplaced:
            self._topic_replaced = True
            raise
        told = {"topic": self._settings.topic, "offsets": {str(slot): told for slot, told in offsets.items()}}
        slots = [NO_SLOT] * (len(window.events) - len(events)) + slots  # those in front were in the topic already
        return Delivery(len(window.events), receipt=Receipt(told, slots))

    async def probe(self) -> None:
        with translated("looking for the topic"):
            async with asyncio.timeout(OPEN_SECONDS):
                await reach(self._settings, self._files.current())

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.drop()

    async def _keep(self, producer: Producer, standing: Standing, *, lost: bool = False) -> None:
        await producer.transact({}, standing.cursor.position, await self._note(standing, lost=lost))

    async def _note(self, standing: Standing, *, lost: bool = False) -> str:
        digest = await self._digest_at(standing.cursor.position) or b""
        already, replayed = self._already.get(Lane.LIVE), self._already.get(Lane.REPLAY)
        partitions = self._partitioning.partitions
        return encode(Kept(self._journal, standing, digest, partitions, already, lost, replayed))

    def _source(self, standing: Standing, lane: Lane) -> bytes:
        """Marks the records of one lane of this sink: the live one from where its cursor was set on, a replay for
        itself. Two installations never share it.
        """
        which = f"{standing.since}" if lane is Lane.LIVE else f"{standing.generation}r"
        return f"{hashlib.sha256(self._group.encode()).hexdigest()[:16]}.{which}".encode()


def _decoded(note: str) -> Kept:
    try:
        return decode(note)
    except ValueError as error:
        raise CursorLost(f"the cursor at the broker cannot be read: {error}") from error
