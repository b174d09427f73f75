"""The journal's own copy of a batch: the accepted bytes of each event and what the gate added, compressed.

Pure. The first byte says which encoding follows, so that old journals stay readable.
"""

from collections.abc import Sequence

import msgspec
import zstandard

from eventgate.event import Event

_VERSION_1 = b"\x01"  # zstd of a msgpack array of events, each an array of its fields in order, UUIDs as 16 bytes

# Made once: a fresh one costs 10 µs, more than a small batch. Not for use by two threads at once.
_compress = zstandard.ZstdCompressor(level=1).compress
_decompress = zstandard.ZstdDecompressor().decompress
_encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
_decode = msgspec.msgpack.Decoder(list[Event]).decode


def encode(events: Sequence[Event]) -> bytes:
    """Encode the events of one batch, in the order of their indexes."""
    return _VERSION_1 + _compress(_encode(events))


def decode(payload: bytes) -> list[Event]:
    """The events of one batch. Raises ValueError where the payload is not what ``encode`` makes."""
    if payload[:1] != _VERSION_1:
        raise ValueError(f"unknown payload version {payload[:1].hex()}")
    try:
        return _decode(_decompress(payload[1:]))
    except (zstandard.ZstdError, msgspec.DecodeError) as error:
        raise ValueError(f"damaged payload: {error}") from error
