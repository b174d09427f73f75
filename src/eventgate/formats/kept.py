"""What is made once and kept: a dictionary that makes what it does not have, up to a bound.

Pure. Events repeat in much of what is written of them (their sort, their sensor, their second), so a format keeps that
text; strangers choose some of it, so no more is kept than the bound.
"""

from collections.abc import Callable
from typing import TypeVar

_MOST = 4096

K = TypeVar("K")
V = TypeVar("V")


class Kept(dict[K, V]):
    """By key what ``make`` makes of it. When it is full all is forgotten: quicker than to know what was used last."""

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> V:
        return self.keep(key, self._make(key))

    def keep(self, key: K, made: V) -> V:
        if len(self) >= _MOST:
            self.clear()
        self[key] = made
        return made


def encoded(write: Callable[[K], str]) -> Callable[[K], bytes]:
    """The same in UTF-8, for keeping."""
    return lambda key: write(key).encode()
