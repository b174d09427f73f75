"""Turns an auth key into a Principal, from memory while it is fresh.

Touches PostgreSQL (companies, users, api_keys, verify_keys) on a miss, in two lanes: keys that were good wait for
nobody but one another; strangers prove themselves first, at the same cost whether a key is unknown or wrong.
"""

import hmac
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

import asyncpg

from eventgate.access.asked import Asked
from eventgate.access.credentials import unauthenticated
from eventgate.access.lane import Lane
from eventgate.access.memory import LIFETIME_SECONDS, Memory, slot_of
from eventgate.access.principal import Principal
from eventgate.access.scopes import ROLES
from eventgate.clock import Clock
from eventgate.db.pool import Row, fetch_within
from eventgate.errors import CallerError
from eventgate.signing.authkey import AuthKey, ParsedAuthKey
from eventgate.signing.keys import load_verify_key

MOST_STRANGERS = 500
"""Keys that nobody has proved yet and that may wait; whoever comes then is answered 503 ``busy``."""

_SECONDS = 3.0
"""How long the database may take to answer."""

_TOGETHER = 100  # principals are made on the loop, some 50 µs each
_MOST_KNOWN = 20_000
_NOBODY = bytes(32)

_PROVE = "SELECT public_id, hash FROM api_keys WHERE public_id = ANY($1::text[])"

_LOAD = """
SELECT k.public_id, k.id, k.company, k.user_id, k.hash, k.scopes, k.edge, k.registers_edges, k.whitelisted_ips,
       k.rate_limit, k.api_version::text,
       (extract(epoch FROM k.expires_at) * 1000)::bigint AS expires_ms,
       k.deleted_at IS NOT NULL OR u.deleted_at IS NOT NULL OR u.deactivated_at IS NOT NULL
           OR c.retired_at IS NOT NULL AS revoked,
       u.role, u.login, c.id_secret, c.rate_limit AS company_rate_limit,
       ARRAY(SELECT v.id FROM verify_keys v WHERE v.key = k.id AND v.deleted_at IS NULL ORDER BY v.id) AS verify_ids,
       ARRAY(SELECT v.spki FROM verify_keys v WHERE v.key = k.id AND v.deleted_at IS NULL ORDER BY v.id) AS verify_keys
FROM api_keys k JOIN users u ON u.id = k.user_id JOIN companies c ON c.id = k.company
WHERE k.public_id = ANY($1::text[])
"""


class _Entry(NamedTuple):
    principal: Principal
    expires_ms: int | None
    fresh_until: float


class KeyAuthenticator:
    """Answers who is asking with an auth key. One in each process."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._memory: Memory[_Entry] = Memory(clock)
        self._known: dict[bytes, None] = {}
        self._strangers = Lane(self._prove, together=MOST_STRANGERS, most=MOST_STRANGERS)
        self._acquainted = Lane(self._load, together=_TOGETHER, most=_MOST_KNOWN)

    def forget(self, payload: str = "") -> None:
        """Drop what is remembered of what ``payload`` names; what is being loaded will not be remembered either."""
        self._memory.forget(payload)

    def remembered(self, asked: Asked, text: str) -> Principal | None:
        """Who that is where memory tells, at once; None where the database must be asked.

        Raises as ``authenticate`` does.
        """
        entry = self._memory.fresh(slot_of(text))
        return None if entry is None else self._admit(entry, asked)

    async def authenticate(self, asked: Asked, text: str) -> Principal:
        """Say whose auth key that is.

        Raises CallerError 401 or 403 (docs/status-codes.md), Unavailable when the database is away.
        """
        parsed = _parse(text)
        if parsed.hash not in self._known:
            shown = await self._strangers.ask(parsed.public_id)
            if not hmac.compare_digest(shown or _NOBODY, parsed.hash):
                raise unauthenticated("key-unknown", "This EventGate does not know the auth key.")
            while len(self._known) >= _MOST_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[parsed.hash] = None
        entry = await self._acquainted.ask(parsed)
        if entry is None:
            self._known.pop(parsed.hash, None)
            raise unauthenticated("key-revoked", "This API key was revoked; make a new one.")
        return self._admit(entry, asked)

    def _admit(self, entry: _Entry, asked: Asked) -> Principal:
        if entry.expires_ms is not None and entry.expires_ms <= self._clock.now_ms():
            raise unauthenticated("key-expired", "This API key has expired; make a new one.")
        if entry.principal.networks is not None:
            _check_address(entry.principal, asked.remote)
        return entry.principal

    async def _prove(self, public_ids: Sequence[str]) -> dict[str, bytes]:
        rows = await fetch_within(self._pool, _SECONDS, _PROVE, public_ids)
        return {row["public_id"]: row["hash"] for row in rows}

    async def _load(self, keys: Sequence[ParsedAuthKey]) -> dict[ParsedAuthKey, _Entry]:
        """Those of the keys that are still good; they are remembered."""
        fresh_until = self._clock.monotonic() + LIFETIME_SECONDS
        with self._memory.loading() as heard:
            rows = await fetch_within(self._pool, _SECONDS, _LOAD, [key.public_id for key in keys])
            by_public_id = {row["public_id"]: row for row in rows if not row["revoked"]}
            found = {}
            for key in keys:
                row = by_public_id.get(key.public_id)
                if row is None or not hmac.compare_digest(row["hash"], key.hash):
                    self._memory.drop(key.hash)
                else:
                    found[key] = _Entry(_principal(row), row["expires_ms"], fresh_until)
                    self._memory.remember(key.hash, found[key], heard)
        return found


def _parse(text: str) -> ParsedAuthKey:
    try:
        return AuthKey.parse(text)
    except CallerError as error:
        raise unauthenticated(error.code, error.detail) from None


def _principal(row: Row) -> Principal:
    allowed = row["whitelisted_ips"]
    return Principal(
        company=row["company"],
        user=row["user_id"],
        key=row["id"],
        scopes=_scopes(row),
        name=row["login"],
        api_version=row["api_version"],
        edge=row["edge"],
        operator=row["role"] == "operator",
        verify_keys={
            str(key_id): load_verify_key(spki, str(key_id))
            for key_id, spki in zip(row["verify_ids"], row["verify_keys"], strict=True)
        },
        id_secret=row["id_secret"],
        networks=None if allowed is None else tuple(ip_network(text, strict=False) for text in allowed),
        rate_limit=row["rate_limit"],
        company_rate_limit=row["company_rate_limit"],
        registers_sensors=row["registers_edges"],
    )


def _scopes(row: Row) -> frozenset[str]:
    """Never more than the user's role; a key bound to a sensor reads and writes, and manages nothing."""
    scopes = frozenset(row["scopes"]) & ROLES[row["role"]]
    return scopes if row["edge"] is None else frozenset(scope for scope in scopes if not scope.endswith(":manage"))


def _check_address(principal: Principal, remote: str) -> None:
    try:
        address = ip_address(remote)
    except ValueError:  # no address to compare (a Unix socket): not one of those listed
        address = None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address is None or not any(address in network for network in principal.networks or ()):
        raise CallerError(
            403,
            "address-not-allowed",
            f"This API key may not be used from {remote or 'an unknown address'}; see its whitelistedIPs.",
        )
