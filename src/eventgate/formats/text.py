"""Text that a stranger wrote, made fit for one line: nothing invisible, nothing that turns a line around.

Pure. Most text has nothing to make fit, and is written as it is. That must be found out quickly, for each event has
some: bytes are searched for single octets, and JSON's encoder for whatever needs a backslash.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import orjson

_BLANKS = bytes.maketrans(b"\t\r\n", b"   ")
_BACKSLASH, _DELETE = ord("\\"), 0x7F
_json = orjson.dumps

_HIDDEN = (*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
_PICTURES = {code: 0x2400 + code if code < 0x20 else 0x2421 if code == 0x7F else 0xFFFD for code in _HIDDEN}
"""U+0000 to U+001F and U+007F have pictures in Unicode's block of that name; the others have none."""


def visible(text: str) -> str:
    """Control characters, line separators and bidirectional marks become pictures."""
    return text if text.isprintable() else text.translate(_PICTURES)


def on_one_line(json: bytes) -> bytes:
    """JSON without a line break: one can stand bare between tokens alone, as blank space."""
    return json.translate(_BLANKS) if 10 in json or 13 in json or 9 in json else json


def is_visible(json: bytes) -> bool:
    """Whether JSON on one line is all visible. Of some that is it may be denied.

    JSON leaves bare what is hidden beyond ASCII, and DEL. In UTF-8 all of that begins with the octets C2 or E2 (and so
    do some other characters, such as the pound sign), but for the Arabic letter mark, which is D8 9C.
    """
    if _DELETE in json or 0xC2 in json or 0xE2 in json:
        return False
    return 0xD8 not in json or b"\xd8\x9c" not in json


class Writers(NamedTuple):
    """What writes a text, and what writes JSON, as a value on a line."""

    text: Callable[[str], bytes]
    json: Callable[[bytes], bytes]


def bare(special: bytes, escaped: Callable[[str], str], shown: Callable[[str], str] = visible) -> Writers:
    """As they are; or ``escaped``, if they have an octet of the one or two in ``special``; or ``shown`` as well, if
    they have anything hidden.
    """
    first, last = special[0], special[-1]

    def text(text: str) -> bytes:
        quoted = _json(text)
        plain = len(quoted) == len(text) + 2 and _DELETE not in quoted  # ASCII, and JSON had nothing to escape
        if first in quoted or last in quoted or (not plain and (_BACKSLASH in quoted or not is_visible(quoted))):
            return shown(escaped(text)).encode()
        return text.encode()

    def json(json: bytes) -> bytes:
        plain = (json.isascii() and _DELETE not in json) or is_visible(json)  # a call costs as much as both searches
        if not plain or 10 in json or 13 in json or 9 in json:
            return shown(escaped(on_one_line(json).decode())).encode()
        return escaped(json.decode()).encode() if first in json or last in json else json

    return Writers(text, json)


def quoted(special: bytes = b"") -> Writers:
    """In quotation marks, made visible; quotation marks in them, backslashes and ``special`` behind a backslash.

    Of visible text JSON escapes quotation marks and backslashes and nothing else, in the same way, and quickly.
    """
    octet = special[0] if special else _BACKSLASH

    def text(text: str) -> bytes:
        quoted = _json(text)
        plain = len(quoted) == len(text) + 2 and _DELETE not in quoted  # ASCII, and JSON had nothing to escape
        if not plain and (_BACKSLASH in quoted or not is_visible(quoted)):
            quoted = _json(visible(text))
        return quoted.replace(special, b"\\" + special) if special and octet in quoted else quoted

    def json(json: bytes) -> bytes:
        plain = (json.isascii() and _DELETE not in json) or is_visible(json)
        if not plain or 10 in json or 13 in json or 9 in json:
            json = visible(on_one_line(json).decode()).encode()
        quoted = _json(json.decode())
        return quoted.replace(special, b"\\" + special) if special and octet in quoted else quoted

    return Writers(text, json)


def ascii_name(text: str | None, longest: int, allowed: re.Pattern[str]) -> str:
    """A header field: every character that is not ``allowed`` becomes a low line, or the nil value of RFC 5424."""
    return allowed.sub("_", text)[:longest] if text else "-"
