"""The second factor: enrolled in two steps, asked for at each sign-in, replaced by a recovery code when it is lost.

Touches PostgreSQL (owns second_factors and recovery_codes). A secret is sealed before it is stored, of a recovery code
the hash alone is; a code and a recovery code are each taken once, whatever comes at the same moment.
"""

import hashlib
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from eventgate.access.actor import Actor
from eventgate.access.audit.record import Audit, Change
from eventgate.access.authority import demand_authority, demand_own_strength
from eventgate.access.credentials import unauthenticated
from eventgate.access.keys.grants import grantor
from eventgate.access.principal import Principal
from eventgate.access.sessions.server_key import ServerKey
from eventgate.access.sessions.sessions import revoke_all_within
from eventgate.access.signin import totp
from eventgate.access.signin.throttle import Place, Throttle, counters
from eventgate.clock import Clock
from eventgate.db.pool import transaction, translated
from eventgate.errors import CallerError
from eventgate.journal.times import timestamp_of

RECOVERY_CODES = 10
PENDING_SECONDS = 900
"""How long an enrolment waits for its first code."""

_ISSUER = "EventGate"

_IN_PLACE = "SELECT secret, last_counter FROM second_factors WHERE user_id = $1 AND secret IS NOT NULL FOR UPDATE"
_SPEND = "UPDATE second_factors SET last_counter = $2 WHERE user_id = $1"
_SPEND_RECOVERY = "DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2 RETURNING 1"
_LEFT = "SELECT count(*) FROM recovery_codes WHERE user_id = $1"
_BEGIN = """
INSERT INTO second_factors (user_id, pending, pending_at) VALUES ($1, $2, $3)
ON CONFLICT (user_id) DO UPDATE SET pending = excluded.pending, pending_at = excluded.pending_at
"""
_PENDING = "SELECT pending FROM second_factors WHERE user_id = $1 AND pending_at > $2 FOR UPDATE"
_CONFIRM = """
UPDATE second_factors SET secret = pending, confirmed_at = $2, last_counter = $3, pending = NULL, pending_at = NULL
WHERE user_id = $1
"""
_DROP_RECOVERY = "DELETE FROM recovery_codes WHERE user_id = $1"
_KEEP_RECOVERY = "INSERT INTO recovery_codes (user_id, hash) SELECT $1, unnest($2::bytea[])"
_MARK = "UPDATE users SET second_factor = $2 WHERE id = $1"
_LOGIN = "SELECT login, role FROM users WHERE id = $1"
_ROLE = "SELECT role FROM users WHERE id = $1 AND company = $2 AND deleted_at IS NULL FOR UPDATE"
_REMOVE = "DELETE FROM second_factors WHERE user_id = $1 RETURNING secret IS NOT NULL"


class Enrolment(NamedTuple):
    """What an authenticator app needs to know, told once."""

    secret: str
    uri: str


class SecondFactors:
    """The second factors of all users."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, key: ServerKey, audit: Audit, throttle: Throttle) -> None:
        self._pool = pool
        self._clock = clock
        self._key = key
        self._audit = audit
        self._throttle = throttle

    async def demand_within(
        self, connection: Any, actor: Actor, user: UUID, code: str | None, recovery_code: str | None
    ) -> None:
        """Let a user pass who has no second factor, or shows it; inside the transaction that lets the user in.

        Raises CallerError 401 ``code-required``, ``code-wrong``, ``recovery-code-wrong``; whoever catches it rolls
        back.
        """
        row = await connection.fetchrow(_IN_PLACE, user)
        if row is None:
            return
        if recovery_code is not None:
            await self._spend_recovery_code(connection, actor, user, recovery_code)
        elif code is not None:
            secret = self._key.unseal(row["secret"], user)
            counter = totp.matching_counter(secret, code, self._clock.now_ms(), row["last_counter"])
            if counter is None:
                raise unauthenticated("code-wrong", "The code is not the current one, or was used already.")
            await connection.execute(_SPEND, user, counter)
        else:
            raise unauthenticated("code-required", "Send the code of your authenticator app, or a recovery code.")

    async def _spend_recovery_code(self, connection: Any, actor: Actor, user: UUID, recovery_code: str) -> None:
        if await connection.fetchval(_SPEND_RECOVERY, user, _hash(user, recovery_code)) is None:
            raise unauthenticated("recovery-code-wrong", "The recovery code is not one of yours, or was used already.")
        left = await connection.fetchval(_LEFT, user)
        change = Change("user.use-recovery-code", str(user), actor.company, after={"recoveryCodesLeft": left})
        await self._audit.record_within(connection, actor, change)

    async def in_place(self, user: UUID) -> bool:
        """Whether this user signs in with one. Raises Unavailable."""
        with translated():
            row = await self._pool.fetchrow(_IN_PLACE.removesuffix(" FOR UPDATE"), user)
        return row is not None

    async def begin(self, actor: Actor, principal: Principal, user: UUID) -> Enrolment:
        """Make a secret, which counts once it is confirmed; one in place goes on counting.

        Raises CallerError 403 ``role-beyond-yours`` for a key that may do less than its user: whoever finds such a one
        would keep the user out. Raises Unavailable.
        """
        secret = totp.new_secret()
        now = timestamp_of(self._clock.now_ms())
        async with transaction(self._pool) as connection:
            login, role = await connection.fetchrow(_LOGIN, user)
            by = await grantor(connection, principal)
            demand_own_strength(by, role, "A second factor decides who signs in")
            await connection.execute(_BEGIN, user, self._key.seal(secret, user), now)
            change = Change("user.begin-second-factor", str(user), actor.company)
            await self._audit.record_within(connection, actor, change)
        return Enrolment(totp.shown_secret(secret), totp.provisioning_uri(secret, login, _ISSUER))

    async def confirm(self, actor: Actor, user: UUID, code: str) -> list[str]:
        """Put the secret in place that ``code`` proves an app to have; the recovery codes, told once.

        Every other session of the user ends. Raises CallerError 409 ``enrolment-missing``, 403 ``code-wrong``, 429
        ``too-many-attempts``; Unavailable.
        """
        counted = counters("second-factor", str(user), Place.of(actor.remote))
        await self._throttle.take(counted)
        now = timestamp_of(self._clock.now_ms())
        async with transaction(self._pool) as connection:
            pending = await connection.fetchval(_PENDING, user, now - timedelta(seconds=PENDING_SECONDS))
            if pending is None:
                raise CallerError(
                    409, "enrolment-missing", "No second factor waits for its code. Begin without a code first."
                )
            secret = self._key.unseal(pending, user)
            counter = totp.matching_counter(secret, code, self._clock.now_ms(), 0)
            if counter is None:
                detail = "The code is not the current one of the secret that was given last."
                raise CallerError.of_field(403, "code-wrong", detail, "/code")
            codes = [totp.new_recovery_code() for _ in range(RECOVERY_CODES)]
            await connection.execute(_CONFIRM, user, now, counter)
            await connection.execute(_DROP_RECOVERY, user)
            await connection.execute(_KEEP_RECOVERY, user, [_hash(user, code) for code in codes])
            await connection.execute(_MARK, user, True)
            await revoke_all_within(connection, user, but=actor.session)
            await self._throttle.forgive_within(connection, counted)
            change = Change("user.confirm-second-factor", str(user), actor.company, after={"secondFactor": True})
            await self._audit.record_within(connection, actor, change)
        return codes

    async def remove(self, actor: Actor, principal: Principal, user: UUID) -> bool:
        """Take away the second factor of a user of one's own company and end the user's sessions.

        False where there is no such user. Raises CallerError 403 ``role-beyond-yours``, Unavailable.
        """
        async with transaction(self._pool) as connection:
            role = await connection.fetchval(_ROLE, user, principal.company)
            if role is None:
                return False
            demand_authority(principal, role)
            await remove_within(connection, self._audit, actor, user, principal.company)
        return True


async def remove_within(connection: Any, audit: Audit, actor: Actor, user: UUID, company: UUID) -> None:
    """Take away a user's second factor, with its line, and end the user's sessions, inside a transaction."""
    was = bool(await connection.fetchval(_REMOVE, user))
    await connection.execute(_MARK, user, False)
    await revoke_all_within(connection, user)
    change = Change("user.reset-second-factor", str(user), company, {"secondFactor": was}, {"secondFactor": False})
    await audit.record_within(connection, actor, change)


def _hash(user: UUID, recovery_code: str) -> bytes:
    return hashlib.sha256(user.bytes + totp.canonical_recovery_code(recovery_code).encode()).digest()
