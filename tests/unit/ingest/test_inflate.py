"""Bounded inflating: whole streams, broken ones, and bombs."""

import gzip
import os
import tracemalloc

import pytest
from backports import zstd

from eventgate.errors import CallerError
from eventgate.ingest.inflate import STEP, inflate

LIMIT = 8 << 20
PRESS = {"gzip": lambda plain: gzip.compress(plain, 1), "zstd": zstd.compress}

pytestmark = pytest.mark.parametrize("coding", ["gzip", "zstd"])


def _inflate(coding: str, body: bytes, limit: int = LIMIT) -> bytes:
    return b"".join(inflate(coding, body, limit))


@pytest.mark.parametrize("size", [0, 1, STEP - 1, STEP, STEP + 1, 5 * STEP])
def test_gives_back_what_was_compressed(coding: str, size: int) -> None:
    for plain in (b"a" * size, os.urandom(size)):
        assert _inflate(coding, PRESS[coding](plain)) == plain


def test_parts_follow_one_another(coding: str) -> None:
    first, last = os.urandom(2 * STEP), b"tail"
    body = PRESS[coding](first) + PRESS[coding](b"") + PRESS[coding](last)
    assert _inflate(coding, body) == first + last


@pytest.mark.parametrize("cut", [1, 4, 9])
def test_a_cut_stream_is_malformed(coding: str, cut: int) -> None:
    with pytest.raises(CallerError) as caught:
        _inflate(coding, PRESS[coding](os.urandom(STEP))[:-cut])
    assert (caught.value.status, caught.value.code) == (400, "encoding-malformed")


@pytest.mark.parametrize("body", [b"", b"{}", b"\x1f\x8b", b"(\xb5/\xfd", b"\x00" * 50])
def test_what_is_no_stream_is_malformed(coding: str, body: bytes) -> None:
    with pytest.raises(CallerError, match="encoding-malformed"):
        _inflate(coding, body)


def test_bytes_after_the_end_are_malformed(coding: str) -> None:
    with pytest.raises(CallerError, match="encoding-malformed"):
        _inflate(coding, PRESS[coding](b"events") + b"junk")


def test_parts_without_end_are_refused(coding: str) -> None:
    with pytest.raises(CallerError, match="encoding-malformed"):
        _inflate(coding, PRESS[coding](b"") * 1_001)


def test_the_limit_is_exact(coding: str) -> None:
    body = PRESS[coding](b"a" * 1_000)
    assert len(_inflate(coding, body, 1_000)) == 1_000
    with pytest.raises(CallerError, match="body-too-large"):
        _inflate(coding, body, 999)


def test_a_bomb_costs_no_memory(coding: str) -> None:
    bomb = PRESS[coding](bytes(100 << 20))
    assert len(bomb) < 1 << 20
    tracemalloc.start()
    with pytest.raises(CallerError, match="body-too-large"):
        for _ in inflate(coding, bomb, LIMIT):
            pass
    assert tracemalloc.get_traced_memory()[1] < 12 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(("log", "taken"), [(23, True), (24, False), (31, False)])
def test_a_window_beyond_8_mib_is_refused(coding: str, log: int, taken: bool) -> None:
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: min(log, 27)})
    frame = bytearray(compressor.compress(b"event", compressor.FLUSH_BLOCK) + compressor.flush())
    frame[5] = log - 10 << 3  # RFC 8878, section 3.1.1.1.2: the window's exponent
    if taken:
        assert _inflate("zstd", bytes(frame)) == b"event"
    else:
        with pytest.raises(CallerError, match="encoding-malformed"):
            _inflate("zstd", bytes(frame))


def test_zstd_of_unknown_size_is_inflated(coding: str) -> None:
    compressor = zstd.ZstdCompressor()
    body = compressor.compress(b"event" * 1_000) + compressor.flush()
    assert zstd.get_frame_info(body).decompressed_size is None
    assert _inflate("zstd", body) == b"event" * 1_000
