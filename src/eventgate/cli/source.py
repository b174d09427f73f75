"""Where the events of ``send`` come from: JSON or NDJSON, read as it comes, each with the line it stands on.

Touches the file that is read. Events keep the bytes they had: nothing is parsed and written anew.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple, NoReturn


class Line(NamedTuple):
    """An event's JSON text and the line it begins on, from 1; or, with ``fault``, why it is none."""

    number: int
    text: bytes
    fault: str | None = None


def read(file: BinaryIO) -> Iterator[Line]:
    """The events of a JSON array, of objects over several lines, or of NDJSON, which is handed on line by line."""
    number, first = 0, b""
    for first in file:
        number += 1
        if first.strip():
            break
    else:
        return
    if first.lstrip().startswith(b"[") or _is_begun(first):
        yield from _read_document(number, first + file.read())
        return
    yield _read_line(number, first)
    for following in file:
        number += 1
        if following.strip():
            yield _read_line(number, following)


def _is_begun(line: bytes) -> bool:
    """Whether a line is the first of an object that goes on below."""
    return line.lstrip().startswith(b"{") and not line.rstrip().endswith(b"}")


def _read_line(number: int, line: bytes) -> Line:
    try:
        text = line.strip().decode()
        return _line(number, text, _DECODER.decode(text))
    except (ValueError, RecursionError) as error:
        return Line(number, b"", _fault(error))


def _read_document(number: int, document: bytes) -> Iterator[Line]:
    counted = 0
    try:
        text = document.decode()
        for start, end, value in _values(text):
            number, counted = number + text.count("\n", counted, start), start
            yield _line(number, text[start:end], value)
    except (ValueError, RecursionError) as error:
        lines = error.doc.count("\n", counted, error.pos) if isinstance(error, json.JSONDecodeError) else 0
        yield Line(number + lines, b"", _fault(error))


def _values(text: str) -> Iterator[tuple[int, int, Any]]:
    """Start, end and value of each element of an array, or of values that stand one after the other."""
    at = _skip(text, 0)
    array = text.startswith("[", at)
    if array:
        at = _skip(text, at + 1)
    more = not (array and text.startswith("]", at))
    while more:
        value, end = _DECODER.raw_decode(text, at)
        yield at, end, value
        at = _skip(text, end)
        more = text.startswith(",", at) if array else at < len(text)
        at = _skip(text, at + 1) if array and more else at
    if array and not text.startswith("]", at):
        raise json.JSONDecodeError("Expecting ',' or ']'", text, at)
    if array and _skip(text, at + 1) < len(text):
        raise json.JSONDecodeError("Something stands behind the array", text, at + 1)


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    assert blank
    return blank.end()


def _line(number: int, text: str, value: object) -> Line:
    return Line(number, text.encode(), None if isinstance(value, dict) else "expected a JSON object")


def _fault(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} (column {error.colno})"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: {error.reason}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"not JSON: {constant} is no number")


_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(parse_constant=_refuse)
