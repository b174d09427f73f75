"""What a search sees of hostile text, the same in memory and in PostgreSQL: U+0000 as U+FFFD, JSON as jsonb prints it.

Pure. PostgreSQL holds no U+0000 in text or jsonb, so searchable columns show U+FFFD; the journal keeps the bytes.
"""

import json
from decimal import Decimal
from typing import Any

import msgspec

REPLACEMENT = "\ufffd"
_NUL_ESCAPE, _REPLACEMENT_ESCAPE = b"\\u0000", b"\\ufffd"

# Exact numbers, as jsonb keeps them: 0.1 is no binary fraction, and 1.50 prints with its zero.
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def shown_text(text: str) -> str:
    """A text as searchable columns show it."""
    return text.replace("\0", REPLACEMENT)


def shown_data(text: bytes) -> bytes:
    """A JSON text as searchable columns show it; an escaped backslash before a plain ``u0000`` stays."""
    if _NUL_ESCAPE not in text:
        return text
    return b"\\\\".join(part.replace(_NUL_ESCAPE, _REPLACEMENT_ESCAPE) for part in text.split(b"\\\\"))


def shown_json(text: bytes) -> Any:
    """Decode a JSON text into what its jsonb column holds: exact numbers, strings and keys without U+0000."""
    value = _decode(text)
    return _without_nul(value) if _NUL_ESCAPE in text else value


def canonical_text(value: Any) -> str:
    """Print a decoded JSON value as PostgreSQL prints jsonb: keys by length then bytes, exact plain numbers."""
    match value:
        case dict():
            members = sorted((_key_order(key), key, member) for key, member in value.items())
            return "{" + ", ".join(f"{_quoted(key)}: {canonical_text(member)}" for _, key, member in members) + "}"
        case list():
            return "[" + ", ".join(map(canonical_text, value)) + "]"
        case str():
            return _quoted(value)
        case bool() | None:
            return json.dumps(value)
        case Decimal():
            plain = format(value, "f")
            return plain if value else plain.removeprefix("-")  # numeric knows no negative zero
        case _:
            return str(value)


def _key_order(key: str) -> tuple[int, bytes]:
    encoded = key.encode()
    return len(encoded), encoded


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return shown_text(value)
        case list():
            return [_without_nul(element) for element in value]
        case dict():
            return {shown_text(key): _without_nul(member) for key, member in value.items()}
        case _:
            return value
