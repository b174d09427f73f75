"""UUIDv7 identifiers (RFC 9562, section 5.7): milliseconds in front, so that ids sort by time.

Pure but for the operating system's random source.
"""

import os
from uuid import UUID, SafeUUID

MAX_MS = (1 << 48) - 1
"""The largest timestamp, in milliseconds since the epoch, that a UUIDv7 can carry."""

_NEW, _SET = object.__new__, object.__setattr__
_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_RAND_A = 0xFFF
_RAND_B = (1 << 62) - 1


def uuid7(ms: int, entropy: bytes | None = None) -> UUID:
    """Make a UUIDv7 of ``ms`` (milliseconds since the epoch) and at least ten bytes of entropy (random by default)."""
    bits = int.from_bytes((entropy or os.urandom(10))[:10], "big")
    made = _NEW(UUID)  # what UUID(int=…) does, without its twenty questions: each event gets one
    _SET(made, "int", (ms << 80) | _VERSION_7 | ((bits >> 64 & _RAND_A) << 64) | _VARIANT | (bits & _RAND_B))
    _SET(made, "is_safe", SafeUUID.unknown)
    return made


def uuid7_ms(value: UUID) -> int:
    """The milliseconds since the epoch that a UUIDv7 carries."""
    return value.int >> 80


def is_uuid7(value: UUID) -> bool:
    return value.int >> 76 & 0xF == 0x7 and value.int >> 62 & 0b11 == 0b10


def first_id(ms: int) -> UUID:
    """The smallest id of a millisecond: a UUIDv7 of ``ms`` or later is greater, an earlier one less."""
    return UUID(int=min(max(ms, 0), MAX_MS) << 80)
