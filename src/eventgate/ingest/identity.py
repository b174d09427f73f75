"""Which event is this? The id of an event that brought none: the same report gets the same id, however often it comes.

Pure. The company's secret keys the hash, so that nobody else can tell or forge an id.
"""

from hashlib import blake2b
from uuid import UUID

from eventgate.ids import uuid7


def id_of_event_id(secret: bytes, sensor: UUID, timestamp: int, event_id: str) -> UUID:
    """The id of an event that its sensor numbered itself: sensor, ``eventId`` and timestamp make it."""
    return _derive(secret, timestamp, b"eventId" + sensor.bytes + timestamp.to_bytes(8, "big") + event_id.encode())


def id_of_content(secret: bytes, timestamp: int, digest: bytes, before: int) -> UUID:
    """The id of an event known by its content alone.

    ``digest`` covers the sensor and the caller's members in canonical form, ``before`` counts the equal events before
    it in the same write.
    """
    return _derive(secret, timestamp, b"content" + digest + before.to_bytes(4, "big"))


def _derive(secret: bytes, timestamp: int, message: bytes) -> UUID:
    return uuid7(timestamp, blake2b(message, key=secret, digest_size=10).digest())
