"""Record batches that are compressed before they are sent: the same octets that the client library makes by itself."""

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record import MemoryRecords

from eventgate.forward.transports.kafka.batches import SealedBatch

RECORDS = [(b"key-%d" % n, b'{"n":%d}' % n * 40, [("eg-id", b"%d" % n), ("eg-source", b"s")]) for n in range(50)]
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def sealed(compression: str, most_bytes: int = 1 << 20) -> SealedBatch:
    batch = SealedBatch(most_bytes, compression)
    for key, value, headers in RECORDS:
        assert batch.add(1_700_000_000_000, key, value, headers)
    batch.seal()
    return batch


@pytest.mark.parametrize("compression", CODECS)
def test_a_sealed_batch_is_what_the_library_makes(compression: str) -> None:
    ours, theirs = sealed(compression), BatchBuilder(1 << 20, CODECS[compression], is_transactional=True)
    for key, value, headers in RECORDS:
        theirs.append(timestamp=1_700_000_000_000, key=key, value=value, headers=headers)
    for batch in (ours, theirs):
        batch._set_producer_state(4711, 3, 1200)
    found = bytes(ours._build())
    if compression != "gzip":  # whose head has the time
        assert found == bytes(theirs._build())
    read = MemoryRecords(found).next_batch()
    assert read is not None
    assert read.validate_crc()
    assert [(record.key, record.value, record.headers) for record in read] == RECORDS
    assert ours.record_count() == len(RECORDS)


def test_the_producer_may_tell_its_numbers_again() -> None:
    batch = sealed("zstd")
    batch._set_producer_state(4711, 3, 1200)
    once = bytes(batch._build())
    batch._set_producer_state(4711, 4, 0)
    assert bytes(batch._build()) != once
    batch._set_producer_state(4711, 3, 1200)
    assert bytes(batch._build()) == once


def test_a_full_batch_takes_no_more_but_the_first_record_always() -> None:
    batch = SealedBatch(300, "none")
    assert batch.add(1, b"key", b"v" * 1000, [])
    assert not batch.add(1, b"key", b"v", [])
    assert batch.record_count() == 1
