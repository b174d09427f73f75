from uuid import UUID

import pytest

from eventgate.forward.transports.kafka import partitioning
from eventgate.forward.transports.kafka.partitioning import Partitioning


def murmur2(data: bytes) -> int:
    """Austin Appleby's MurmurHash2 with Kafka's seed, straight from its description: an independent second opinion."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) - len(data) % 4
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * m & mask
        h = (h * m & mask) ^ ((k ^ k >> 24) * m & mask)
    if rest := data[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def test_a_sensor_goes_where_kafkas_own_client_would_send_its_key() -> None:
    slots = Partitioning(12)
    for number in range(200):
        sensor = UUID(int=number * 0x1234567890ABCDEF1234567890ABCDEF % 2**128)
        key = str(sensor).encode()
        assert slots.slot(sensor) == ((murmur2(key) & 0x7FFFFFFF) % 12, key)


def test_the_memory_of_slots_is_bounded_and_forgetting_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitioning, "_REMEMBERED", 10)
    slots = Partitioning(5)
    before = [slots.slot(UUID(int=number)) for number in range(25)]
    assert len(slots._slots) <= 10
    assert [slots.slot(UUID(int=number)) for number in range(25)] == before
