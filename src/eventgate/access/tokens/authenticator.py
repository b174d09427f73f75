"""Turns a token of a trusted issuer into a Principal, from memory while it is fresh.

Touches PostgreSQL (reads companies and users) on a miss, and the issuer where its keys are needed.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import asyncpg

from eventgate.access.asked import Asked
from eventgate.access.credentials import unauthenticated
from eventgate.access.memory import LIFETIME_SECONDS, Memory, slot_of
from eventgate.access.principal import Principal
from eventgate.access.scopes import ROLES, SCOPES
from eventgate.access.tokens.check import Checked, Trusted, check_token
from eventgate.access.tokens.issuer import Issuer
from eventgate.clock import Clock
from eventgate.db.pool import Row, fetch_within

_SECONDS = 3.0
"""How long the database may take to answer."""

# A login is one user's among those that are not deleted; of those that are, the last one tells.
_LOAD = """
SELECT c.id, c.id_secret, c.rate_limit, c.retired_at IS NOT NULL AS retired, u.id AS user_id, u.login, u.role,
       u.deleted_at IS NOT NULL OR u.deactivated_at IS NOT NULL AS user_revoked
FROM companies c LEFT JOIN LATERAL (
    SELECT * FROM users u WHERE u.company = c.id AND (lower(u.login) = lower($2) OR lower(u.email) = lower($2))
    ORDER BY u.deleted_at DESC NULLS FIRST, lower(u.login) = lower($2) DESC, u.id LIMIT 1
) u ON true
WHERE c.id::text = lower($1) OR c.name = $1
LIMIT 2
"""


class _Entry(NamedTuple):
    principal: Principal
    expires: float
    fresh_until: float


class TokenAuthenticator:
    """Answers who is asking with a token. One in each process."""

    def __init__(self, trusted: Iterable[Trusted], pool: asyncpg.Pool, clock: Clock) -> None:
        self._trusted = {each.issuer.url: each for each in trusted}
        self._pool = pool
        self._clock = clock
        self._memory: Memory[_Entry] = Memory(clock)

    def forget(self, payload: str = "") -> None:
        """Drop what is remembered of what ``payload`` names."""
        self._memory.forget(payload)

    async def authenticate(self, _asked: Asked, text: str) -> Principal:
        """Say whom the token stands for.

        Raises CallerError 401 (docs/status-codes.md), Unavailable when the database, or an issuer that must be asked,
        is away.
        """
        slot = slot_of(text)
        now = self._clock.now_ms() / 1000
        entry = self._memory.fresh(slot)
        if entry is None or entry.expires <= now:
            with self._memory.loading() as heard:
                entry = await self._load(await check_token(text, self._trusted, now))
                self._memory.remember(slot, entry, heard)
        return entry.principal

    async def _load(self, checked: Checked) -> _Entry:
        issuer, claims = checked.issuer, checked.claims
        company = _claim(claims, issuer.company_claim) if issuer.company_claim else issuer.company
        begun = self._clock.monotonic()
        rows = await fetch_within(self._pool, _SECONDS, _LOAD, _text(company), _user(checked))
        if len(rows) != 1 or rows[0]["retired"]:
            raise unauthenticated(
                "token-company-unknown", "The token's company is not one of this EventGate's.", error="invalid_token"
            )
        if rows[0]["user_id"] is None and _names_a_user(checked):
            # Not one without a user: no role would bound it then, and whoever renames itself would slip out of its own.
            raise unauthenticated("token-user-unknown", "The token's user is nobody here.", error="invalid_token")
        if rows[0]["user_revoked"]:
            raise unauthenticated(
                "token-user-revoked", "The token's user is no longer let in here.", error="invalid_token"
            )
        return _Entry(_principal(checked, rows[0]), checked.expires, begun + LIFETIME_SECONDS)


def _principal(checked: Checked, row: Row) -> Principal:
    scopes = frozenset(_scopes(checked.claims, checked.issuer))
    subject = _text(checked.claims.get("sub")) or _text(checked.claims.get("client_id")) or "somebody"
    return Principal(
        company=row["id"],
        user=row["user_id"],
        key=None,
        scopes=scopes if row["role"] is None else scopes & ROLES[row["role"]],
        name=row["login"] or f"{subject[:200]} of {checked.issuer.url}",
        operator=row["role"] == "operator",
        id_secret=row["id_secret"],
        company_rate_limit=row["rate_limit"],
    )


def _names_a_user(checked: Checked) -> bool:
    """Whether the token is a person's: what stands for a program has no such claim."""
    named = checked.issuer.user_claim
    return bool(named) and _claim(checked.claims, named) is not None


def _user(checked: Checked) -> str | None:
    """The login or address of mail that the token's user goes by; an address that nobody verified is nobody's."""
    named, claims = checked.issuer.user_claim, checked.claims
    if not named or (named == "email" and claims.get("email_verified") is False):
        return None
    return _text(_claim(claims, named)) or None


def _scopes(claims: Mapping[str, Any], issuer: Issuer) -> Iterable[str]:
    """Ours that the token's stand for: a string of words (RFC 8693, section 4.2) or an array of strings."""
    told = _claim(claims, issuer.scopes_claim)
    words = told.split() if isinstance(told, str) else told if isinstance(told, list) else ()
    for word in words:
        if isinstance(word, str):
            yield from (scope for scope in issuer.scopes.get(word, (word,)) if scope in SCOPES)


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of that name, or else the one that its dots lead to, as in ``realm_access.roles``."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str:
    """For PostgreSQL, which holds no U+0000; left out, it would make another's name of one that has it."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else ""
