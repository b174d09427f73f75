"""Undo a content coding in small steps, so that whoever counts the bytes can stop before they are there.

Pure. A step hands out at most STEP bytes, whatever the stream promises.
"""

import sys
import zlib
from collections.abc import Callable, Iterator

from eventgate.errors import CallerError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STEP = 128 << 10
"""The most bytes that one step reads or hands out."""

_MOST_PARTS = 1_000
"""Members or frames of one body: a stream of nothing but empty ones would cost time without end."""

_LARGEST_WINDOW_LOG = 23
"""8 MiB, what RFC 8878 (section 3.1.1.1.2) tells decoders to support; a larger window is a demand for memory."""


def gunzip(body: bytes) -> Iterator[bytes]:
    """The bytes of a gzip stream (RFC 1952) of any number of members."""
    inflater, parts = zlib.decompressobj(wbits=31), 1
    fresh = False
    for pending in _pieces(body):
        while pending:
            if fresh:
                inflater, parts, fresh = zlib.decompressobj(wbits=31), _one_more(parts), False
            yield inflater.decompress(pending, STEP)
            fresh = inflater.eof
            pending = inflater.unused_data if fresh else inflater.unconsumed_tail  # noqa: PLW2901 - the rest of it
    while not fresh:  # the last step may have left output behind that needs no more input
        rest = inflater.decompress(b"", STEP)
        fresh = inflater.eof
        if not rest and not fresh:
            raise _malformed("gzip", "it ends in the middle")
        yield rest


def unzstd(body: bytes) -> Iterator[bytes]:
    """The bytes of a Zstandard stream (RFC 8878) of any number of frames."""
    options = {int(zstd.DecompressionParameter.window_log_max): _LARGEST_WINDOW_LOG}
    inflater, parts = zstd.ZstdDecompressor(options=options), 1
    fresh = False
    for pending in _pieces(body):
        while pending or not (fresh or inflater.needs_input):
            if fresh:
                inflater, parts, fresh = zstd.ZstdDecompressor(options=options), _one_more(parts), False
            yield inflater.decompress(pending, max_length=STEP)
            fresh = inflater.eof
            pending = inflater.unused_data if fresh else b""  # noqa: PLW2901 - the rest of it
    if not fresh:
        raise _malformed("zstd", "it ends in the middle")


CODINGS: dict[str, Callable[[bytes], Iterator[bytes]]] = {"gzip": gunzip, "zstd": unzstd}
"""The content codings of a write, by the name that ``Content-Encoding`` gives them."""


def inflate(coding: str, body: bytes, limit: int) -> Iterator[bytes]:
    """The pieces of what ``body`` inflates to, ``limit`` bytes at the most.

    Raises CallerError 413 ``body-too-large`` beyond the limit, 400 ``encoding-malformed`` where the stream is broken.
    """
    total = 0
    try:
        for piece in CODINGS[coding](body):
            total += len(piece)
            if total > limit:
                raise CallerError(
                    413, "body-too-large", f"The body inflates to more than {limit} bytes. Send fewer events a write."
                )
            yield piece
    except (zlib.error, zstd.ZstdError) as error:
        raise _malformed(coding, str(error)) from error


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), STEP):
        yield body[start : start + STEP]


def _one_more(parts: int) -> int:
    if parts == _MOST_PARTS:
        raise CallerError(400, "encoding-malformed", f"The body has more than {_MOST_PARTS} compressed parts.")
    return parts + 1


def _malformed(coding: str, what: str) -> CallerError:
    return CallerError(400, "encoding-malformed", f"The body is not a whole {coding} stream: {what}.")
