"""The companies of this EventGate, for its operator: made with a first admin, changed, retired.

Touches PostgreSQL (owns companies). Each change and its line in the audit log are one transaction, and every process
hears of it (migration 0001).
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

import asyncpg

from eventgate.access.actor import Actor
from eventgate.access.audit.record import Audit, Change
from eventgate.access.people.links import Delivery, Links
from eventgate.access.people.user import User
from eventgate.access.people.users import NewUser, Users
from eventgate.clock import Clock
from eventgate.db.pages import fetch_page
from eventgate.db.pool import Row, transaction, translated
from eventgate.errors import CallerError
from eventgate.ids import uuid7
from eventgate.journal.times import rfc3339_of, timestamp_of
from eventgate.query.paging import Page, PageRequest

_COLUMNS = "id, name, rate_limit, created_at, updated_at, retired_at"
_ROWS = "companies WHERE ($1::boolean IS NULL OR (retired_at IS NULL) = $1)"
_ONE = f"SELECT {_COLUMNS} FROM companies WHERE id = $1"  # noqa: S608 - put together of our own SQL, here and below
_INSERT = f"""
INSERT INTO companies (id, name, rate_limit, id_secret, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
RETURNING {_COLUMNS}
"""  # noqa: S608
_UPDATE = f"UPDATE companies SET name = $2, rate_limit = $3, updated_at = $4 WHERE id = $1 RETURNING {_COLUMNS}"  # noqa: S608
_RETIRE = f"UPDATE companies SET retired_at = $2, updated_at = $2 WHERE id = $1 RETURNING {_COLUMNS}"  # noqa: S608
_RUNS_THE_GATE = "SELECT EXISTS (SELECT FROM users WHERE company = $1 AND role = 'operator' AND deleted_at IS NULL)"
_SECRET_BYTES = 32


class Company(NamedTuple):
    """One company. ``rate_limit`` is in requests a second of all its credentials together, None for any number."""

    id: UUID
    name: str
    rate_limit: int | None
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(*row.values())

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "status": "active" if self.retired_at is None else "retired",
            "rateLimit": self.rate_limit,
            "createdAt": rfc3339_of(self.created_at),
            "updatedAt": rfc3339_of(self.updated_at),
            "retiredAt": rfc3339_of(self.retired_at),
        }


@dataclass(frozen=True, slots=True)
class Founded:
    """A new company, its first admin, and where the admin's invitation went."""

    company: Company
    admin: User
    delivery: Delivery


class Companies:
    """Every method raises Unavailable where the database is away; what else, it says."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, audit: Audit, users: Users, links: Links) -> None:
        self._pool = pool
        self._clock = clock
        self._audit = audit
        self._users = users
        self._links = links

    async def page(self, asked: PageRequest, *, active: bool | None = None) -> Page[Company]:
        """All companies, or those that are active, or those that are retired; newest first."""
        return (await fetch_page(self._pool, _COLUMNS, _ROWS, (active,), asked)).of(Company.of)

    async def get(self, company: UUID) -> Company | None:
        with translated():
            row = await self._pool.fetchrow(_ONE, company)
        return None if row is None else Company.of(row)

    async def found(self, actor: Actor, name: str, rate_limit: int | None, admin: NewUser) -> Founded:
        """Make a company with its first admin, and invite it: all of it or nothing.

        Raises CallerError 409 ``login-taken``, 422 where the admin has neither login nor address.
        """
        now = self._clock.now_ms()
        async with transaction(self._pool) as connection:
            row = await connection.fetchrow(
                _INSERT, uuid7(now), name, rate_limit, secrets.token_bytes(_SECRET_BYTES), timestamp_of(now)
            )
            company = Company.of(row)
            await self._note(connection, actor, "company.create", None, company)
            user = await self._users.create_within(connection, actor, company.id, admin)
            link = await self._links.issue_within(connection, user)
        return Founded(company, user, await self._links.deliver(user, link))

    async def update(self, actor: Actor, company: UUID, changes: Mapping[str, Any]) -> Company | None:
        """Change ``name`` and ``rate_limit``, those of them that are named; None where there is no such company.

        Raises CallerError 409 ``company-retired``.
        """
        async with transaction(self._pool) as connection:
            before = await self._locked(connection, company)
            if before is None:
                return None
            if before.retired_at is not None:
                raise CallerError(409, "company-retired", "This company is retired, and cannot be changed any more.")
            wanted = before._replace(**changes)
            if wanted == before:
                return before
            now = timestamp_of(self._clock.now_ms())
            after = Company.of(await connection.fetchrow(_UPDATE, company, wanted.name, wanted.rate_limit, now))
            await self._note(connection, actor, "company.update", before, after)
        return after

    async def retire(self, actor: Actor, company: UUID) -> bool:
        """Let nobody of a company in from now on; False where there is none of that id. Again is the same.

        Its events stay as long as all events do. Raises CallerError 409 ``company-of-operator``.
        """
        async with transaction(self._pool) as connection:
            before = await self._locked(connection, company)
            if before is None or before.retired_at is not None:
                return before is not None
            if company == actor.company or await connection.fetchval(_RUNS_THE_GATE, company):
                detail = "Operators of this EventGate belong to this company; without it nobody could run the gate."
                raise CallerError(409, "company-of-operator", detail)
            now = timestamp_of(self._clock.now_ms())
            after = Company.of(await connection.fetchrow(_RETIRE, company, now))
            await self._note(connection, actor, "company.retire", before, after)
        return True

    async def _locked(self, connection: Any, company: UUID) -> Company | None:
        row = await connection.fetchrow(f"{_ONE} FOR UPDATE", company)
        return None if row is None else Company.of(row)

    async def _note(self, connection: Any, actor: Actor, action: str, before: Company | None, after: Company) -> None:
        await self._audit.record_within(connection, actor, Change.of(action, after.id, before, after))


async def unknown_companies(pool: asyncpg.Pool, companies: Collection[UUID]) -> frozenset[UUID]:
    """Those ids that no company has, or ever had. Raises Unavailable."""
    with translated():
        rows = await pool.fetch("SELECT id FROM companies WHERE id = ANY($1::uuid[])", list(companies))
    return frozenset(companies) - {row["id"] for row in rows}


async def company_of_operator(pool: asyncpg.Pool) -> UUID | None:
    """The company of whoever runs this EventGate, the eldest of them; None where nobody does any more."""
    with translated():
        found: UUID | None = await pool.fetchval(
            """SELECT company FROM users JOIN companies ON companies.id = company
               WHERE role = 'operator' AND deleted_at IS NULL AND retired_at IS NULL ORDER BY users.id LIMIT 1"""
        )
    return found
