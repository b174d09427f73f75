"""Which events of the journal were handed over, in a few bytes: runs of neighbours, and what goes with each.

Pure. Encoded on the way of every delivered window, so a window of thousands must cost next to nothing.
"""

from array import array
from collections.abc import Sequence
from itertools import accumulate

import msgspec
import zstandard

from eventgate.journal.cursors import Cursor

_VERSION_1 = b"\x01"  # zstd of msgpack: [[position's step, first index, events] in one flat list, slots as uint16]

NO_SLOT = 0xFFFF
"""Of an event that has no slot among others that do."""

# Made once: a fresh one costs more than a small window. Not for use by two threads at once.
_compress = zstandard.ZstdCompressor(level=1).compress
_decompress = zstandard.ZstdDecompressor().decompress
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[list[int], bytes]).decode


def encode(places: Sequence[Cursor], slots: Sequence[int] = ()) -> bytes:
    """Places in journal order, and for each of them its slot (a Kafka partition), or no slots at all."""
    runs: list[int] = []
    start = at = 0
    while start < len(places):
        position, first = places[start]
        events = _run(places, start)
        runs += (position - at, first, events)
        at, start = position, start + events
    return _VERSION_1 + _compress(_encode((runs, array("H", slots).tobytes())))


def _run(places: Sequence[Cursor], start: int) -> int:
    """How many places from one on are neighbours: found by halves, for between two that fit all do."""
    position, first = places[start]
    reach, left = 1, len(places) - start
    while reach < left and places[start + reach] == (position, first + reach):
        reach *= 2
    fits, fails = reach // 2, min(reach, left)
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if places[start + middle] == (position, first + middle):
            fits = middle
        else:
            fails = middle
    return fails


class Places:
    """What ``encode`` wrote. Raises ValueError where the bytes are something else."""

    def __init__(self, encoded: bytes) -> None:
        if encoded[:1] != _VERSION_1:
            raise ValueError(f"unknown encoding of places: {encoded[:1].hex()}")
        try:
            runs, slots = _decode(_decompress(encoded[1:]))
        except (zstandard.ZstdError, msgspec.DecodeError) as error:
            raise ValueError(f"damaged places: {error}") from error
        self._runs = list(zip(accumulate(runs[::3]), runs[1::3], runs[2::3], strict=True))
        self._slots = array("H")
        self._slots.frombytes(slots)

    def number(self, place: Cursor) -> int | None:
        """How many events were handed over before the one at ``place``; None where that one was not."""
        before = 0
        for position, first, events in self._runs:
            if position == place.position and first <= place.index < first + events:
                return before + place.index - first
            before += events
        return None

    def slot(self, number: int, since: int = 0) -> tuple[int, int] | None:
        """The slot of the event with this number, and how many since number ``since`` went there before it."""
        if not self._slots or self._slots[number] == NO_SLOT:
            return None
        mine = self._slots[number]
        return mine, self._slots[since:number].count(mine)
