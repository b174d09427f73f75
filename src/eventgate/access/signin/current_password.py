"""Asks a person who is signed in for the password once more, before something that a stolen session must not do.

Touches PostgreSQL (users) and the threads that check passwords; wrong ones count with the throttle, a session each.
"""

import hashlib
from uuid import UUID

import asyncpg

from eventgate.access.people.passwords import Passwords
from eventgate.access.principal import Principal
from eventgate.access.signin.throttle import Place, Throttle, counters
from eventgate.db.pool import translated
from eventgate.errors import CallerError

_LOAD = "SELECT password_hash FROM users WHERE id = $1 AND deleted_at IS NULL"


class CurrentPassword:
    """The one question."""

    def __init__(self, pool: asyncpg.Pool, passwords: Passwords, throttle: Throttle) -> None:
        self._pool = pool
        self._passwords = passwords
        self._throttle = throttle

    async def demand(self, principal: Principal, password: str | None, remote: str, pointer: str = "/password") -> None:
        """Return where ``password`` is that of the principal's user.

        Raises CallerError 403 ``password-required``, ``password-wrong``; 429 ``too-many-attempts``; Unavailable.
        ``pointer`` is its place in the body.
        """
        assert principal.user is not None, "a person is asked, not a token"
        if password is None:
            raise CallerError.of_field(403, "password-required", "This needs your current password as well.", pointer)
        whence = principal.session or principal.key
        device = hashlib.sha256(b"" if whence is None else whence.bytes).digest()
        place = Place(Place.of(remote).address, device)
        counted = counters("password", str(principal.user), place, [device])
        async with self._throttle.judging(counted):
            right = await self._matches(principal.user, password)
        if not right:
            raise CallerError.of_field(403, "password-wrong", "This is not your current password.", pointer)
        await self._throttle.forgive(counted)

    async def _matches(self, user: UUID, password: str) -> bool:
        with translated():
            kept = await self._pool.fetchval(_LOAD, user)
        return await self._passwords.verify(kept, password)
