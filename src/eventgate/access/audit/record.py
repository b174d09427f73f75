"""The audit log: who changed what, when, from where; before and after.

Touches PostgreSQL (owns the table audit). A line is written in the transaction of its change, so neither is without
the other. Callers hand over what the API shows of an object, which never holds a secret.
"""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, Self
from uuid import UUID

import asyncpg
import orjson

from eventgate.access.actor import Actor
from eventgate.clock import Clock
from eventgate.db.pool import translated
from eventgate.ids import uuid7

_INSERT = """
INSERT INTO audit (id, company, action, object_id, actor, actor_company, user_id, key, session, remote, request_id,
                   before, after)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text::jsonb, $13::text::jsonb)
"""

_MOST_A_MILLISECOND = 0xFFF


class Shown(Protocol):
    """An object as its room keeps it."""

    @property
    def id(self) -> UUID: ...
    def shown(self) -> Mapping[str, Any]:
        """As the API shows it."""
        ...


class Change(NamedTuple):
    """One change of one object. ``action`` is ``<noun>.<verb>``; ``before`` and ``after`` are the object as shown.

    ``company`` is whose object it is, which need not be the actor's own.
    """

    action: str
    object_id: str
    company: UUID
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, action: str, company: UUID, before: Shown | None, after: Shown) -> Self:
        """Of one object, which is now ``after``. ``before`` is None where it was just made, or is not changed."""
        return cls(action, str(after.id), company, None if before is None else before.shown(), after.shown())


class Audit:
    """Writes the log."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._newest = 0, 0

    async def record(self, actor: Actor, change: Change) -> None:
        """Note a change that another room has made. Raises Unavailable."""
        with translated():
            await self._pool.execute(*self._line(actor, change))

    async def record_within(self, connection: Any, actor: Actor, change: Change) -> None:
        """Note a change inside the transaction that makes it."""
        await connection.execute(*self._line(actor, change))

    def _line(self, actor: Actor, change: Change) -> tuple[Any, ...]:
        return (
            _INSERT,
            self._next_id(),
            change.company,
            change.action,
            change.object_id,
            actor.name,
            actor.company,
            actor.user,
            actor.key,
            actor.session,
            actor.remote,
            actor.request_id,
            _json(change.before),
            _json(change.after),
        )

    def _next_id(self) -> UUID:
        """An id greater than those before it of this process, so that the log keeps the order of one moment's lines.

        Within a millisecond the bits behind it count (RFC 9562, section 6.2, method 1).
        """
        ms, count = self._newest
        now = max(self._clock.now_ms(), ms)
        self._newest = (now, 0) if now > ms else (now, count + 1) if count < _MOST_A_MILLISECOND else (now + 1, 0)
        ms, count = self._newest
        return uuid7(ms, count.to_bytes(2) + os.urandom(8))


def _json(shown: Mapping[str, Any] | None) -> str | None:
    # jsonb cannot hold U+0000, which JSON writes as an escape.
    return None if shown is None else orjson.dumps(dict(shown), default=str).decode().replace("\\u0000", "\\ufffd")
