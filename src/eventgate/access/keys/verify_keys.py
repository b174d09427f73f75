"""The verify keys of an API key: at most two at a time, so that a sensor can change over from one to the next.

Touches PostgreSQL (verify_keys, api_keys). A revoked one stays on record, for the events that it has vouched for.
"""

from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from eventgate.access.actor import Actor
from eventgate.access.audit.record import Audit, Change
from eventgate.access.keys.api_keys import inactive
from eventgate.clock import Clock
from eventgate.db.pages import fetch_page
from eventgate.db.pool import transaction
from eventgate.errors import CallerError
from eventgate.ids import uuid7
from eventgate.journal.times import rfc3339_of, timestamp_of
from eventgate.query.paging import Page, PageRequest
from eventgate.signing.keys import VerifyKey, load_verify_key

MOST_ACTIVE = 2

_COLUMNS = "v.id, v.key, v.spki, v.created_at, v.deleted_at"
_ROWS = "verify_keys v WHERE v.key = $1 AND (v.deleted_at IS NULL) = $2"
_LOCK_KEY = "SELECT deleted_at IS NULL FROM api_keys WHERE id = $1 AND company = $2 FOR UPDATE"
_ACTIVE = "SELECT spki FROM verify_keys WHERE key = $1 AND deleted_at IS NULL"
_INSERT = "INSERT INTO verify_keys (id, key, spki, created_at) VALUES ($1, $2, $3, $4)"
_ONE = f"SELECT {_COLUMNS} FROM verify_keys v WHERE v.id = $1 AND v.key = $2"  # noqa: S608 - our own columns


class KeptVerifyKey(NamedTuple):
    """One verify key as it is stored."""

    id: UUID
    key: UUID
    spki: bytes
    created_at: datetime
    deleted_at: datetime | None

    def shown(self) -> dict[str, Any]:
        """The members that the API shows and the audit log keeps; nothing of a verify key is secret."""
        loaded = load_verify_key(self.spki, str(self.id))
        return {
            "id": str(self.id),
            "keyId": str(self.key),
            "curve": loaded.curve.name,
            "algorithm": loaded.algorithm,
            "verifyKey": loaded.pem,
            "fingerprint": sha256(self.spki).hexdigest(),
            "status": "active" if self.deleted_at is None else "inactive",
            "createdAt": rfc3339_of(self.created_at),
            "deletedAt": rfc3339_of(self.deleted_at),
        }


class VerifyKeys:
    """The verify keys."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, audit: Audit) -> None:
        self._pool = pool
        self._clock = clock
        self._audit = audit

    async def page(self, key: UUID, asked: PageRequest, *, active: bool = True) -> Page[KeptVerifyKey]:
        """The verify keys of an API key, newest first."""
        page = await fetch_page(self._pool, _COLUMNS, _ROWS, (key, active), asked, by="v.id")
        return page.of(lambda row: KeptVerifyKey(*row.values()))

    async def add(self, actor: Actor, company: UUID, key: UUID, given: VerifyKey) -> KeptVerifyKey | None:
        """Add one; None where the company has no such API key.

        Raises CallerError 409: ``key-inactive``, ``verify-key-known`` for one it has already, ``verify-keys-full``.
        """
        async with transaction(self._pool) as connection:
            active = await connection.fetchval(_LOCK_KEY, key, company)
            if active is None:
                return None
            if not active:
                raise inactive()
            present = [row["spki"] for row in await connection.fetch(_ACTIVE, key)]
            _check_room(present, given.spki)
            now = self._now()
            made = KeptVerifyKey(uuid7(self._clock.now_ms()), key, given.spki, now, None)
            await connection.execute(_INSERT, made.id, key, made.spki, now)
            change = Change.of("verify-key.create", company, None, made)
            await self._audit.record_within(connection, actor, change)
        return made

    async def revoke(self, actor: Actor, company: UUID, key: UUID, verify_key: UUID) -> bool:
        """Trust it no more; False where there is none of that id. Again is the same."""
        async with transaction(self._pool) as connection:
            if await connection.fetchval(_LOCK_KEY, key, company) is None:
                return False
            row = await connection.fetchrow(_ONE, verify_key, key)
            if row is None:
                return False
            before = KeptVerifyKey(*row.values())
            if before.deleted_at is None:
                after = before._replace(deleted_at=self._now())
                await connection.execute(
                    "UPDATE verify_keys SET deleted_at = $2 WHERE id = $1", verify_key, after.deleted_at
                )
                change = Change.of("verify-key.delete", company, before, after)
                await self._audit.record_within(connection, actor, change)
        return True

    def _now(self) -> datetime:
        return timestamp_of(self._clock.now_ms())


def _check_room(present: list[bytes], wanted: bytes) -> None:
    if wanted in present:
        raise CallerError(409, "verify-key-known", "This API key has this verify key already.")
    if len(present) >= MOST_ACTIVE:
        raise CallerError(
            409,
            "verify-keys-full",
            f"An API key has at most {MOST_ACTIVE} verify keys at a time: the old one and the next. "
            "Revoke the one that is not used any more, then add this one.",
        )
