"""Cut a body into the texts of its events, each exactly as it was sent.

Pure. A quick way for what callers send, an exact one for what only a hostile or broken one does; both yield while they
work, so that whoever drives them can give others a turn.
"""

import re
from collections.abc import Generator

import msgspec

from eventgate.errors import CallerError
from eventgate.ingest.examine import Malformed

_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_BLANKS = re.compile(rb"[ \t\n\r]*")
_TEXT = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
_STRING = b'"' + _TEXT + b'"'
_IN_STRING = re.compile(_TEXT, re.DOTALL)
_INSIDE = re.compile(_STRING + rb'|["\[\]{}]', re.DOTALL)
_BETWEEN = re.compile(_STRING + rb'|["\[\]{},]', re.DOTALL)
_OPENS = {b"]": ord("["), b"}": ord("{")}
_MOST_COMMAS = 200_000
"""Above this, an array may have millions of elements: the quick way would make an object of each."""

_DEEPEST = 10_000
"""No reader of JSON goes this deep."""

_TURN, _WINDOW = 1_000, 128 << 10
"""So many tokens of the exact way between two turns, so many bytes for one token."""


def split_json(body: bytes, most: int) -> Generator[None, None, tuple[bool, list[bytes]]]:
    """Whether the body is an array, and its events' texts: those of the array, or the one object.

    Elements that are not JSON may still be among them: ``place`` says where they stand.
    Raises Malformed for what is no array and no object, CallerError 413 for more than ``most`` events.
    """
    start = _BLANKS.match(body).end()  # type: ignore[union-attr]  # it matches nothing at least
    if body[start : start + 1] == b"{":
        return False, [body[start:].rstrip(b" \t\n\r")]
    if body[start : start + 1] != b"[":
        raise Malformed(start)
    yield
    if body.count(b",") <= _MOST_COMMAS:
        try:
            raws = _RAWS.decode(body)
        except (msgspec.DecodeError, RecursionError):
            pass  # one element's strings or depth, or the whole: the exact way tells
        else:
            if len(raws) > most:
                raise too_many(most)
            return True, [bytes(raw) for raw in raws]
    texts: list[bytes] = []
    for span in _elements(body, start + 1):
        if span is None:
            yield
        elif len(texts) == most:
            raise too_many(most)
        else:
            texts.append(body[span[0] : span[1]])
    return True, texts


def split_lines(body: bytes, most: int) -> list[bytes]:
    """The lines of NDJSON that are not blank."""
    if body.count(b"\n") > 2 * most:
        raise too_many(most)
    texts = [text for line in body.split(b"\n") if (text := line.strip(b" \t\r"))]
    if len(texts) > most:
        raise too_many(most)
    return texts


def place(body: bytes, array: bool, index: int, offset: int) -> Generator[None, None, int]:
    """The offset in the whole body of an offset in one of its events."""
    start = _BLANKS.match(body).end()  # type: ignore[union-attr]  # it matches nothing at least
    if not array:
        return start + offset
    for span in _elements(body, start + 1):
        if span is None:
            yield
        elif index == 0:
            return span[0] + offset
        else:
            index -= 1
    raise AssertionError("an array has fewer elements than were read from it")


def line_and_column(body: bytes, offset: int) -> tuple[int, int]:
    """Where a byte stands for a person: line and character in it, both from 1."""
    line_start = body.rfind(b"\n", 0, offset) + 1
    return body.count(b"\n", 0, offset) + 1, len(body[line_start:offset].decode("utf-8", "replace")) + 1


def too_many(most: int) -> CallerError:
    return CallerError(413, "too-many-events", f"A write carries at most {most} events. Send them in several writes.")


def _elements(body: bytes, start: int) -> Generator[tuple[int, int] | None, None, None]:
    """Where each element of the array begins and ends, blanks left out; None now and then. Raises Malformed."""
    open_brackets = bytearray()
    begin = position = start
    tokens = found = 0
    while position < len(body):
        tokens += 1
        if tokens % _TURN == 0:
            yield None
        match = (_INSIDE if open_brackets else _BETWEEN).search(body, position, position + _WINDOW)
        if match is None:
            position += _WINDOW
            continue
        at, position = match.span()
        token = body[at : at + 1]
        if token == b'"':
            if position == at + 1:  # its end is beyond the window
                position = yield from _end_of_string(body, position)
        elif token in b"[{":
            open_brackets += token
            if len(open_brackets) > _DEEPEST:
                raise Malformed(at)
        elif open_brackets:
            if open_brackets.pop() != _OPENS[token]:
                raise Malformed(at)
        elif token == b"}":
            raise Malformed(at)
        else:
            begin = _BLANKS.match(body, begin).end()  # type: ignore[union-attr]  # it matches nothing at least
            end = begin + len(body[begin:at].rstrip(b" \t\n\r"))
            if begin < end:
                found += 1
                yield begin, end
            elif token == b"," or found:
                raise Malformed(at)
            if token == b"]":
                rest = _BLANKS.match(body, position).end()  # type: ignore[union-attr]  # it matches nothing at least
                if rest < len(body):
                    raise Malformed(rest)
                return
            begin = position
    raise Malformed(len(body))


def _end_of_string(body: bytes, position: int) -> Generator[None, None, int]:
    """Where a string ends that ``position`` is inside of. Raises Malformed."""
    while position < len(body):
        after = _IN_STRING.match(body, position, position + _WINDOW).end()  # type: ignore[union-attr]  # as above
        if body[after : after + 1] == b'"':
            return after + 1
        if after == position:
            break
        position = after
        yield
    raise Malformed(len(body))
