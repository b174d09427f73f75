"""One life of a transactional producer: it fences its rivals when it starts, and is dropped at the first doubt.

Touches the network. Knows aiokafka's ways: where it waits for ever, and what it leaves behind.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.client import ConnectionGroup, CoordinationType
from aiokafka.errors import KafkaConnectionError, KafkaError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.structs import OffsetAndMetadata, RecordMetadata, TopicPartition

from eventgate.errors import Disconnected
from eventgate.forward.transports.kafka.batches import SealedBatch
from eventgate.forward.transports.kafka.settings import KafkaSettings

_TRANSACTION_TIMEOUT_MS = 10_000
_FAREWELL_SECONDS = 2.0
_RETRY_SECONDS = 0.05


Offsets = dict[int, list[tuple[int, int]]]
"""By partition, of each batch in order: how many records of its transaction stand before it, and its first offset."""


class TopicReplaced(Disconnected):
    """The topic was deleted and made anew since the last window: what it held is gone."""


class Producer:
    """A producer whose transactional id is also the consumer group that its offsets are kept under."""

    def __init__(self, settings: KafkaSettings, connection: dict[str, Any], group: str) -> None:
        self._settings = settings
        self._topic = settings.topic
        self._group = group
        self._in_transaction = False
        self._ends: dict[int, int] = {}
        self._client = AIOKafkaProducer(
            **connection,
            transactional_id=group,
            transaction_timeout_ms=_TRANSACTION_TIMEOUT_MS,
            compression_type=None if settings.compression == "none" else settings.compression,
            max_batch_size=settings.max_message_bytes,
            linger_ms=0,
        )

    async def start(self) -> None:
        """Connect, and fence: no transaction of an earlier producer is open any more when this returns."""
        await self._client.start()

    async def partitions(self) -> int:
        """How many partitions the topic has."""
        return len(await self._client.partitions_for(self._topic))

    def batch(self) -> SealedBatch:
        """An empty batch for ``transact``, which wants it sealed."""
        return SealedBatch(self._settings.max_message_bytes, self._settings.compression)

    async def transact(self, batches: Mapping[int, Sequence[SealedBatch]], offset: int, note: str) -> Offsets:
        """Write batches, by partition, and the offset with its note, all or nothing. Raises the library's errors.

        After any error the outcome is unknown, and the producer is good for nothing but ``drop``.
        """
        self._in_transaction = True
        await self._client.begin_transaction()
        offsets = await self._produce(batches)
        await self._keep(offset, note)
        await self._client.commit_transaction()
        self._in_transaction = False
        return offsets

    async def _produce(self, batches: Mapping[int, Sequence[SealedBatch]]) -> Offsets:
        """Returns when every batch was taken: a commit succeeds although a batch failed."""
        taken: list[asyncio.Future[RecordMetadata]] = []
        sizes: list[int] = []
        for turn in range(max(map(len, batches.values()), default=0)):
            for partition, queue in batches.items():
                if turn < len(queue):
                    sizes.append(queue[turn].record_count())
                    taken.append(await self._client.send_batch(queue[turn], self._topic, partition=partition))
        offsets: Offsets = {}
        records: Counter[int] = Counter()
        for size, where in zip(sizes, await asyncio.gather(*taken), strict=True):
            if 0 <= where.offset < self._ends.get(where.partition, 0):
                raise TopicReplaced(f"partition {where.partition} of {self._topic} begins anew: the topic was replaced")
            self._ends[where.partition] = where.offset + size
            offsets.setdefault(where.partition, []).append((records[where.partition], where.offset))
            records[where.partition] += size
        return offsets

    async def _keep(self, offset: int, note: str) -> None:
        kept = {TopicPartition(self._topic, 0): OffsetAndMetadata(offset, note)}
        await self._client.send_offsets_to_transaction(kept, self._group)

    async def kept(self) -> str | None:
        """The note beside the group's offset, None where the broker has no offset. Waits until the broker knows.

        The admin client would not do: it answers "none" while a broker that restarted still loads its groups.
        """
        client = self._client.client
        request = OffsetFetchRequest(self._group, [(self._topic, [0])])
        while True:
            try:
                coordinator = await client.coordinator_lookup(CoordinationType.GROUP, self._group)
                if not await client.ready(coordinator, group=ConnectionGroup.COORDINATION):
                    raise KafkaConnectionError(f"broker {coordinator} cannot be reached")
                answer = await client.send(coordinator, request, group=ConnectionGroup.COORDINATION)
                if answer.error_code:
                    raise for_code(answer.error_code)(self._group)
                ((_, ((_, offset, note, error_code),)),) = answer.topics
                if error_code:
                    raise for_code(error_code)(self._group)
            except KafkaError as error:
                if not error.retriable:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
                await client.force_metadata_update()
            else:
                return note if offset >= 0 else None

    async def drop(self) -> None:
        """Let go within about three seconds, politely only where no transaction is open. Never raises."""
        with suppress(Exception):
            if not self._in_transaction:
                await asyncio.wait_for(self._client.stop(), _FAREWELL_SECONDS)
                return
        await self._abandon()

    async def _abandon(self) -> None:
        """Close without flushing: stop() would wait for as long as the broker is away."""
        client = self._client
        client._closed = True  # noqa: SLF001 - or its destructor complains
        sender = client._sender.sender_task  # noqa: SLF001 - the library has no other way to let go at once
        for _ in range(2):  # the first cancels the routine, the second what the routine waits for on its way out
            if sender is not None and not sender.done():
                sender.cancel()
                await asyncio.wait([sender], timeout=_FAREWELL_SECONDS / 6)
        # Failures that nobody waited for stay behind in these; asyncio would print a traceback for each.
        queues = client._message_accumulator._batches.values()  # noqa: SLF001 - likewise
        left = [batch._drain_waiter for queue in queues for batch in queue]  # noqa: SLF001 - likewise
        for future in (*left, client._txn_manager.wait_for_transaction_end()):  # noqa: SLF001 - likewise
            if future is not None and future.done() and not future.cancelled():
                future.exception()
        with suppress(Exception):
            await asyncio.wait_for(client.client.close(), _FAREWELL_SECONDS / 3)
