"""Turns a session's cookie into a Principal, from memory while it is fresh, and demands proof that a page of ours asks.

Touches PostgreSQL (sessions, users, companies) on a miss, by one query at a time for all who wait. A browser sends its
cookie whoever made it ask; what changes something must therefore carry the session's CSRF token, which other sites
cannot read, and must not come from one.
"""

import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from eventgate.access.asked import Asked
from eventgate.access.credentials import unauthenticated
from eventgate.access.lane import Lane
from eventgate.access.memory import LIFETIME_SECONDS, Memory
from eventgate.access.principal import Principal
from eventgate.access.scopes import ROLES
from eventgate.access.sessions.last_used import SessionUse
from eventgate.access.sessions.server_key import ServerKey
from eventgate.access.sessions.sessions import Lifetime, hash_of
from eventgate.clock import Clock
from eventgate.db.pool import Row, fetch_within
from eventgate.errors import CallerError
from eventgate.journal.times import ms_of

CSRF_HEADER = "X-CSRF-Token"
_SECONDS = 5.0
"""How long the database may take to answer."""

_TOGETHER, _MOST_WAITING = 100, 500
_SAFE = ("GET", "HEAD")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}

_LOAD = """
SELECT s.hash, s.id, s.user_id, s.last_used_at, s.expires_at, u.company, u.login, u.role, c.id_secret, c.rate_limit
FROM sessions s JOIN users u ON u.id = s.user_id JOIN companies c ON c.id = u.company
WHERE s.hash = ANY($1::bytea[]) AND u.deleted_at IS NULL AND u.deactivated_at IS NULL AND c.retired_at IS NULL
"""


class _Entry(NamedTuple):
    principal: Principal
    session: UUID
    csrf_token: str
    used_ms: int
    ends_ms: int
    fresh_until: float


class SessionAuthenticator:
    """Answers who is asking with a cookie. One in each process; wire ``forget`` to the channel of changes."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, key: ServerKey, use: SessionUse, lifetime: Lifetime) -> None:
        self._pool = pool
        self._clock = clock
        self._key = key
        self._use = use
        self._idle_ms = lifetime.idle // timedelta(milliseconds=1)
        self._memory: Memory[_Entry] = Memory(clock)
        self._lane = Lane(self._load, together=_TOGETHER, most=_MOST_WAITING)

    def forget(self, payload: str = "", /) -> None:
        """Drop what is remembered of what ``payload`` names."""
        self._memory.forget(payload)

    async def authenticate(self, asked: Asked, text: str) -> Principal:
        """Say who is asking; ``text`` is the cookie's value.

        Raises CallerError 401 ``session-unknown``; 403 ``origin-foreign``, ``csrf-token-missing``,
        ``csrf-token-wrong``; Unavailable when the database is away.
        """
        slot = hash_of(text)
        entry = self._memory.fresh(slot) or await self._lane.ask(slot)
        if entry is None:
            raise _unknown()
        now = self._clock.now_ms()
        used = max(entry.used_ms, self._use.last(entry.session))
        if entry.ends_ms <= now or used + self._idle_ms <= now:
            raise _unknown()
        if asked.method not in _SAFE:
            check_origin(asked)
            _check_token(asked, entry.csrf_token)
        self._use.note(entry.session, now)
        return entry.principal

    async def _load(self, slots: Sequence[bytes]) -> dict[bytes, _Entry]:
        """Those of the sessions that there are; they are remembered."""
        fresh_until = self._clock.monotonic() + LIFETIME_SECONDS
        with self._memory.loading() as heard:
            rows = await fetch_within(self._pool, _SECONDS, _LOAD, slots)
            found = {}
            for row in rows:
                found[row["hash"]] = _Entry(
                    _principal(row),
                    row["id"],
                    self._key.csrf_token(row["id"]),
                    ms_of(row["last_used_at"]),
                    ms_of(row["expires_at"]),
                    fresh_until,
                )
                self._memory.remember(row["hash"], found[row["hash"]], heard)
        return found


def check_origin(asked: Asked) -> None:
    """Raise CallerError 403 ``origin-foreign`` where the browser says that another site's page made it ask.

    ``Origin`` is compared with the address under which the caller sees us; where a browser leaves it out,
    ``Sec-Fetch-Site`` (W3C Fetch Metadata) decides, and where it sends neither, the token alone.
    """
    origins = set(asked.headers.getall("Origin", []))
    sites = set(asked.headers.getall("Sec-Fetch-Site", []))
    ours = not origins or {_canonical(origin) for origin in origins} == {_canonical(asked.origin)}
    if not ours or (not origins and not sites <= {"same-origin", "none"}):
        raise CallerError(
            403, "origin-foreign", f"This request was made by a page of another site than {asked.origin}."
        )


def _check_token(asked: Asked, expected: str) -> None:
    sent = list(asked.headers.getall(CSRF_HEADER, []))
    if not sent:
        raise CallerError(
            403,
            "csrf-token-missing",
            f"Send the session's csrfToken as {CSRF_HEADER} with every request but GET and HEAD.",
        )
    if len(sent) > 1 or not hmac.compare_digest(sent[0].encode("utf-8", "surrogateescape"), expected.encode()):
        raise CallerError(403, "csrf-token-wrong", f"{CSRF_HEADER} is not the csrfToken of this session.")


def _canonical(origin: str) -> str:
    """Browsers leave a scheme's own port out (RFC 6454, section 6.2)."""
    scheme, _, _ = origin.lower().partition("://")
    return origin.lower().removesuffix(_DEFAULT_PORTS.get(scheme, ":"))


def _principal(row: Row) -> Principal:
    return Principal(
        company=row["company"],
        user=row["user_id"],
        key=None,
        session=row["id"],
        scopes=ROLES[row["role"]],
        name=row["login"],
        operator=row["role"] == "operator",
        id_secret=row["id_secret"],
        company_rate_limit=row["rate_limit"],
    )


def _unknown() -> CallerError:
    return unauthenticated("session-unknown", "This session has ended or was never begun; sign in again.")
