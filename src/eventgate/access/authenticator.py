"""Turns a request's credential into a Principal: finds it, and asks the one authenticator of its kind.

Touches nothing itself. One in each process; wire ``forget`` to the channel ``CHANNEL``.
"""

from collections.abc import Callable
from typing import Protocol

from eventgate.access.asked import Asked
from eventgate.access.credentials import Kind, find_credential, unauthenticated
from eventgate.access.keys.authenticator import KeyAuthenticator
from eventgate.access.principal import Principal

CHANNEL = "eventgate_access"
"""On which PostgreSQL tells of a change of who may do what; what its payloads name, the triggers say."""


class OfItsKind(Protocol):
    """Answers who is asking with one kind of credential."""

    async def authenticate(self, asked: Asked, text: str) -> Principal:
        """Raise CallerError (docs/status-codes.md), or Unavailable when the database is away."""
        ...

    def forget(self, payload: str = "", /) -> None:
        """Drop what is remembered of what ``payload`` names; everything where it is empty."""
        ...


class Authenticator:
    """``tokens`` and ``sessions`` are None where this EventGate trusts no issuer, and where nobody can sign in.

    ``used`` is called with each principal that was let in, on the event loop: it must return at once.
    """

    def __init__(
        self,
        keys: KeyAuthenticator,
        *,
        tokens: OfItsKind | None = None,
        sessions: OfItsKind | None = None,
        used: Callable[[Principal], None] | None = None,
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._sessions = sessions
        self._used = used

    def forget(self, payload: str = "") -> None:
        """Hear that something changed: what ``payload`` names, or anything where it is empty."""
        for each in (self._keys, self._tokens, self._sessions):
            if each is not None:
                each.forget(payload)

    async def authenticate(self, asked: Asked) -> Principal:
        """Say who is asking.

        Raises CallerError 401, 400 or 403 (docs/status-codes.md), Unavailable when the database is away.
        A hot auth key costs neither a query nor a turn of the loop.
        """
        kind, text = find_credential(asked)
        if kind is Kind.AUTH_KEY:
            principal = self._keys.remembered(asked, text) or await self._keys.authenticate(asked, text)
        elif kind is Kind.TOKEN:
            if self._tokens is None:
                raise unauthenticated(
                    "token-issuer-unknown", "This looks like a JWT, and this EventGate trusts no token issuer."
                )
            principal = await self._tokens.authenticate(asked, text)
        else:
            if self._sessions is None:
                raise unauthenticated(
                    "credentials-missing", "Nobody signs in here: send an auth key as Authorization: Bearer egk_…."
                )
            principal = await self._sessions.authenticate(asked, text)
        if self._used is not None:
            self._used(principal)
        return principal
