"""The users of a company: who is there, and making, changing and deleting them.

Touches PostgreSQL (owns users; ends what hangs on a user in api_keys and password_links). Each change and its line in
the audit log are one transaction, and every process hears of it (migration 0008).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from eventgate.access.actor import Actor
from eventgate.access.audit.record import Audit, Change
from eventgate.access.authority import demand_authority, demand_own_strength
from eventgate.access.keys.api_key import COLUMNS as KEY_COLUMNS
from eventgate.access.keys.api_key import ApiKey
from eventgate.access.keys.grants import grantor
from eventgate.access.people.links import Delivery, Links
from eventgate.access.people.logins import MOST_CHARACTERS, folded
from eventgate.access.people.remaining import demand_remaining
from eventgate.access.people.user import COLUMNS, EndSessions, User
from eventgate.access.principal import Principal
from eventgate.clock import Clock
from eventgate.db.pages import fetch_page
from eventgate.db.pool import transaction, translated
from eventgate.errors import CallerError
from eventgate.ids import uuid7
from eventgate.journal.times import timestamp_of
from eventgate.query.paging import Page, PageRequest

# Put together of our own SQL (S608) here and below; every value is a numbered parameter.
_GET = f"SELECT {COLUMNS} FROM users WHERE company = $1 AND id = $2"  # noqa: S608
_INSERT = f"""
INSERT INTO users (id, company, login, email, name, role, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING {COLUMNS}
"""  # noqa: S608
_UPDATE = f"""
UPDATE users SET login = $2, email = $3, name = $4, role = $5, updated_at = $6,
       deactivated_at = CASE WHEN NOT $7 THEN coalesce(deactivated_at, $6) END
WHERE id = $1 RETURNING {COLUMNS}
"""  # noqa: S608
_DELETE = f"UPDATE users SET deleted_at = $2, updated_at = $2 WHERE id = $1 RETURNING {COLUMNS}"  # noqa: S608
_KEYS = f"SELECT {KEY_COLUMNS} FROM api_keys k WHERE k.user_id = $1 AND k.deleted_at IS NULL ORDER BY k.id FOR UPDATE"  # noqa: S608
_DELETE_KEYS = "UPDATE api_keys SET deleted_at = $2, updated_at = $2 WHERE user_id = $1 AND deleted_at IS NULL"


@dataclass(frozen=True, slots=True)
class NewUser:
    """What a user is made of. ``login`` is None to sign in with the address."""

    role: str
    login: str | None = None
    email: str | None = None
    name: str | None = None


class Users:
    """Every method raises Unavailable where the database is away; what else, it says."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, audit: Audit, links: Links, end_sessions: EndSessions) -> None:
        self._pool = pool
        self._clock = clock
        self._audit = audit
        self._links = links
        self._end_sessions = end_sessions

    async def page(self, company: UUID, asked: PageRequest) -> Page[User]:
        """The company's users that are not deleted, newest first."""
        rows = "users WHERE company = $1 AND deleted_at IS NULL"
        return (await fetch_page(self._pool, COLUMNS, rows, (company,), asked)).of(User.of)

    async def get(self, company: UUID, user: UUID) -> User | None:
        """One user of the company, deleted or not."""
        with translated():
            row = await self._pool.fetchrow(_GET, company, user)
        return None if row is None else User.of(row)

    async def create(self, principal: Principal, actor: Actor, new: NewUser) -> tuple[User, Delivery]:
        """Make a user of the caller's company, and invite it.

        Raises CallerError 403 ``role-beyond-yours``, 409 ``login-taken``, 422 where there is neither login nor address.
        """
        demand_authority(principal, new.role, "/role")
        async with transaction(self._pool) as connection:
            user = await self.create_within(connection, actor, principal.company, new)
            link = await self._links.issue_within(connection, user)
        return user, await self._links.deliver(user, link)

    async def create_within(self, connection: Any, actor: Actor, company: UUID, new: NewUser) -> User:
        """Make a user of any company inside a transaction; nobody's authority is asked. Raises as ``create`` does."""
        login = _login(new.login if new.login is not None else new.email)
        now = self._clock.now_ms()
        with _login_is_free():
            row = await connection.fetchrow(
                _INSERT, uuid7(now), company, login, new.email, new.name, new.role, timestamp_of(now)
            )
        user = User.of(row)
        await self._note(connection, actor, "user.create", None, user)
        return user

    async def update(self, principal: Principal, actor: Actor, user: UUID, changes: Mapping[str, Any]) -> User | None:
        """Change some of login, email, name, role and ``active``; None where the company has no such user.

        Raises CallerError 403 ``role-beyond-yours``, 409 ``login-taken``, ``user-deleted``, ``last-admin``,
        ``last-operator``.
        """
        async with transaction(self._pool) as connection:
            before = await self._locked(connection, principal.company, user)
            if before is None:
                return None
            demand_authority(principal, before.role)
            if "role" in changes:
                demand_authority(principal, changes["role"], "/role")
            return await self._change(connection, actor, before, changes)

    async def update_own(self, principal: Principal, actor: Actor, user: UUID, changes: Mapping[str, Any]) -> User:
        """Change some of one's own login, email and name. Raises as ``update`` does."""
        async with transaction(self._pool) as connection:
            before = await self._locked(connection, principal.company, user)
            assert before is not None, "whoever is let in is there"
            if changes.keys() & {"login", "email"}:
                demand_own_strength(await grantor(connection, principal), before.role)
            return await self._change(connection, actor, before, changes)

    async def delete(self, principal: Principal, actor: Actor, user: UUID) -> bool:
        """Delete a user with its API keys, sessions and link; False where the company has none of that id.

        One that is deleted already stays so. Raises CallerError 403 ``role-beyond-yours``, 409 ``last-admin``,
        ``last-operator``.
        """
        async with transaction(self._pool) as connection:
            before = await self._locked(connection, principal.company, user)
            if before is None or before.deleted_at is not None:
                return before is not None
            demand_authority(principal, before.role)
            await demand_remaining(connection, before, None)
            now = timestamp_of(self._clock.now_ms())
            after = User.of(await connection.fetchrow(_DELETE, user, now))
            keys = [ApiKey.of(row) for row in await connection.fetch(_KEYS, user)]
            await connection.execute(_DELETE_KEYS, user, now)
            await self._links.drop_within(connection, user)
            await self._end_sessions(connection, user, None)
            await self._note(connection, actor, "user.delete", before, after)
            for key in keys:
                change = Change.of("key.delete", key.company, key, key._replace(deleted_at=now, updated_at=now))
                await self._audit.record_within(connection, actor, change)
        return True

    async def reset_password(self, principal: Principal, actor: Actor, user: UUID) -> Delivery | None:
        """Give a user a link to set a new password by; the old one is good until the link is used.

        None where the company has no such user. Raises CallerError 403 ``role-beyond-yours``, 409 ``user-inactive``.
        """
        async with transaction(self._pool) as connection:
            found = await self._locked(connection, principal.company, user)
            if found is None:
                return None
            demand_authority(principal, found.role)
            if found.status == "inactive":
                detail = "This user is deleted or kept out; it cannot sign in, whatever its password."
                raise CallerError(409, "user-inactive", detail)
            link = await self._links.issue_within(connection, found)
            await self._note(connection, actor, "user.reset-password", None, found)
        return await self._links.deliver(found, link)

    async def _change(self, connection: Any, actor: Actor, before: User, changes: Mapping[str, Any]) -> User:
        if before.deleted_at is not None:
            raise CallerError(409, "user-deleted", "This user is deleted; make a new one.")
        role, active = changes.get("role", before.role), changes.get("active", before.status != "inactive")
        login = _login(changes["login"]) if "login" in changes else before.login
        email, name = changes.get("email", before.email), changes.get("name", before.name)
        await demand_remaining(connection, before, role if active else None)
        now = timestamp_of(self._clock.now_ms())
        with _login_is_free():
            row = await connection.fetchrow(_UPDATE, before.id, login, email, name, role, now, active)
        after = User.of(row)
        if (login, email, active) != (before.login, before.email, True):  # what was sent elsewhere is worth nothing now
            await self._links.drop_within(connection, before.id)
        if not active:
            await self._end_sessions(connection, before.id, None)
        await self._note(connection, actor, "user.update", before, after)
        return after

    async def _locked(self, connection: Any, company: UUID, user: UUID) -> User | None:
        row = await connection.fetchrow(f"{_GET} FOR UPDATE", company, user)
        return None if row is None else User.of(row)

    async def _note(self, connection: Any, actor: Actor, action: str, before: User | None, after: User) -> None:
        await self._audit.record_within(connection, actor, Change.of(action, after.company, before, after))


def _login(text: str | None) -> str:
    login = folded(text or "")
    if not 1 <= len(login) <= MOST_CHARACTERS:
        detail = f"/login: expected 1 to {MOST_CHARACTERS} characters to sign in with, or an email to use instead."
        raise CallerError.of_field(422, "body-invalid", detail, "/login")
    return login


@contextmanager
def _login_is_free() -> Iterator[None]:
    """Turn the database's refusal of a second user of one login into ours, which does not say whose it is."""
    try:
        yield
    except asyncpg.UniqueViolationError:
        detail = "Somebody signs in with this login already; it may be in another company. Choose another one."
        raise CallerError.of_field(409, "login-taken", detail, "/login") from None
