"""Sessions: who is signed in, with which browser, until when; begun, listed, ended one by one or all at once.

Touches PostgreSQL (owns the table sessions). The cookie is 32 random bytes of which the hash alone is kept. A session
that ends is deleted, and every process hears of it within a second.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from eventgate.access.actor import Actor
from eventgate.access.audit.record import Audit, Change
from eventgate.access.authority import demand_authority
from eventgate.access.principal import Principal
from eventgate.clock import Clock
from eventgate.db.pool import Row, transaction, translated
from eventgate.ids import uuid7
from eventgate.journal.times import timestamp_of

MOST_SESSIONS = 50
"""Sessions of one user at a time: who begins another ends the one that was not used for longest."""

_MOST_AGENT = 200

_INSERT = """
INSERT INTO sessions (id, user_id, hash, remote, user_agent, created_at, last_used_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
"""
_END_SURPLUS = """
DELETE FROM sessions WHERE user_id = $1 AND id IN
    (SELECT id FROM sessions WHERE user_id = $1 ORDER BY last_used_at DESC, id DESC OFFSET $2)
"""
_COLUMNS = "s.id, s.user_id, s.remote, s.user_agent, s.created_at, s.last_used_at, s.expires_at"
_USER = "SELECT 1 FROM users WHERE id = $1 AND company = $2"
_ROLE = "SELECT role FROM users WHERE id = $1 AND company = $2"
_LIST = f"""
SELECT {_COLUMNS} FROM sessions s
WHERE s.user_id = $1 AND s.expires_at > $2 AND s.last_used_at > $3 ORDER BY s.id DESC
"""  # noqa: S608 - columns of our own
_END = f"""
DELETE FROM sessions s USING users u
WHERE u.id = s.user_id AND s.user_id = $1 AND u.company = $2 AND s.id = $3 RETURNING {_COLUMNS}
"""  # noqa: S608 - columns of our own
_END_ALL = "DELETE FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2 RETURNING id"
_FORGET = "DELETE FROM sessions WHERE expires_at <= $1 OR last_used_at <= $2"


class Lifetime(NamedTuple):
    """How long a session lasts: without use, and at most."""

    idle: timedelta = timedelta(hours=1)
    absolute: timedelta = timedelta(hours=24)


class Session(NamedTuple):
    """One session as it is listed; ``remote`` and ``user_agent`` are those that began it."""

    id: UUID
    user: UUID
    remote: str
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


class Begun(NamedTuple):
    """A session that has just begun. ``cookie`` is its secret, known to its browser alone from here on."""

    session: Session
    cookie: str


class Sessions:
    """All sessions of all users."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, audit: Audit, lifetime: Lifetime) -> None:
        self._pool = pool
        self._clock = clock
        self._audit = audit
        self._lifetime = lifetime

    async def begin_within(self, connection: Any, user: UUID, remote: str, user_agent: str) -> Begun:
        """Begin a session inside the transaction that lets its user in."""
        now = timestamp_of(self._clock.now_ms())
        cookie = secrets.token_urlsafe(32)
        session = Session(
            uuid7(self._clock.now_ms()), user, remote, _shown(user_agent), now, now, now + self._lifetime.absolute
        )
        await connection.execute(
            _INSERT, session.id, user, hash_of(cookie), remote, session.user_agent, now, session.expires_at
        )
        await connection.execute(_END_SURPLUS, user, MOST_SESSIONS)
        return Begun(session, cookie)

    async def of(self, company: UUID, user: UUID) -> Sequence[Session] | None:
        """A user's sessions, newest first; None where this company has no such user. Raises Unavailable."""
        now = timestamp_of(self._clock.now_ms())
        with translated():
            if await self._pool.fetchval(_USER, user, company) is None:
                return None
            rows = await self._pool.fetch(_LIST, user, now, now - self._lifetime.idle)
        return [_session(row) for row in rows]

    async def end(self, actor: Actor, principal: Principal, user: UUID, session: UUID) -> bool:
        """End one session; whether there was such a one of this user.

        Raises CallerError 403 ``role-beyond-yours``, Unavailable.
        """
        async with transaction(self._pool) as connection:
            row = await connection.fetchrow(_END, user, principal.company, session)
            if row is not None:
                await _may_end(connection, principal, user)
                change = Change("session.delete", str(session), principal.company, before=shown(_session(row)))
                await self._audit.record_within(connection, actor, change)
        return row is not None

    async def end_all(self, actor: Actor, principal: Principal, user: UUID) -> bool:
        """End every session of a user; False where the caller's company has no such user.

        Raises CallerError 403 ``role-beyond-yours``, Unavailable.
        """
        async with transaction(self._pool) as connection:
            if not await _may_end(connection, principal, user):
                return False
            ended = await revoke_all_within(connection, user)
            if ended:
                change = Change("session.delete-all", str(user), principal.company, before={"sessions": ended})
                await self._audit.record_within(connection, actor, change)
        return True

    async def forget(self) -> None:
        """Delete the sessions that have run out. Raises Unavailable."""
        now = timestamp_of(self._clock.now_ms())
        with translated():
            await self._pool.execute(_FORGET, now, now - self._lifetime.idle)


async def _may_end(connection: Any, principal: Principal, user: UUID) -> bool:
    """Whether the caller's company has that user.

    Raises CallerError 403: a weak key, a sensor's say, is to sign nobody out who may do more.
    """
    role = await connection.fetchval(_ROLE, user, principal.company)
    if role is not None and (principal.session is None or user != principal.user):
        demand_authority(principal, role)
    return role is not None


async def revoke_all_within(connection: Any, user: UUID, but: UUID | None = None) -> int:
    """End every session of a user ``but`` one, inside the transaction that gives reason to; how many there were."""
    return len(await connection.fetch(_END_ALL, user, but))


def hash_of(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode("utf-8", "surrogateescape")).digest()


def shown(session: Session) -> dict[str, Any]:
    """What the audit log keeps of a session."""
    return {
        "id": session.id,
        "userId": session.user,
        "remote": session.remote,
        "userAgent": session.user_agent,
        "createdAt": session.created_at.isoformat(timespec="milliseconds"),
    }


def _shown(user_agent: str) -> str:
    """A header field as text that can be stored and shown, whatever bytes came."""
    text = user_agent.encode("utf-8", "replace").decode()[:_MOST_AGENT]
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _session(row: Row) -> Session:
    return Session(
        row["id"], row["user_id"], row["remote"], row["user_agent"], row["created_at"], row["last_used_at"],
        row["expires_at"],
    )  # fmt: skip
