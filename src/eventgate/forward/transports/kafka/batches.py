"""A record batch (Kafka's message format, version 2) that is compressed on a thread, before it is the library's turn.

Pure. The library by itself compresses while it sends, and the event loop waits; here only the head is left to complete,
with what the producer knows at that moment: its id, its epoch, and the number of the batch's first record.
"""

from struct import Struct

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

_CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}

_CHECKSUM, _COVERED, _PRODUCER = 17, 21, 43
"""Octets from the batch's beginning: the checksum, what it covers, the producer's three numbers."""
_PUT_CHECKSUM = Struct(">I").pack_into
_PUT_PRODUCER = Struct(">qhi").pack_into


class SealedBatch:
    """Part of a transaction. Filled by ``add``, then sealed, then sent, as a builder of the library's own would be."""

    def __init__(self, most_bytes: int, compression: str) -> None:
        # The producer's numbers follow when the batch is sent.
        self._builder = DefaultRecordBatchBuilder(2, _CODECS[compression], True, -1, -1, 0, most_bytes)
        self._records = 0
        self._sealed: bytearray | None = None

    def add(self, timestamp: int, key: bytes, value: bytes, headers: list[tuple[str, bytes | None]]) -> bool:
        """Add a record, False where it finds no room; the first always does. ``timestamp`` is in milliseconds."""
        if self._builder.append(self._records, timestamp, key, value, headers) is None:
            return False
        self._records += 1
        return True

    def seal(self) -> None:
        """Compress. Touches nothing else: any thread may do it."""
        self._sealed = self._builder.build()

    def record_count(self) -> int:
        return self._records

    def size(self) -> int:
        """Octets, compressed."""
        return len(self._build())

    def close(self) -> None:
        """It is: nothing is added after it was sealed."""

    def closed(self) -> bool:
        return True

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        head = self._build()
        _PUT_PRODUCER(head, _PRODUCER, producer_id, producer_epoch, base_sequence)
        _PUT_CHECKSUM(head, _CHECKSUM, calc_crc32c(memoryview(head)[_COVERED:]))

    def _build(self) -> bytearray:
        assert self._sealed is not None, "sealed first"
        return self._sealed
