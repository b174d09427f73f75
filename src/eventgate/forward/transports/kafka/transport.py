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
from eventgate.forward.transports import CursorLost, Delivery, Limits, Window
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
from eventgate.journal.cursors import START, Cursor, Standing

OPEN_SECONDS = 30.0
WINDOW_SECONDS = 15.0

_HEADROOM = 1024
"""What a record needs beside its body: key, headers, the batch's own head."""

_log = structlog.get_logger(__name__)


class Kafka:
    """One sink's way into one topic.

    ``journal`` is the journal's id, and ``digest_at`` gives its chain's digest at a position, None where it has no such
    position (any more, or yet).
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
    ) -> None:
        self.limits = Limits(5_000, 3 << 20, settings.max_message_bytes - _HEADROOM)
        self._settings = settings
        self._files = Reread(settings.connection, settings.files())
        self._connection = self._files.current()
        self._journal = journal
        self._group = f"eventgate-{journal}-{sink}"
        self._digest_at = digest_at
        self._clock = clock
        self._producer: Producer | None = None
        self._lanes = Partitioning(settings.partitions)
        self._delivered_upto: Cursor | None = None
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
        self._delivered_upto = None
        self._connection = self._files.current()
        producer = self._producer = Producer(self._settings, self._connection, self._group)
        await producer.start()
        await ensure_topic(self._settings, self._connection)
        self._lanes = Partitioning(await producer.partitions())
        note = None if self._topic_replaced else await producer.kept()
        if note is None:
            standing = await self._recover(producer, kept)
            self._topic_replaced = False
            return standing
        found = _decoded(note)
        standing = standing_from(found, kept, await self._digest_at(found.standing.cursor.position))
        if standing is kept:
            await self._keep(producer, kept)
        else:
            self._delivered_upto = found.delivered_upto
        if found.partitions != self._lanes.partitions:
            _log.warning(
                "the topic's number of partitions changed: a sensor's events may be out of order across the change",
                topic=self._settings.topic,
                partitions=self._lanes.partitions,
                before=found.partitions,
            )
        return standing

    async def _recover(self, producer: Producer, kept: Standing) -> Standing:
        """The broker has no cursor. Go on from the database's lagging copy where the topic's own records say how far
        they reach beyond it, so that these are not written twice; or from the beginning where nothing ever was.
        """
        reason = "the broker has no cursor, and the topic no record, of this sink"
        try:
            newest = await newest_place(
                self._connection, self._settings.topic, self._lanes.partitions, self._source(kept)
            )
        except TooFar as error:
            newest, reason = None, f"the broker has no cursor of this sink, and {error}"
        if newest is None and kept.cursor != START.cursor:
            await self._keep(producer, kept, lost=True)
            raise CursorLost(f"{reason}: rewind the sink to where it shall go on")
        if newest is not None and newest > kept.cursor:
            self._delivered_upto = newest
        await self._keep(producer, kept)
        return kept

    async def deliver(self, window: Window) -> Delivery:
        producer, already = self._producer, self._delivered_upto
        assert producer is not None, "deliver before open"
        if self._files.current() is not self._connection:
            raise Disconnected("the certificates or the password changed: connecting anew")
        upto, events = window.upto, window.events
        if already is not None:
            events = [outgoing for outgoing in events if outgoing.place > already or outgoing.place.position == 0]
            self._delivered_upto = already if upto.cursor < already else None
        try:
            with translated("delivering"):
                async with asyncio.timeout(WINDOW_SECONDS):
                    stamp = Stamp(self._source(upto), upto.generation, self._clock.now_ms())
                    batches = await pack(events, self._lanes, producer.batch, stamp)
                    await producer.transact(batches, upto.cursor.position, await self._note(upto))
        except TopicReplaced:
            self._topic_replaced = True
            raise
        return Delivery(len(window.events))

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
        return encode(Kept(self._journal, standing, digest, self._lanes.partitions, self._delivered_upto, lost))

    def _source(self, standing: Standing) -> bytes:
        """Marks the records of this sink, in this generation of its cursor; two installations never share it."""
        return f"{hashlib.sha256(self._group.encode()).hexdigest()[:16]}.{standing.generation}".encode()


def _decoded(note: str) -> Kept:
    try:
        return decode(note)
    except ValueError as error:
        raise CursorLost(f"the cursor at the broker cannot be read: {error}") from error
