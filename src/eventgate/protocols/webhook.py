"""Standard Webhooks (standardwebhooks.com): the id of a message, and what signs it.

Pure. The id is the same for every try, the timestamp is each try's own, and the signature covers both and the body. Who
changes a secret signs with the old and the new one meanwhile: a receiver takes a message if one of them is right.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from eventgate.event import Event

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64


def secrets(text: str) -> tuple[bytes, ...]:
    """The secrets in a text, one a line. Raises ValueError, which holds nothing of them."""
    return tuple(_secret(number, word) for number, word in enumerate(text.split(), 1)) or _none()


def _secret(number: int, word: str) -> bytes:
    told = word.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(told + "=" * (-len(told) % 4), validate=True)
    except binascii.Error:
        key = b""
    if not word.startswith(_PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(
            f"secret {number}: expected {_PREFIX} and then base64 of {_SHORTEST} to {_LONGEST} bytes, which"
            f" 'echo {_PREFIX}$(openssl rand -base64 32)' makes"
        )
    return key


def _none() -> tuple[bytes, ...]:
    raise ValueError(f"expected at least one secret that begins with {_PREFIX}, found none")


def message_id(events: Sequence[Event]) -> str:
    """The same for the same events in the same order, and for no others."""
    if len(events) == 1:
        return f"evt_{events[0].company.hex}{events[0].id.hex}"
    ids = b"".join([(event.company.int << 128 | event.id.int).to_bytes(32) for event in events])
    return f"batch_{hashlib.sha256(ids).hexdigest()}"


def signature(keys: Sequence[bytes], message: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``: one ``v1`` signature for each key."""
    covered = b"%b.%d.%b" % (message.encode(), timestamp, body)
    return " ".join("v1," + base64.b64encode(hmac.digest(key, covered, hashlib.sha256)).decode("ascii") for key in keys)
