"""The journal's own copy of a batch: the accepted bytes of each event and what the gate added, compressed.

Pure, but for a thread that decompresses what is large. The first byte says which encoding follows, so that old journals
stay readable.
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import zstandard

from eventgate.event import Event

_VERSION_1 = b"\x01"  # zstd of a msgpack array of events, each an array of its fields in order, UUIDs as 16 bytes

# Made once: a fresh one costs 10 µs, more than a small batch. Not for use by two threads at once.
_compress = zstandard.ZstdCompressor(level=1).compress
_decompress = zstandard.ZstdDecompressor().decompress
_LARGE = 1 << 16
"""Octets, compressed: beyond that a thread decompresses, and the event loop has its turn meanwhile."""
_encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
_decode = msgspec.msgpack.Decoder(list[Event]).decode


def encode(events: Sequence[Event]) -> bytes:
    """Encode the events of one batch, in the order of their indexes."""
    return _VERSION_1 + _compress(_encode(events))


def decode(payload: bytes) -> list[Event]:
    """The events of one batch. Raises ValueError where the payload is not what ``encode`` makes."""
    return events_in(_inflated(payload, _decompress))


async def inflate(payloads: Sequence[bytes]) -> list[bytes]:
    """Payloads decompressed, for ``events_in``. Raises as ``decode``."""
    if sum(map(len, payloads)) < _LARGE:
        return [_inflated(payload, _decompress) for payload in payloads]

    def on_a_thread() -> list[bytes]:
        decompress = zstandard.ZstdDecompressor().decompress
        return [_inflated(payload, decompress) for payload in payloads]

    return await asyncio.to_thread(on_a_thread)


def events_in(inflated: bytes) -> list[Event]:
    """The events of a payload that was decompressed. Raises as ``decode``."""
    try:
        return _decode(inflated)
    except msgspec.DecodeError as error:
        raise ValueError(f"damaged payload: {error}") from error


def _inflated(payload: bytes, decompress: Callable[[bytes], bytes]) -> bytes:
    if payload[:1] != _VERSION_1:
        raise ValueError(f"unknown payload version {payload[:1].hex()}")
    try:
        return decompress(payload[1:])
    except zstandard.ZstdError as error:
        raise ValueError(f"damaged payload: {error}") from error
