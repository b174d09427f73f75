"""Look closely at one event's JSON for what strangers put there: the exact test behind the cheap ones.

Pure. Says of each oddity what it is and where, by JSON pointer, so that it costs its own event and no other.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from eventgate.errors import FieldError
from eventgate.ingest.limits import NESTING

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_NOT_SKELETON = bytes(byte for byte in range(256) if byte not in b":[{")
_ROUND = bytes.maketrans(b"[{]}", b"(())")
_DIGITS = bytes(ord("0") if chr(byte) in "0123456789" else byte for byte in range(256))
_LONG_INTEGER = b"0" * 19
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_MOST_FOUND = 20


class Malformed(ValueError):
    """Not JSON. ``offset`` is the byte where it stops being that."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"not JSON from byte {offset}")
        self.offset = offset


class _Odd(NamedTuple):
    code: str
    detail: str


class _Object(NamedTuple):
    pairs: list[tuple[str, Any]]


def is_plain(text: bytes) -> bool:
    """Whether cheap tests can vouch for ``text``: no escapes by number and no long integers."""
    escaped = b"\\" in text and b"\\u" in text  # one byte is found ten times as fast as two
    return not escaped and _LONG_INTEGER not in text.translate(_DIGITS)


def skeleton(text: bytes) -> bytes:
    """The colons and opening brackets of ``text``, those inside of strings too."""
    return text.translate(None, _NOT_SKELETON)


def same_members(skeleton: bytes, canonical: bytes) -> bool:
    """Whether a plain text has as many members as its canonical form, which keeps one of a name.

    Each member has a colon, and the other colons stand in strings that both texts have alike.
    """
    return skeleton.count(b":") == canonical.count(b":")


def is_shallow(skeleton: bytes) -> bool:
    """Whether a text has too few brackets to be nested too deep; True is certain, False is a guess."""
    return len(skeleton) - skeleton.count(b":") <= NESTING


def examine(text: bytes) -> list[FieldError]:
    """Everything in one event's JSON that the gate does not take, by pointer into the event.

    Raises Malformed where it is not JSON at all; bytes that are not UTF-8 inside of strings are an oddity instead.
    """
    if _is_deep(text):
        return [FieldError("", "nesting-too-deep", f"Objects and arrays are nested deeper than {NESTING}.")]
    string = text.decode("utf-8", "surrogateescape")

    def _constant(name: str) -> None:
        outside = _STRING.sub(lambda found: b" " * len(found[0]), text)
        raise Malformed(outside.index(name.encode()))  # NaN and Infinity, which Python's parser takes and JSON has not

    try:
        value = json.loads(
            string, object_pairs_hook=_Object, parse_int=_integer, parse_float=_float, parse_constant=_constant
        )
    except json.JSONDecodeError as error:
        raise Malformed(len(string[: error.pos].encode("utf-8", "surrogateescape"))) from None
    except RecursionError:
        raise Malformed(len(text)) from None  # opened far more often than closed: it cannot be whole
    return [problem for problem, _ in zip(_oddities(value, ""), range(_MOST_FOUND), strict=False)]


def _is_deep(text: bytes) -> bool:
    brackets = _STRING.sub(b"", text).translate(_ROUND, _NOT_BRACKETS)
    for _ in range(NESTING):
        brackets = brackets.replace(b"()", b"")  # takes away what is innermost: one level a round
    return b"()" in brackets


def _integer(digits: str) -> int | _Odd:
    if len(digits) <= 20 and -(1 << 63) <= (value := int(digits)) < 1 << 64:
        return value
    return _Odd("number-out-of-range", "An integer goes beyond 64 bits; send it as a string.")


def _float(digits: str) -> float | _Odd:
    value = float(digits)
    return _Odd("number-out-of-range", "A number goes beyond IEEE 754 double.") if math.isinf(value) else value


def _oddities(value: Any, pointer: str) -> Iterator[FieldError]:
    match value:
        case _Odd():
            yield FieldError(pointer, value.code, value.detail)
        case str():
            yield from _text_oddities(value, pointer)
        case list():
            for index, item in enumerate(value):
                yield from _oddities(item, f"{pointer}/{index}")
        case _Object():
            names: set[str] = set()
            for name, item in value.pairs:
                inner = f"{pointer}/{_token(name)}"
                if name in names:
                    yield FieldError(inner, "duplicate-key", "The object has two members of this name.")
                names.add(name)
                yield from _text_oddities(name, inner)
                yield from _oddities(item, inner)


def _text_oddities(text: str, pointer: str) -> Iterator[FieldError]:
    if _ESCAPED_BYTE.search(text):
        yield FieldError(pointer, "utf8-malformed", "Text holds bytes that are not UTF-8.")
    elif _SURROGATE.search(text):
        yield FieldError(pointer, "surrogate-lone", "Text holds half of a surrogate pair.")


def _token(name: str) -> str:
    """One member's name as a reference token (RFC 6901, section 3), shown with U+FFFD for what is not text."""
    return _NOT_TEXT.sub("\ufffd", name)[:128].replace("~", "~0").replace("/", "~1")
