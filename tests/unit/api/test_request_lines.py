"""Raw bytes in request lines are percent-encoded; nothing else of a connection's bytes is touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventgate.api.request_line import RequestLines

RAW = "GET /alerts?filter=timestamp·isBefore·2025-05-13%2016%3A11 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
ENCODED = b"GET /alerts?filter=timestamp%C2%B7isBefore%C2%B72025-05-13%2016%3A11 HTTP/1.1\r\nHost: x\r\n\r\n"
LATIN = b"GET /alerts?filter=categoryId\xb7is\xb75 HTTP/1.1\r\nHost: x\r\nX-Name: \xc2\xb7\xff\r\n\r\n"
LATIN_ENCODED = b"GET /alerts?filter=categoryId%B7is%B75 HTTP/1.1\r\nHost: x\r\nX-Name: \xc2\xb7\xff\r\n\r\n"
BODY = "GET /· HTTP/1.1\r\n\r\n".encode() + bytes(range(256))
"""A body that looks like a request and holds every byte."""

WITH_LENGTH = b"POST /v2/events HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = (
    b"POST /v2/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked \r\n\r\n"
    + b"%x;name=value\r\n" % len(BODY) + BODY + b"\r\n"
    + b"3\r\n\xc2\xb7\n\r\n"
    + b"0\r\nTrailer: \xb7\r\n\r\n"
)  # fmt: skip
EMPTY_BODY = b"POST /v2/events HTTP/1.1\r\ncontent-length:0\r\n\r\n"

CONNECTIONS = {
    "one": (RAW, ENCODED),
    "kept alive": (RAW + LATIN + RAW, ENCODED + LATIN_ENCODED + ENCODED),
    "no fields": ("GET /· HTTP/1.1\r\n\r\n".encode() * 2, b"GET /%C2%B7 HTTP/1.1\r\n\r\n" * 2),
    "empty line first": (b"\r\n" + RAW, b"\r\n" + ENCODED),
    "after a body": (WITH_LENGTH + RAW, WITH_LENGTH + ENCODED),
    "after an empty body": (EMPTY_BODY + RAW, EMPTY_BODY + ENCODED),
    "after chunks": (CHUNKED + RAW, CHUNKED + ENCODED),
    "pipelined": (RAW + WITH_LENGTH + CHUNKED + LATIN, ENCODED + WITH_LENGTH + CHUNKED + LATIN_ENCODED),
}


@pytest.mark.parametrize(("sent", "seen"), CONNECTIONS.values(), ids=CONNECTIONS)
def test_whole_and_split_at_every_byte(sent, seen):
    assert RequestLines().feed(sent) == seen
    for cut in range(1, len(sent)):
        lines = RequestLines()
        assert lines.feed(sent[:cut]) + lines.feed(sent[cut:]) == seen, cut
    lines = RequestLines()
    assert b"".join(lines.feed(sent[at : at + 1]) for at in range(len(sent))) == seen


@given(st.sampled_from(list(CONNECTIONS.values())), st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_split_anywhere(connection, sizes):
    sent, seen = connection
    lines, out, at = RequestLines(), [], 0
    for size in sizes:
        out.append(lines.feed(sent[at : at + size]))
        at += size
    out.append(lines.feed(sent[at:]))
    assert b"".join(out) == seen


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 4, 4\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length : 4\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: +4\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length:\r\n 4\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nX: a\nContent-Length: 4\r\n\r\n",
        b"POST / HTTP/1.1\r\nX: a\rContent-Length: 4\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    ],
)
def test_where_framing_is_not_plain_nothing_is_touched_any_more(head):
    lines = RequestLines()
    assert lines.feed(head) == head
    assert lines.feed(RAW) == RAW


def test_a_head_without_end_costs_bounded_memory():
    lines = RequestLines()
    for _ in range(1000):
        assert lines.feed(b"x" * 1000) == b"x" * 1000
    assert len(lines._head) == 0


@given(st.binary(max_size=400))
def test_ascii_is_never_changed_and_no_byte_is_lost(data):
    seen = RequestLines().feed(data)
    assert len(seen) >= len(data)
    if data.isascii():
        assert seen == data
