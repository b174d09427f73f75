"""Percent-encodes raw bytes above 0x7F in the request lines of one HTTP/1.1 connection, ahead of the parser.

Browsers' address bars and ``curl -g`` send the middle dot as raw UTF-8 bytes, which RFC 9112 does not allow and the
parser refuses. Pure. Follows the framing of each message (RFC 9112, section 6) so that header fields and bodies pass
untouched; on a connection where the framing is anything but plain it stops rewriting for good, and the parser judges.
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import ClassVar

MAX_HEAD = 256 << 10
"""A head longer than this is not followed; the parser's own bounds are far below."""

_END_OF_HEAD = b"\r\n\r\n"
_ABOVE_ASCII = re.compile(rb"[\x80-\xff]")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")


class _At(Enum):
    LINE = 1
    FIELDS = 2
    BODY = 3
    CHUNK_SIZE = 4
    CHUNK = 5
    CHUNK_END = 6
    TRAILER = 7
    LOST = 8


class RequestLines:
    """The bytes of one connection go through ``feed``, in pieces of any size."""

    def __init__(self) -> None:
        self._at = _At.LINE
        self._head = bytearray()
        """The request line and header fields so far, or the line that tells a chunk's size."""
        self._left = 0

    def feed(self, data: bytes) -> bytes:
        """What the parser shall see in place of ``data``."""
        size = len(data)
        if self._at is _At.BODY and self._left > size:  # the common case of a large body: nothing to look at
            self._left -= size
            return data
        out: list[bytes] = []
        start = passed = 0
        while start < size:
            line = self._at is _At.LINE
            if line and not self._head:  # the common case of a head in one piece, all of it ASCII
                end = data.find(_END_OF_HEAD, start) + 2
                if end > 1 and (head := data[start:end]).isascii() and not head.startswith(b"\r\n"):
                    self._begin_body(head.lower())
                    start = end + 2
                    continue
            end = self._STEPS[self._at](self, data, start)
            if line and not data[start:end].isascii():
                out += (data[passed:start], _encoded(data[start:end]))
                passed = end
            start = end
        return b"".join((*out, data[passed:])) if out else data

    # Each step takes what it can from ``data`` at ``start`` and returns where it ended.

    def _line(self, data: bytes, start: int) -> int:
        """Take the request line, or what there is of it."""
        end = data.find(b"\n", start) + 1 or len(data)
        self._keep(data[start:end])
        if self._head == b"\r\n":  # an empty line before a request line is ignored (RFC 9112, section 2.2)
            self._head.clear()
        elif self._head.endswith(b"\n"):
            self._at = _At.FIELDS
        return end

    def _fields(self, data: bytes, start: int) -> int:
        """Take header fields up to the empty line that ends them, or what there is of them."""
        before = bytes(self._head[-3:])
        split = (before + data[start : start + 3]).find(_END_OF_HEAD)  # one that began in the piece before
        found = start - len(before) + split if split >= 0 else data.find(_END_OF_HEAD, start)
        if split < 0 and found < 0:
            self._keep(data[start:])
            return len(data)
        end = found + len(_END_OF_HEAD)
        self._keep(data[start:end])
        if self._at is _At.FIELDS:
            self._begin_body(bytes(self._head).lower())
            self._head.clear()
        return end

    def _begin_body(self, head: bytes) -> None:
        length, coding = _field(head, b"\r\ncontent-length"), _field(head, b"\r\ntransfer-encoding")
        lines = head.count(b"\r\n")
        if (
            not lines == head.count(b"\n") == head.count(b"\r")  # one of them alone, over which parsers differ
            or (coding and (length or coding != b"chunked"))
            or (length and not (length.isdigit() and len(length) < 19))
            or b"\r\n " in head  # a folded field
            or b"\r\n\t" in head
            or b"\r\nupgrade" in head  # another protocol
            or head.startswith(b"connect ")
        ):
            self._at = _At.LOST
        elif coding:
            self._at = _At.CHUNK_SIZE
        else:
            self._left = int(length or b"0")
            self._at = _At.BODY if self._left else _At.LINE

    def _body(self, data: bytes, start: int) -> int:
        taken = min(self._left, len(data) - start)
        self._left -= taken
        if not self._left:
            self._at = {_At.BODY: _At.LINE, _At.CHUNK: _At.CHUNK_END, _At.CHUNK_END: _At.CHUNK_SIZE}[self._at]
            self._left = 2 if self._at is _At.CHUNK_END else 0  # the CRLF behind a chunk
        return start + taken

    def _chunk_size(self, data: bytes, start: int) -> int:
        end = data.find(b"\n", start) + 1 or len(data)
        self._keep(data[start:end])
        if not self._head.endswith(b"\n"):
            return end
        size = _CHUNK_SIZE.fullmatch(bytes(self._head))
        self._head.clear()
        if size is None:
            self._at = _At.LOST
        else:
            self._left = int(size[1], 16)
            self._at = _At.CHUNK if self._left else _At.TRAILER
        return end

    def _trailer(self, data: bytes, start: int) -> int:
        """Take one line of the trailer section; an empty one ends the message."""
        end = data.find(b"\n", start) + 1 or len(data)
        self._keep(data[start:end])
        if self._head.endswith(b"\n"):
            if self._head == b"\r\n":
                self._at = _At.LINE
            self._head.clear()
        return end

    def _keep(self, piece: bytes) -> None:
        self._head += piece
        if len(self._head) > MAX_HEAD:
            self._head.clear()
            self._at = _At.LOST

    _STEPS: ClassVar[Mapping[_At, Callable[["RequestLines", bytes, int], int]]] = {
        _At.LINE: _line,
        _At.FIELDS: _fields,
        _At.BODY: _body,
        _At.CHUNK_SIZE: _chunk_size,
        _At.CHUNK: _body,
        _At.CHUNK_END: _body,
        _At.TRAILER: _trailer,
        _At.LOST: lambda _self, data, _start: len(data),
    }


def _field(head: bytes, name: bytes) -> bytes:
    """A header field's value: b"" without the field, b"?" where it is empty or there are two of them."""
    start = head.find(name)
    if start < 0:
        return b""
    start += len(name)
    value = head[start : head.find(b"\r\n", start)]
    if head.find(name, start) >= 0 or not value.startswith(b":"):
        return b"?"
    return value[1:].strip(b" \t") or b"?"


def _encoded(line: bytes) -> bytes:
    return line if line.isascii() else _ABOVE_ASCII.sub(lambda byte: b"%%%02X" % ord(byte[0]), line)
