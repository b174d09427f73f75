"""Ids stored a moment ago by this process: a caller's retry is answered from here, without a COPY that fails.

Pure; a bounded amount of memory.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

Stored = tuple[bytes, int, int]
"""An event's content digest, and where it is: position and index. A plain tuple, for there are many of them."""


class Recent:
    """The last ids, between ``size`` and twice as many: two generations, of which the elder is dropped whole."""

    def __init__(self, size: int = 25_000) -> None:
        self._size = size
        self._young: dict[bytes, Stored] = {}
        self._elder: dict[bytes, Stored] = {}

    def remember(self, stored: Mapping[bytes, Stored]) -> None:
        """Keep the places of events by their keys (id and company)."""
        if len(self._young) + len(stored) > self._size:
            self._elder, self._young = self._young, {}
        self._young.update(stored)

    def known(self, keys: AbstractSet[bytes]) -> dict[bytes, Stored]:
        """Those of ``keys`` that are remembered, and where they are stored."""
        hits: dict[bytes, Stored] = {}
        for generation in (self._elder, self._young):
            if not generation.keys().isdisjoint(keys):
                hits.update((key, generation[key]) for key in keys if key in generation)
        return hits
