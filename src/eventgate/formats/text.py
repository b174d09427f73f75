"""Text that a stranger wrote, made fit for one line: nothing invisible, nothing that turns a line around.

Pure.
"""

import re

import orjson

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_BLANKS = str.maketrans("\t\r\n", "   ")
_json = orjson.dumps


def _picture(found: re.Match[str]) -> str:
    """U+0000 to U+001F and U+007F have pictures in Unicode's block of that name; the others have none."""
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"


def visible(text: str) -> str:
    """Control characters, line separators and bidirectional marks become pictures."""
    return text if text.isprintable() else _CONTROL.sub(_picture, text)


def json_on_one_line(json: bytes) -> str:
    """JSON as text without a line break: one can stand bare between tokens alone, as blank space."""
    text = json.decode()
    return text.translate(_BLANKS) if 10 in json or 13 in json or 9 in json else text


def is_plain(json_line: str) -> bool:
    """Whether JSON on one line is all visible, quickly: in ASCII, DEL alone is not and needs no escape."""
    return json_line.isascii() and "\x7f" not in json_line


def in_quotes(visible_text: str) -> str:
    """What stands between quotation marks: they and backslashes behind a backslash.

    Of visible text JSON escapes these two characters and no other, in the same way, and quickly.
    """
    return _json(visible_text).decode()[1:-1]


def in_param(visible_text: str) -> str:
    """What stands between the quotation marks of a PARAM-VALUE (RFC 5424, section 6.3.3)."""
    escaped = _json(visible_text).decode()[1:-1]
    return escaped.replace("]", "\\]") if "]" in escaped else escaped


def ascii_name(text: str | None, longest: int, allowed: re.Pattern[str]) -> str:
    """A header field: every character that is not ``allowed`` becomes a low line, or the nil value of RFC 5424."""
    return allowed.sub("_", text)[:longest] if text else "-"
