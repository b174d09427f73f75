"""People set their own passwords: by a one-time link, or with the one they have.

Touches PostgreSQL (users.password_hash, and what the links and sessions do in the same transaction). Whoever else was
signed in as that user is not any more.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NoReturn
from uuid import UUID

import asyncpg

from eventgate.access.actor import Actor
from eventgate.access.audit.record import Audit, Change
from eventgate.access.people.links import Links
from eventgate.access.people.passwords import Passwords
from eventgate.access.people.user import COLUMNS, EndSessions, User
from eventgate.access.principal import Principal
from eventgate.clock import Clock
from eventgate.db.pool import transaction, translated
from eventgate.errors import CallerError
from eventgate.journal.times import timestamp_of

Demand = Callable[[Principal, str, str, str], Awaitable[None]]
"""(principal, password, remote, pointer): CallerError 403 where it is not the principal's, 429 after too many."""

_GET = f"SELECT {COLUMNS} FROM users WHERE company = $1 AND id = $2"  # noqa: S608 - columns of our own
_KEPT = "SELECT password_hash FROM users WHERE company = $1 AND id = $2"
_STILL = "SELECT 1 FROM users WHERE id = $1 AND password_hash = $2 AND deleted_at IS NULL FOR UPDATE"
_SET = f"UPDATE users SET password_hash = $2, updated_at = $3 WHERE id = $1 RETURNING {COLUMNS}"  # noqa: S608 - as above


class PasswordChanges:
    """Every method raises Unavailable where the database is away, or ``busy``; what else, it says."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        clock: Clock,
        audit: Audit,
        links: Links,
        passwords: Passwords,
        *,
        end_sessions: EndSessions,
        demand: Demand,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._audit = audit
        self._links = links
        self._passwords = passwords
        self._end_sessions = end_sessions
        self._demand = demand

    async def redeem(self, token: str, password: str, remote: str, request_id: str) -> None:
        """Set the password of whoever a link was given to, and use the link up.

        Raises CallerError 422: ``link-invalid``; ``password-length`` and ``password-guessable``, which leave it good.
        """
        with translated():
            user = await self._links.find(self._pool, token)
        if user is None:
            _refuse_link()
        await self._passwords.check_new(password, user.personal, "/password")
        kept = await self._passwords.hash(password)
        actor = Actor(user.login, user.company, user.id, None, None, remote, request_id)
        async with transaction(self._pool) as connection:
            if await self._links.use_within(connection, token) != user.id:
                _refuse_link()
            await self._set_within(connection, actor, user, kept, None)

    async def change_own(self, principal: Principal, actor: Actor, user: UUID, current: str, new: str) -> None:
        """Set one's own password; the session that asks, if it is one, is the only one that goes on.

        Raises CallerError 403 ``password-wrong``, 422 as ``redeem`` does, 429 after too many wrong ones.
        """
        with translated():
            known = await self._pool.fetchval(_KEPT, principal.company, user)
        await self._demand(principal, current, actor.remote, "/currentPassword")
        with translated():
            before = User.of(await self._pool.fetchrow(_GET, principal.company, user))
        await self._passwords.check_new(new, before.personal, "/newPassword")
        hashed = await self._passwords.hash(new)
        async with transaction(self._pool) as connection:
            # Whoever knew the old one is not to undo what its owner does against them at this moment.
            if await connection.fetchval(_STILL, user, known) is None:
                detail = "The password was changed meanwhile, and this is not the current one any more."
                raise CallerError.of_field(403, "password-wrong", detail, "/currentPassword")
            await self._set_within(connection, actor, before, hashed, principal.session)
            await self._links.drop_within(connection, user)

    async def _set_within(self, connection: Any, actor: Actor, before: User, kept: str, session: UUID | None) -> None:
        now = timestamp_of(self._clock.now_ms())
        after = User.of(await connection.fetchrow(_SET, before.id, kept, now))
        await self._end_sessions(connection, before.id, session)
        change = Change.of("user.set-password", before.company, before, after)
        await self._audit.record_within(connection, actor, change)


def _refuse_link() -> NoReturn:
    detail = "This link is not good: it was used, has expired, or a newer one took its place. Ask for a new one."
    raise CallerError.of_field(422, "link-invalid", detail, "/token")
