"""Which partition a sensor's events go to: the one that Kafka's own Java client would choose for the same key.

Pure. All events of a sensor share a partition, and so keep their order.
"""

from typing import NamedTuple
from uuid import UUID

from aiokafka.partitioner import murmur2

_REMEMBERED = 100_000


class Slot(NamedTuple):
    """Where a sensor's records go, and under which key (its id as text)."""

    partition: int
    key: bytes


class Partitioning:
    """Slots by sensor for a topic of so many partitions. murmur2 in Python costs 7 µs a key, hence the memory."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self._slots: dict[int, Slot] = {}  # by the sensor's number: a UUID hashes and compares in Python, slowly

    def slot(self, sensor: UUID) -> Slot:
        number = sensor.int
        found = self._slots.get(number)
        if found is None:
            if len(self._slots) >= _REMEMBERED:
                self._slots.clear()
            key = str(sensor).encode()
            found = self._slots[number] = Slot((murmur2(key) & 0x7FFFFFFF) % self.partitions, key)
        return found
