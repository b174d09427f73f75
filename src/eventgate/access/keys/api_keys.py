"""The API keys of a company: made, changed, turned off; each change with its line in the audit log.

Touches PostgreSQL (api_keys, users). Of an auth key only the hash is kept: it is told once, to who makes it.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from eventgate.access.actor import Actor
from eventgate.access.audit.record import Audit, Change
from eventgate.access.keys.api_key import COLUMNS, ApiKey
from eventgate.access.keys.grants import check_grant, grantor, with_defaults
from eventgate.access.principal import Principal
from eventgate.access.versions import NEWEST_VERSION, check_repin, downgrade_ends
from eventgate.clock import Clock
from eventgate.db.pages import fetch_page
from eventgate.db.pool import transaction, translated
from eventgate.errors import CallerError
from eventgate.ids import uuid7
from eventgate.journal.times import timestamp_of
from eventgate.query.paging import Page, PageRequest
from eventgate.signing.authkey import AuthKey

HasSensor = Callable[[UUID, UUID], Awaitable[bool]]
"""(company, sensor): whether the company has that sensor, and it is in service."""

_INSERT = """
INSERT INTO api_keys (id, company, user_id, public_id, hash, api_version, api_version_downgrade_not_allowed_after,
                      created_at, updated_at, description, whitelisted_ips, scopes, edge, registers_edges, expires_at,
                      rate_limit)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11, $12, $13, $14, $15)
"""
# A user who is being deleted is waited for, and one whose keys are being changed cannot be deleted meanwhile.
_USER = "SELECT role FROM users WHERE id = $1 AND company = $2 AND deleted_at IS NULL FOR SHARE"
_USER_OF_KEY = """
SELECT u.role FROM users u JOIN api_keys k ON k.user_id = u.id WHERE k.id = $1 AND k.company = $2 FOR SHARE OF u
"""
_ONE = f"SELECT {COLUMNS} FROM api_keys k WHERE k.id = $1 AND k.company = $2"  # noqa: S608 - our own columns
_ROWS = """
api_keys k WHERE k.company = $1 AND (k.deleted_at IS NULL) = $2 AND ($3::uuid IS NULL OR k.user_id = $3)
"""


class Keys:
    """The API keys. ``wanted`` is what was said of a key, by its columns; what was not said has no entry."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, audit: Audit, has_sensor: HasSensor) -> None:
        self._pool = pool
        self._clock = clock
        self._audit = audit
        self._has_sensor = has_sensor

    async def page(
        self, company: UUID, asked: PageRequest, *, active: bool = True, user: UUID | None = None
    ) -> Page[ApiKey]:
        """The company's keys, newest first; with ``user`` only that one's."""
        page = await fetch_page(self._pool, COLUMNS, _ROWS, (company, active, user), asked, by="k.id")
        return page.of(ApiKey.of)

    async def get(self, company: UUID, key: UUID, *, user: UUID | None = None) -> ApiKey | None:
        """The company's key of that id, None where it has none; with ``user`` only if it is that one's."""
        with translated():
            row = await self._pool.fetchrow(_ONE, key, company)
        found = None if row is None else ApiKey.of(row)
        return found if found is None or user is None or found.user == user else None

    async def has_user(self, company: UUID, user: UUID) -> bool:
        """Whether the company has, or had, that user."""
        with translated():
            found = await self._pool.fetchval("SELECT true FROM users WHERE id = $1 AND company = $2", user, company)
        return bool(found)

    async def create(self, maker: Principal, actor: Actor, user: UUID, wanted: Mapping[str, Any]) -> tuple[ApiKey, str]:
        """Make a key of ``user``; the key, and its auth key, which nobody can tell again.

        Raises CallerError 422 where the user or the sensor is not the company's, and as ``check_grant``.
        """
        await self._check_sensor(maker.company, wanted)
        now, minted = self._now(), AuthKey.mint()
        key_id = uuid7(self._clock.now_ms())
        async with transaction(self._pool) as connection:
            role = await connection.fetchval(_USER, user, maker.company)
            if role is None:
                raise CallerError.of_field(422, "user-unknown", "Your company has no user of this id.", "/userId")
            if role == "operator" and not maker.operator:
                detail = "This user is an operator of this EventGate; only an operator makes keys for one."
                raise CallerError.of_field(403, "key-too-strong", detail, "/userId")
            by = await grantor(connection, maker)
            key = with_defaults(by, role, wanted)
            check_grant(by, role, wanted, key, now)
            await connection.execute(
                _INSERT, key_id, maker.company, user, minted.public_id, minted.hash,
                date.fromisoformat(NEWEST_VERSION), downgrade_ends(now), now, *key.values(),
            )  # fmt: skip
            made = ApiKey.of(await connection.fetchrow(_ONE, key_id, maker.company))
            await self._note(connection, actor, "key.create", None, made)
        return made, minted.whole

    async def change(self, changer: Principal, actor: Actor, key: UUID, wanted: Mapping[str, Any]) -> ApiKey | None:
        """Change what ``wanted`` names; None where the company has no such key.

        Raises CallerError 409 ``key-inactive``, and as ``create`` and ``check_repin``.
        """
        await self._check_sensor(changer.company, wanted)
        now = self._now()
        async with transaction(self._pool) as connection:
            # The user first, as who deletes users takes them: two that wait for each other would both fail.
            role = await connection.fetchval(_USER_OF_KEY, key, changer.company)
            row = await connection.fetchrow(f"{_ONE} FOR UPDATE", key, changer.company)
            if row is None:
                return None
            before = ApiKey.of(row)
            if not before.active:
                raise inactive()
            if role == "operator" and not changer.operator:  # or with a scope more it would be theirs
                detail = "This key is of a user who runs this EventGate: only another who does may change it."
                raise CallerError(403, "key-too-strong", detail)
            check_grant(await grantor(connection, changer), role, wanted, {**before._asdict(), **wanted}, now)
            values = _assignments(before, wanted, now)
            if not values:
                return before
            columns = ", ".join(f"{column} = ${number}" for number, column in enumerate(values, 3))
            await connection.execute(
                f"UPDATE api_keys SET {columns} WHERE id = $1 AND company = $2",  # noqa: S608 - our own columns
                key, changer.company, *values.values(),
            )  # fmt: skip
            after = ApiKey.of(await connection.fetchrow(_ONE, key, changer.company))
            await self._note(connection, actor, "key.update", before, after)
        return after

    async def deactivate(self, actor: Actor, company: UUID, key: UUID, *, user: UUID | None = None) -> bool:
        """Turn a key off for good; False where the company (or ``user``) has none of that id. Again is the same."""
        async with transaction(self._pool) as connection:
            row = await connection.fetchrow(f"{_ONE} FOR UPDATE", key, company)
            if row is None or user not in (None, row["user_id"]):
                return False
            before = ApiKey.of(row)
            if before.active:
                now = self._now()
                await connection.execute("UPDATE api_keys SET deleted_at = $2, updated_at = $2 WHERE id = $1", key, now)
                after = before._replace(deleted_at=now, updated_at=now)
                await self._note(connection, actor, "key.delete", before, after)
        return True

    async def _check_sensor(self, company: UUID, wanted: Mapping[str, Any]) -> None:
        """Before a transaction is open: whoever answers may need a connection too."""
        edge = wanted.get("edge")
        if edge is not None and not await self._has_sensor(company, edge):
            raise CallerError.of_field(
                422, "edge-unknown", "Your company has no sensor of this id in service.", "/edgeId"
            )

    async def _note(self, connection: Any, actor: Actor, action: str, before: ApiKey | None, after: ApiKey) -> None:
        await self._audit.record_within(connection, actor, Change.of(action, after.company, before, after))

    def _now(self) -> datetime:
        return timestamp_of(self._clock.now_ms())


def inactive() -> CallerError:
    return CallerError(409, "key-inactive", "This API key was deleted, and cannot be changed any more.")


def _assignments(before: ApiKey, wanted: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What really changes, by column; {} where everything is so already."""
    values = {column: value for column, value in wanted.items() if getattr(before, column) != value}
    if version := values.get("api_version"):
        check_repin(before.api_version, version, before.until, now)
        values["api_version"] = date.fromisoformat(version)
        values["api_version_updated_at"] = now
        if version > before.api_version:
            values["api_version_downgrade_not_allowed_after"] = downgrade_ends(now)
    return {**values, "updated_at": now} if values else {}
