"""Hardware addresses in the notation that a format wants; whatever is none stays what it is and gets no such field.

Pure. Nothing is kept: strangers' devices change theirs every few minutes, so that most would be kept in vain.
"""

from collections.abc import Callable
from typing import Any

_LOWER, _UPPER = b"0123456789abcdef", b"ABCDEF"
_SHAPES = bytes(
    ord("0") if octet in _LOWER else ord("A") if octet in _UPPER else octet if octet in b":-" else ord("x")
    for octet in range(256)
)
"""Digits are all one, and separators are themselves; all else spoils the shape."""
_COLONS, _HYPHENS, _NONE = b"00:00:00:00:00:00", b"00-00-00-00-00-00", b"000000000000"
_TO_HYPHENS = bytes.maketrans(b"abcdef:", b"ABCDEF-")

Write = Callable[[Any], bytes]


def with_colons(*around: bytes) -> Write:
    """What writes ``02:00:5e:10:00:01``, the notation of CEF, LEEF and OCSF, between each two of ``around``."""
    return _between(around, None)


def with_hyphens(*around: bytes) -> Write:
    """What writes ``02-00-5E-10-00-01``, the notation of ECS."""
    return _between(around, _TO_HYPHENS)


def _between(around: tuple[bytes, ...], table: bytes | None) -> Write:
    def write(value: Any) -> bytes:
        try:
            address: bytes = value.encode()
        except AttributeError:
            return b""
        if address.translate(_SHAPES) != _COLONS:
            address = _from_another(address.lower())
            if not address:
                return b""
        return (address if table is None else address.translate(table)).join(around)

    return write


def _from_another(lower: bytes) -> bytes:
    """With colons; empty where it is no address."""
    shape = lower.translate(_SHAPES)
    if shape == _NONE:
        return b":".join([lower[at : at + 2] for at in range(0, 12, 2)])
    return lower.replace(b"-", b":") if shape in (_COLONS, _HYPHENS) else b""
