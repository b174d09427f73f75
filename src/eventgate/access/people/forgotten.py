"""Forgotten passwords: anybody may ask for a link to a login, and learns nothing of whether there is such a one.

Touches PostgreSQL (owns password_link_requests). The answer waits for the two counts alone, which every question costs;
whether there is anybody to write to is found out afterwards.
"""

import asyncio
import hashlib
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import structlog

from eventgate.access.actor import Actor
from eventgate.access.asked import block_of
from eventgate.access.audit.record import Audit, Change
from eventgate.access.people.links import Links
from eventgate.access.people.logins import folded
from eventgate.access.people.user import COLUMNS, User
from eventgate.clock import Clock
from eventgate.db.pool import transaction, translated
from eventgate.errors import CallerError, Unavailable
from eventgate.journal.times import timestamp_of

WINDOW_SECONDS = 3600
MOST_FOR_A_LOGIN, MOST_FROM_AN_ADDRESS = 3, 20
"""Questions in a window. More for one login send no mail; more from one address are refused."""

_MOST_AT_ONCE = 50

_COUNT = """
INSERT INTO password_link_requests AS known (subject, since, asked) VALUES ($1, $2, 1)
ON CONFLICT (subject) DO UPDATE
    SET since = CASE WHEN known.since > $3 THEN known.since ELSE $2 END,
        asked = CASE WHEN known.since > $3 THEN known.asked + 1 ELSE 1 END
RETURNING asked
"""
_FORGET = "DELETE FROM password_link_requests WHERE since <= $1"
_FIND = f"""
SELECT {COLUMNS} FROM users
WHERE lower(login) = lower($1) AND deleted_at IS NULL AND deactivated_at IS NULL AND email IS NOT NULL
  AND EXISTS (SELECT FROM companies c WHERE c.id = users.company AND c.retired_at IS NULL)
FOR UPDATE
"""  # noqa: S608 - columns of our own

_log = structlog.get_logger()


class Forgotten:
    """One in each process; ``close`` it at the end."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, audit: Audit, links: Links) -> None:
        self._pool = pool
        self._clock = clock
        self._audit = audit
        self._links = links
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, login: str, remote: str, request_id: str) -> None:
        """Have a link mailed to whoever signs in so, if there is anybody, an address, and mail is configured.

        Raises CallerError 429 ``too-many-requests`` for the address, Unavailable.
        """
        now = timestamp_of(self._clock.now_ms())
        with translated():
            from_there = await self._count("address", block_of(remote), now)
            for_it = await self._count("login", folded(login), now)
        if from_there > MOST_FROM_AN_ADDRESS:
            raise CallerError(
                429,
                "too-many-requests",
                "Too many links were asked for from your address. Try again in an hour.",
                headers={"Retry-After": str(WINDOW_SECONDS)},
            )
        if self._links.has_post and for_it <= MOST_FOR_A_LOGIN and len(self._tasks) < _MOST_AT_ONCE:
            self._begin(self._send(folded(login), remote, request_id))

    async def close(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(sending, name="forgotten password")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, login: str, remote: str, request_id: str) -> None:
        try:
            with translated():
                await self._pool.execute(_FORGET, timestamp_of(self._clock.now_ms() - WINDOW_SECONDS * 1000))
            async with transaction(self._pool) as connection:
                row = await connection.fetchrow(_FIND, login)
                if row is None:
                    return
                user = User.of(row)
                link = await self._links.issue_within(connection, user)
                actor = Actor("somebody who forgot a password", user.company, None, None, None, remote, request_id)
                change = Change.of("user.forgot-password", user.company, None, user)
                await self._audit.record_within(connection, actor, change)
            await self._links.deliver(user, link)
        except Unavailable as error:
            _log.warning("link for a forgotten password not sent", reason=str(error))

    async def _count(self, kind: str, subject: str, now: datetime) -> int:
        hashed = hashlib.sha256(f"{kind}\0{subject}".encode()).digest()
        asked: int = await self._pool.fetchval(_COUNT, hashed, now, now - timedelta(seconds=WINDOW_SECONDS))
        return asked
