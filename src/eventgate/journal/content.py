"""The canonical form of an event's content, and its digest: what makes two events the same.

Pure. The chain of the journal is built over these digests, and whoever recomputes it starts here.
"""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson


def canonical(members: Mapping[str, Any]) -> bytes:
    """JSON without blanks, members sorted by code point at every depth, numbers in their shortest form."""
    return orjson.dumps(members, option=orjson.OPT_SORT_KEYS)


def content_digest(sensor: UUID, content: bytes) -> bytes:
    """SHA-256 over the sensor's id and the canonical form of what it reported."""
    return hashlib.sha256(sensor.bytes + content).digest()
