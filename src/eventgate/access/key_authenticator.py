"""Turns an auth key into a Principal, from memory while it is fresh.

Touches PostgreSQL (companies, users, api_keys, verify_keys) on a miss. A cached answer lives for seconds and falls at
once when PostgreSQL tells of a change.
"""

import asyncio
import hashlib
import hmac
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple
from weakref import WeakValueDictionary

import asyncpg

from eventgate.access.asked import Asked
from eventgate.access.credentials import unauthenticated
from eventgate.access.principal import Principal
from eventgate.access.scopes import ROLES
from eventgate.clock import Clock
from eventgate.db.pool import Row, translated
from eventgate.errors import CallerError
from eventgate.signing.authkey import AuthKey, ParsedAuthKey
from eventgate.signing.keys import load_verify_key

LIFETIME_SECONDS = 5.0
"""How long a revoked key may live on in a process that does not hear the notification."""

_MOST_CACHED = 10_000

_LOAD = """
SELECT k.id, k.company, k.user_id, k.hash, k.scopes, k.edge, k.registers_edges, k.whitelisted_ips, k.rate_limit,
       k.api_version::text,
       (extract(epoch FROM k.expires_at) * 1000)::bigint AS expires_ms,
       k.deleted_at IS NOT NULL OR u.deleted_at IS NOT NULL OR u.deactivated_at IS NOT NULL
           OR c.retired_at IS NOT NULL AS revoked,
       u.role, u.login, c.id_secret, c.rate_limit AS company_rate_limit,
       ARRAY(SELECT v.id FROM verify_keys v WHERE v.key = k.id AND v.deleted_at IS NULL ORDER BY v.id) AS verify_ids,
       ARRAY(SELECT v.spki FROM verify_keys v WHERE v.key = k.id AND v.deleted_at IS NULL ORDER BY v.id) AS verify_keys
FROM api_keys k JOIN users u ON u.id = k.user_id JOIN companies c ON c.id = k.company
WHERE k.public_id = $1
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
        self._entries: dict[bytes, _Entry] = {}
        self._loads: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()
        self._changes = 0

    def forget(self, _payload: str = "") -> None:
        """Drop everything remembered: something changed. What is being loaded right now will not be remembered."""
        self._entries.clear()
        self._changes += 1

    def remembered(self, asked: Asked, text: str) -> Principal | None:
        """Who that is where memory tells, at once; None where the database must be asked.

        Raises as ``authenticate`` does.
        """
        entry = self._entries.get(_slot(text))
        if entry is None or entry.fresh_until < self._clock.monotonic():
            return None
        return self._admit(entry, asked)

    async def authenticate(self, asked: Asked, text: str) -> Principal:
        """Say whose auth key that is.

        Raises CallerError 401 or 403 (docs/status-codes.md), Unavailable when the database is away.
        """
        return self._admit(await self._load(_slot(text), _parse(text)), asked)

    def _admit(self, entry: _Entry, asked: Asked) -> Principal:
        if entry.expires_ms is not None and entry.expires_ms <= self._clock.now_ms():
            raise unauthenticated("key-expired", "This API key has expired; make a new one.")
        if entry.principal.networks is not None:
            _check_address(entry.principal, asked.remote)
        return entry.principal

    async def _load(self, slot: bytes, parsed: ParsedAuthKey) -> _Entry:
        """Load a key once, however many requests wait for it."""
        async with self._loads.setdefault(slot, asyncio.Lock()):
            entry = self._entries.get(slot)
            if entry is not None and entry.fresh_until >= self._clock.monotonic():
                return entry
            changes = self._changes
            entry = await self._query(parsed)
            if changes == self._changes:
                while len(self._entries) >= _MOST_CACHED:
                    del self._entries[next(iter(self._entries))]
                self._entries[slot] = entry
            return entry

    async def _query(self, parsed: ParsedAuthKey) -> _Entry:
        with translated():
            row = await self._pool.fetchrow(_LOAD, parsed.public_id)
        if row is None or not hmac.compare_digest(row["hash"], parsed.hash):
            raise unauthenticated("key-unknown", "This EventGate does not know the auth key.")
        if row["revoked"]:
            raise unauthenticated("key-revoked", "This API key was revoked; make a new one.")
        return _Entry(_principal(row), row["expires_ms"], self._clock.monotonic() + LIFETIME_SECONDS)


def _slot(text: str) -> bytes:
    """Under what an auth key is remembered: not under itself, so that memory holds no secret."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


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
