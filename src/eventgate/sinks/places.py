"""Which events of the journal were handed over, in a few bytes: runs of neighbours, and what goes with each.

Pure. Encoded on the way of every delivered window, so a window of thousands must cost next to nothing.
"""

from array import array
from collections.abc import Iterable, Sequence
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


def encode(places: Iterable[Cursor], slots: Sequence[int] = ()) -> bytes:
    """Places in journal order, and for each of them its slot (a Kafka partition), or no slots at all."""
    runs: list[int] = []
    position = index = -1
    at = 0
    for there, number in places:
        if number == index + 1 and there == position:
            index = number
            runs[-1] += 1
        else:
            runs += (there - at, number, 1)
            at, position, index = there, there, number
    return _VERSION_1 + _compress(_encode((runs, array("H", slots).tobytes())))


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
