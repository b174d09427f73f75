"""Slows down whoever guesses secrets, over all processes and restarts, without locking the secret's owner out.

Touches PostgreSQL (owns the tables throttle and known_places). An attempt is counted before it is judged, so that a
storm of them at once gains nothing, and taken back when it turns out right.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from math import ceil
from typing import Any, NamedTuple, Self
from uuid import UUID

import asyncpg

from eventgate.access.asked import block_of
from eventgate.clock import Clock
from eventgate.db.pool import transaction, translated
from eventgate.errors import CallerError, Unavailable
from eventgate.journal.times import timestamp_of

LONGEST_WAIT_SECONDS = 900
FORGET_SECONDS = 86_400
KEEP_PLACE_DAYS = 90
_AT_ONCE = timestamp_of(0)
"""Of a counter that asks nobody to wait, whatever any machine's clock says."""
_MOST_PLACES = 20
"""Places that are remembered of a user; the one not seen for longest goes first."""

_ENSURE = """
INSERT INTO throttle (slot, attempts, free_at, forget_at)
SELECT slot, 0, $2, $3 FROM unnest($1::bytea[]) AS slot ORDER BY slot
ON CONFLICT (slot) DO NOTHING
"""
_LOCK = "SELECT slot, attempts, free_at FROM throttle WHERE slot = ANY($1) ORDER BY slot FOR UPDATE"
_COUNT = """
UPDATE throttle t SET attempts = n.attempts, free_at = n.free_at, forget_at = $4
FROM unnest($1::bytea[], $2::int[], $3::timestamptz[]) AS n (slot, attempts, free_at) WHERE t.slot = n.slot
"""
_UNDO = "UPDATE throttle SET attempts = greatest(attempts - 1, 0), free_at = $2 WHERE slot = ANY($1)"
_CLEAR = "DELETE FROM throttle WHERE slot = ANY($1)"
_REMEMBER = """
INSERT INTO known_places (user_id, place, last_at) SELECT $1, place, $3 FROM unnest($2::bytea[]) AS place ORDER BY place
ON CONFLICT (user_id, place) DO UPDATE SET last_at = excluded.last_at
"""
_FORGET = """
DELETE FROM throttle WHERE slot IN
    (SELECT slot FROM throttle WHERE forget_at <= $1 ORDER BY forget_at LIMIT 10000 FOR UPDATE SKIP LOCKED)
"""
_FORGET_OLD_PLACES = "DELETE FROM known_places WHERE last_at <= $1"
_FORGET_SURPLUS = """
DELETE FROM known_places WHERE user_id = $1 AND place IN
    (SELECT place FROM known_places WHERE user_id = $1 ORDER BY last_at DESC OFFSET $2)
"""


class Counter(NamedTuple):
    """One thing that attempts are counted by: the first ``free`` of them cost no wait, each later one twice the last.

    ``personal`` says that one right attempt proves the rest harmless; what strangers share is never cleared so.
    """

    slot: bytes
    free: int
    personal: bool = False


class Place(NamedTuple):
    """From where an attempt comes: ``address`` is its block, ``device`` what its browser was once given, or None.

    The two tell whether this account was used from there before.
    """

    address: bytes
    device: bytes | None = None

    @classmethod
    def of(cls, remote: str, device: str = "") -> Self:
        return cls(_digest("address", block_of(remote)), _digest("device", device) if device else None)

    @property
    def known_by(self) -> list[bytes]:
        return [self.address] if self.device is None else [self.address, self.device]


def counters(purpose: str, account: str, place: Place, known: Sequence[bytes] = ()) -> list[Counter]:
    """What an attempt at ``account`` counts for; ``known`` are the place's marks that the account is known by.

    From a device that the account has used, nobody but that device counts. From a known address, that address. From
    anywhere else all strangers together count as well, so that many addresses do not multiply the guesses.
    ``purpose`` keeps attempts of different kinds apart. The account may exist or not: it counts alike.
    """
    if place.device is not None and place.device in known:
        return [Counter(_slot(purpose, account, place.device), 5, personal=True)]
    found = [
        Counter(_slot(purpose, account, place.address), 5, personal=True),
        Counter(_slot(purpose, "", place.address), 30),
    ]
    return found if place.address in known else [*found, Counter(_slot(purpose, account, b""), 20)]


class Throttle:
    """Counts attempts. All that it decides by stands in the database."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def take(self, counted: Sequence[Counter]) -> None:
        """Count an attempt that is about to be judged.

        Raises CallerError 429 ``too-many-attempts`` where it comes too soon after those before it: it is not to be
        judged then, and does not count. Raises Unavailable.
        """
        free = {counter.slot: counter.free for counter in counted}
        forget_at = timestamp_of(self._clock.now_ms()) + timedelta(seconds=FORGET_SECONDS)
        async with transaction(self._pool) as connection:
            await connection.execute(_ENSURE, list(free), _AT_ONCE, forget_at)
            rows = await connection.fetch(_LOCK, list(free))
            now = timestamp_of(self._clock.now_ms())  # not before: others may have been at these rows until now
            wait = max(((row["free_at"] - now).total_seconds() for row in rows), default=0)
            if wait > 0:
                raise too_many(ceil(wait))
            attempts = [row["attempts"] + 1 for row in rows]
            waits = [wait_after(count, free[row["slot"]]) for row, count in zip(rows, attempts, strict=True)]
            free_at = [now + timedelta(seconds=wait) if wait else _AT_ONCE for wait in waits]
            await connection.execute(_COUNT, [row["slot"] for row in rows], attempts, free_at, forget_at)

    @asynccontextmanager
    async def judging(self, counted: Sequence[Counter]) -> AsyncIterator[None]:
        """Count an attempt, as ``take`` does, that is judged inside; uncounted where it could not be."""
        await self.take(counted)
        try:
            yield
        except (Unavailable, asyncio.CancelledError):
            await self.undo(counted)
            raise

    async def undo(self, counted: Sequence[Counter]) -> None:
        """Take an attempt back that was not judged: what failed before it stays counted. Raises Unavailable."""
        async with transaction(self._pool) as connection:
            await self._undo_within(connection, counted)

    async def forgive(self, counted: Sequence[Counter]) -> None:
        """Take an attempt back that was right, and what failed before it at the same place. Raises Unavailable."""
        async with transaction(self._pool) as connection:
            await self.forgive_within(connection, counted)

    async def forgive_within(self, connection: Any, counted: Sequence[Counter]) -> None:
        """The same, inside the transaction that acts on it."""
        await self._undo_within(connection, counted)
        await connection.execute(_CLEAR, [counter.slot for counter in counted if counter.personal])

    async def _undo_within(self, connection: Any, counted: Sequence[Counter]) -> None:
        slots = [counter.slot for counter in counted]
        await connection.fetch(_LOCK, slots)  # in the one order that everybody takes them in
        await connection.execute(_UNDO, slots, _AT_ONCE)

    async def remember_within(self, connection: Any, user: UUID, place: Place) -> None:
        """Know this place as one of the user's from now on."""
        await connection.execute(_REMEMBER, user, place.known_by, timestamp_of(self._clock.now_ms()))
        await connection.execute(_FORGET_SURPLUS, user, _MOST_PLACES)

    async def forget(self) -> None:
        """Delete the counts that have run out, and the places not seen for long. Raises Unavailable."""
        now = timestamp_of(self._clock.now_ms())
        with translated():
            await self._pool.execute(_FORGET, now)
            await self._pool.execute(_FORGET_OLD_PLACES, now - timedelta(days=KEEP_PLACE_DAYS))


def wait_after(attempts: int, free: int) -> float:
    """Seconds until the next attempt after so many in a row: 1, 2, 4 … once the free ones are used up."""
    beyond = attempts - free
    return 0.0 if beyond < 0 else float(min(2 ** min(beyond, 20), LONGEST_WAIT_SECONDS))


def too_many(seconds: int) -> CallerError:
    return CallerError(
        429,
        "too-many-attempts",
        f"Too many attempts failed. The next one is taken in {seconds} s.",
        headers={
            "Retry-After": str(seconds),
            "RateLimit-Policy": f'"attempts";q=1;w={seconds}',
            "RateLimit": f'"attempts";r=0;t={seconds}',
        },
        members={"retryAfter": seconds},
    )


def _slot(purpose: str, account: str, place: bytes) -> bytes:
    return _digest(purpose, account, place.hex())


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
