"""Requests made to be read in two ways: one answer or none, no second request, and never a fault of ours.

Each comes with another request inside, whose answer would be seen.
"""

import asyncio
import re
from contextlib import suppress

import pytest

from tests.integration.http_service import http_service

HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
SEEN = b'"status":"ok"'
SIZE = len(HIDDEN)
LAST = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
_SILENCE_SECONDS = 1.0


@pytest.fixture
async def service(database_url, tmp_path):
    async with http_service(database_url, tmp_path) as running:
        yield running


async def _answers(service, sent: bytes) -> tuple[list[int], bytes]:
    """The statuses answered to these bytes, and all that was said until the gate closed or had no more to say."""
    said = b""
    async with service.connected() as (reader, writer):
        writer.write(sent)
        with suppress(TimeoutError, ConnectionResetError):
            while piece := await asyncio.wait_for(reader.read(65_536), _SILENCE_SECONDS):
                said += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", said)], said


def _post(*fields: bytes, version: bytes = b"1.1", body: bytes = HIDDEN) -> bytes:
    head = (b"POST /nowhere HTTP/" + version, b"Host: x", *fields, b"", b"")
    return b"\r\n".join(head) + body


CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"0\r\n\r\n" + HIDDEN

READ_IN_TWO_WAYS = {
    "two lengths": _post(b"Content-Length: %d" % SIZE, b"Content-Length: 0"),
    "two lengths, the short one first": _post(b"Content-Length: 0", b"Content-Length: %d" % SIZE),
    "two lengths in one": _post(b"Content-Length: 0, %d" % SIZE),
    "two of the same length": _post(b"Content-Length: 0", b"Content-Length: 0"),
    "no length": _post(b"Content-Length:"),
    "a length with a sign": _post(b"Content-Length: +0"),
    "a negative length": _post(b"Content-Length: -1"),
    "a hexadecimal length": _post(b"Content-Length: 0x0"),
    "a length with a line of its own": _post(b"Content-Length:\r\n 0"),
    "a length beyond 64 bits": _post(b"Content-Length: 18446744073709551616"),
    "a length and blanks in it": _post(b"Content-Length: 0 0"),
    "a length before a blank": _post(b"Content-Length : 0"),
    "a length after a tab": _post(b"X: y\r\n\tContent-Length: 0"),
    "a length in a name with an underscore": _post(
        b"Content_Length: 0", b"Content-Length: %d" % SIZE, b"Content-Length: 0"
    ),
    "a length and chunks": _post(b"Content-Length: %d" % len(CHUNKS), CHUNKED, body=CHUNKS),
    "chunks and a length": _post(CHUNKED, b"Content-Length: %d" % len(CHUNKS), body=CHUNKS),
    "chunks before a blank": _post(b"Transfer-Encoding : chunked", body=CHUNKS),
    "chunks on a line of its own": _post(b"Transfer-Encoding:\r\n chunked", body=CHUNKS),
    "chunks that are not last": _post(b"Transfer-Encoding: chunked, identity", body=CHUNKS),
    "chunks twice": _post(b"Transfer-Encoding: chunked, chunked", body=CHUNKS),
    "chunks on two lines": _post(CHUNKED, b"Transfer-Encoding: identity", body=CHUNKS),
    "another coding": _post(b"Transfer-Encoding: xchunked", body=CHUNKS),
    "a coding in quotes": _post(b'Transfer-Encoding: "chunked"', body=CHUNKS),
    "a coding behind a vertical tab": _post(b"Transfer-Encoding:\x0bchunked", body=CHUNKS),
    "a coding behind a byte": _post(b"Transfer-Encoding: \xa0chunked", body=CHUNKS),
    "chunks in HTTP/1.0": _post(CHUNKED, b"Connection: keep-alive", b"Content-Length: 5", version=b"1.0", body=CHUNKS),
    "a chunk's size with a sign": _post(CHUNKED, body=b"+0\r\n\r\n" + HIDDEN),
    "a chunk's size below zero": _post(CHUNKED, body=b"-0\r\n\r\n" + HIDDEN),
    "a chunk's size with 0x": _post(CHUNKED, body=b"0x0\r\n\r\n" + HIDDEN),
    "a chunk's size with an underscore": _post(CHUNKED, body=b"0_0\r\n\r\n" + HIDDEN),
    "a chunk's size beyond 64 bits": _post(CHUNKED, body=b"10000000000000000\r\n\r\n" + HIDDEN),
    "no chunk's size": _post(CHUNKED, body=b"\r\n\r\n" + HIDDEN),
    "a chunk's size before a bare LF": _post(CHUNKED, body=b"0\n\n" + HIDDEN),
    "a chunk's extension with a bare LF": _post(CHUNKED, body=b"3;x\nabc\r\n0\r\n\r\n" + HIDDEN),
    "a chunk's extension with a bare CR": _post(CHUNKED, body=b"3;x\ry\r\nabc\r\n0\r\n\r\n" + HIDDEN),
    "a chunk longer than it says": _post(CHUNKED, body=b"1\r\nab\r\n0\r\n\r\n" + HIDDEN),
    "a chunk that ends in a bare LF": _post(CHUNKED, body=b"1\r\na\n0\r\n\r\n" + HIDDEN),
    "a length behind the last chunk": _post(CHUNKED, body=b"0\r\nContent-Length: 5\r\n\r\n" + HIDDEN),
    "bare LFs": b"POST /nowhere HTTP/1.1\nHost: x\nContent-Length: 0\n\n" + HIDDEN,
    "a bare LF between fields": _post(b"X: y\nContent-Length: 0"),
    "a bare CR between fields": _post(b"X: y\rContent-Length: 0"),
    "a NUL in a field": _post(b"X: y\0z", b"Content-Length: 0"),
    "a NUL in a name": _post(b"X\0Y: z", b"Content-Length: 0"),
    "a field without a colon": _post(b"Content-Length 0"),
    "a field without a name": _post(b": y", b"Content-Length: 0"),
    "a folded field": _post(b"X: y\r\n z", b"Content-Length: 0"),
    "a field before all others, folded": b"POST /nowhere HTTP/1.1\r\n X: y\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    + HIDDEN,
    "a version of its own": _post(b"Content-Length: 0", version=b"1.1 "),
    "HTTP/0.9": b"GET /nowhere\r\n\r\n" + HIDDEN,
    "HTTP/2.0": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN,
    "HTTP/1.1x": _post(b"Content-Length: 0", version=b"1.1x"),
    "blanks in the request line": b"POST /nowhere HTTP/1.1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "an upgrade": _post(
        b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AA", b"Content-Length: 0"
    ),
}


async def test_what_can_be_read_in_two_ways_is_one_request_at_most(service):
    for name, sent in READ_IN_TWO_WAYS.items():
        statuses, said = await _answers(service, sent)
        assert SEEN not in said, (name, said)
        assert len(statuses) <= 1, (name, said)
        assert all(400 <= status < 500 for status in statuses), (name, said)


async def test_a_body_that_nobody_reads_is_no_request(service):
    """The second request is the one behind the body, and it is answered once."""
    for sent in (
        _post(b"Content-Length: %d" % SIZE),
        _post(CHUNKED, body=b"%x\r\n%b\r\n0\r\n\r\n" % (SIZE, HIDDEN)),
        _post(CHUNKED, body=b'%x;a=b;c="d"\r\n%b\r\n0;e\r\nX: y\r\n\r\n' % (SIZE, HIDDEN)),
        _post(CHUNKED, body=b"%X\r\n%b\r\n000\r\n\r\n" % (SIZE, HIDDEN)),
        b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        _post(b"Content-Length: %d" % SIZE, b"Connection: keep-alive", version=b"1.0"),
        _post(b"Expect: 100-continue", b"Content-Length: %d" % SIZE),
        b"GET /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % SIZE + HIDDEN,
        b"HEAD /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % SIZE + HIDDEN,
        b"GET http://elsewhere/nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        statuses, said = await _answers(service, sent + LAST)
        assert [status for status in statuses if status != 100] == [404, 200], (sent, said)
        assert said.count(SEEN) == 1


async def test_behind_the_last_request_there_is_none(service):
    for sent in (_post(b"Content-Length: 0", b"Connection: close"), _post(b"Content-Length: 0", version=b"1.0")):
        statuses, said = await _answers(service, sent)
        assert len(statuses) == 1
        assert SEEN not in said


async def test_the_host_is_named_once(service):
    """RFC 9112, section 3.2."""
    for fields in ([], [b"Host: x", b"Host: x"], [b"Host: x", b"Host: y"]):
        head = [b"GET /healthz HTTP/1.1", *fields, b"Connection: close", b"", b""]
        statuses, said = await _answers(service, b"\r\n".join(head))
        assert statuses == [400], (fields, said)
