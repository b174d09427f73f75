"""What a process remembers of who may do what: fresh for seconds, and gone at once when its change is told.

Pure. A change names what it touches, as ``key <id>``, ``user <id>``, ``company <id>`` or ``session <id>``, so that
under load the change of one key does not send every request to the database.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from eventgate.access.principal import Principal
from eventgate.clock import Clock

LIFETIME_SECONDS = 5.0
"""How long what was revoked may live on in a process that does not hear of it, the database being away or not."""

_MOST = 10_000


class Remembered(Protocol):
    """``fresh_until`` is on the monotonic clock, counted from before the database was asked."""

    @property
    def principal(self) -> Principal: ...
    @property
    def fresh_until(self) -> float: ...


E = TypeVar("E", bound=Remembered)


class Memory(Generic[E]):
    """By slot, which is a credential's hash (``slot_of``)."""

    def __init__(self, clock: Clock, most: int = _MOST) -> None:
        self._clock = clock
        self._most = most
        self._entries: dict[bytes, E] = {}
        self._touched_by: defaultdict[str, set[bytes]] = defaultdict(set)
        self._loading: list[set[str]] = []

    def fresh(self, slot: bytes) -> E | None:
        """What is remembered, None where nothing is or it is too old."""
        entry = self._entries.get(slot)
        return entry if entry is not None and entry.fresh_until >= self._clock.monotonic() else None

    @contextmanager
    def loading(self) -> Iterator[set[str]]:
        """While entered, gather what changes: what was read before a change was heard must not be remembered after."""
        heard: set[str] = set()
        self._loading.append(heard)
        try:
            yield heard
        finally:
            self._loading = [each for each in self._loading if each is not heard]

    def remember(self, slot: bytes, entry: E, heard: set[str]) -> None:
        """Keep an entry that was loaded while ``heard`` was gathered, unless that touches it."""
        names = _names(entry.principal)
        self.drop(slot)
        if "" in heard or not heard.isdisjoint(names):
            return
        while len(self._entries) >= self._most:
            self.drop(next(iter(self._entries)))
        self._entries[slot] = entry
        for name in names:
            self._touched_by[name].add(slot)

    def forget(self, payload: str) -> None:
        """Drop what a change touches: everything where ``payload`` is empty."""
        for heard in self._loading:
            heard.add(payload)
        if payload:
            for slot in list(self._touched_by.get(payload, ())):
                self.drop(slot)
        else:
            self._entries.clear()
            self._touched_by.clear()

    def drop(self, slot: bytes) -> None:
        entry = self._entries.pop(slot, None)
        if entry is None:
            return
        for name in _names(entry.principal):
            slots = self._touched_by[name]
            slots.discard(slot)
            if not slots:
                del self._touched_by[name]


def slot_of(text: str) -> bytes:
    """Under what a credential is remembered: not under itself, so that memory holds no secret."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _names(principal: Principal) -> list[str]:
    named = {"key": principal.key, "user": principal.user, "session": principal.session, "company": principal.company}
    return [f"{kind} {name}" for kind, name in named.items() if name is not None]
