"""Signing in: throttle, password, second factor, and then a session; who fails learns nothing about who exists.

Touches PostgreSQL (users; the session and its audit line are one transaction) and the threads that check passwords.
"""

import asyncio
import secrets
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from eventgate.access.actor import Actor
from eventgate.access.audit.record import Audit, Change
from eventgate.access.credentials import unauthenticated
from eventgate.access.people.logins import folded
from eventgate.access.people.passwords import Passwords
from eventgate.access.sessions.server_key import ServerKey
from eventgate.access.sessions.sessions import Begun, Session, Sessions, shown
from eventgate.access.signin.second_factor import SecondFactors
from eventgate.access.signin.throttle import Place, Throttle, counters
from eventgate.clock import Clock
from eventgate.db.pool import Row, transaction, translated
from eventgate.errors import CallerError, Unavailable
from eventgate.journal.times import timestamp_of
from eventgate.telemetry import SIGN_INS

_AT_ONCE, _MOST_WAITING = 3, 60
"""Attempts that a process judges at once, and that wait for it: whoever hammers takes few of its connections."""

_LOAD = """
SELECT u.id, u.company, u.login, u.role, u.password_hash,
       u.deactivated_at IS NULL AND c.retired_at IS NULL AS welcome,
       ARRAY(SELECT place FROM known_places p WHERE p.user_id = u.id AND p.place = ANY($2)) AS known
FROM users u JOIN companies c ON c.id = u.company
WHERE lower(u.login) = $1 AND u.deleted_at IS NULL
"""
_STILL = """
SELECT 1 FROM users u JOIN companies c ON c.id = u.company
WHERE u.id = $1 AND u.password_hash = $2 AND u.deleted_at IS NULL AND u.deactivated_at IS NULL AND c.retired_at IS NULL
FOR UPDATE OF u
"""
_SEEN = "UPDATE users SET last_login_at = $2 WHERE id = $1"
_REHASHED = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2"


class Attempt(NamedTuple):
    """What somebody who wants in has shown. ``device`` is the mark its browser got when it was let in before, or ""."""

    login: str
    password: str
    code: str | None
    recovery_code: str | None
    remote: str
    device: str
    user_agent: str
    request_id: str


class SignedIn(NamedTuple):
    """Who is in. ``device`` is the mark to give to the browser, which keeps it beyond the session."""

    session: Session
    cookie: str
    csrf_token: str
    device: str
    user: UUID
    company: UUID
    login: str
    role: str


class SigningIn:
    """Lets people in."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        clock: Clock,
        *,
        passwords: Passwords,
        throttle: Throttle,
        factors: SecondFactors,
        sessions: Sessions,
        key: ServerKey,
        audit: Audit,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._passwords = passwords
        self._throttle = throttle
        self._factors = factors
        self._sessions = sessions
        self._key = key
        self._audit = audit
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def sign_in(self, attempt: Attempt) -> SignedIn:
        """Begin a session for whom the attempt proves to be here.

        Raises CallerError 401 ``sign-in-failed``, ``code-required``, ``code-wrong``, ``recovery-code-wrong``; 429
        ``too-many-attempts``; Unavailable, ``busy`` where too many wait.
        """
        if self._waiting >= _MOST_WAITING:
            raise Unavailable("busy", "Too many people sign in at the moment. Try again shortly.")
        self._waiting += 1
        try:
            async with self._turns:
                return await self._judge(attempt)
        finally:
            self._waiting -= 1

    async def _judge(self, attempt: Attempt) -> SignedIn:
        place = Place.of(attempt.remote, attempt.device)
        account = folded(attempt.login)
        with translated():
            row = await self._pool.fetchrow(_LOAD, account, place.known_by)
        known = [] if row is None else row["known"]
        counted = counters("sign-in", account, place, known)
        kept = row["password_hash"] if row is not None and row["welcome"] else None
        try:
            async with self._throttle.judging(counted):
                right = await self._passwords.verify(kept, attempt.password)
        except CallerError:
            SIGN_INS.labels("throttled").inc()
            raise
        if row is None or kept is None or not right:
            SIGN_INS.labels("refused").inc()
            raise _failed()
        device = attempt.device if place.device in known else secrets.token_urlsafe(32)
        try:
            begun = await self._let_in(attempt, row, counted, Place.of(attempt.remote, device))
        except CallerError as error:
            SIGN_INS.labels("refused").inc()
            if error.code == "code-required":  # the password was right, and nothing was guessed at
                await self._throttle.undo(counted)
            raise
        SIGN_INS.labels("let in").inc()
        if self._passwords.outdated(kept):
            await self._hash_again(row["id"], kept, attempt.password)
        token = self._key.csrf_token(begun.session.id)
        return SignedIn(
            begun.session, begun.cookie, token, device, row["id"], row["company"], row["login"], row["role"]
        )

    async def _let_in(self, attempt: Attempt, row: Row, counted: Any, place: Place) -> Begun:
        """The second factor spent, the session begun, the throttle told: all of it or nothing."""
        user, company = row["id"], row["company"]
        async with transaction(self._pool) as connection:
            # Whoever changed the password or sent the user away meanwhile has ended the sessions there were.
            if await connection.fetchval(_STILL, user, row["password_hash"]) is None:
                raise _failed()
            actor = Actor(row["login"], company, user, None, None, attempt.remote, attempt.request_id)
            await self._factors.demand_within(connection, actor, user, attempt.code, attempt.recovery_code)
            begun = await self._sessions.begin_within(connection, user, attempt.remote, attempt.user_agent)
            await self._throttle.forgive_within(connection, counted)
            await self._throttle.remember_within(connection, user, place)
            await connection.execute(_SEEN, user, timestamp_of(self._clock.now_ms()))
            actor = actor._replace(session=begun.session.id)
            change = Change("session.create", str(begun.session.id), company, after=shown(begun.session))
            await self._audit.record_within(connection, actor, change)
        return begun

    async def _hash_again(self, user: UUID, kept: str, password: str) -> None:
        """Keep the password by today's settings, now that it is at hand."""
        fresh = await self._passwords.hash(password)
        with translated():
            await self._pool.execute(_REHASHED, user, kept, fresh)


def _failed() -> CallerError:
    return unauthenticated("sign-in-failed", "The login or the password is wrong.")
