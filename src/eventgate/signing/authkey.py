"""The auth key: ``egk_<public id>_<random>_<checksum>``, the string credential of an API key.

Pure but for the system's random source. Only the hash is stored; the public id may be logged and finds the row.
The checksum tells a mistyped key from an unknown one without a look at the database, and lets scanners find leaks.
"""

import hashlib
import re
import secrets
import zlib
from typing import NamedTuple, Self

from eventgate.errors import CallerError

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PUBLIC_LENGTH = 12
_RANDOM_LENGTH = 43  # 256 bits in base 62
_CHECKSUM_LENGTH = 6  # 32 bits in base 62
_SHAPE = re.compile(
    rf"(egk_([0-9A-Za-z]{{{_PUBLIC_LENGTH}}})_[0-9A-Za-z]{{{_RANDOM_LENGTH}}})_([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})",
    re.ASCII,
)


class ParsedAuthKey(NamedTuple):
    """What a caller showed: the public id to look up, and the SHA-256 to compare in constant time."""

    public_id: str
    hash: bytes


class AuthKey(NamedTuple):
    """A key just made. ``whole`` is shown once and kept nowhere."""

    whole: str
    public_id: str
    hash: bytes

    @classmethod
    def mint(cls) -> Self:
        public_id = _random(_PUBLIC_LENGTH)
        body = f"egk_{public_id}_{_random(_RANDOM_LENGTH)}"
        whole = f"{body}_{_checksum(body)}"
        return cls(whole, public_id, hashlib.sha256(whole.encode()).digest())

    @staticmethod
    def parse(text: str) -> ParsedAuthKey:
        """Take a shown key apart; CallerError 401 ``key-malformed`` where the shape or the checksum is wrong."""
        shape = _SHAPE.fullmatch(text)
        if shape is None or _checksum(shape[1]) != shape[3]:
            raise CallerError(
                401, "key-malformed", "The auth key is not whole: its checksum does not fit. Was it cut or mistyped?"
            )
        return ParsedAuthKey(shape[2], hashlib.sha256(text.encode()).digest())


def _random(length: int) -> str:
    return "".join(secrets.choice(_DIGITS) for _ in range(length))


def _checksum(body: str) -> str:
    rest = zlib.crc32(body.encode())
    digits = []
    for _ in range(_CHECKSUM_LENGTH):
        rest, digit = divmod(rest, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
