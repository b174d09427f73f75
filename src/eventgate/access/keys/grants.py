"""How strong a key may be: never stronger than who makes or changes it, nor than its user's role.

Touches PostgreSQL, to read when the caller's own key expires.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from eventgate.access.keys.whitelist import networks, within
from eventgate.access.principal import Principal
from eventgate.access.scopes import READ_SCOPES, ROLES, in_order
from eventgate.errors import CallerError, FieldError

_BOUNDS = {"whitelisted_ips": "/whitelistedIPs", "expires_at": "/expiresAt", "rate_limit": "/rateLimit"}


class Grantor(NamedTuple):
    """Who makes or changes a key. ``expires_at`` is that of the key it came with, None where it has no end."""

    principal: Principal
    expires_at: datetime | None


async def grantor(connection: Any, principal: Principal) -> Grantor:
    if principal.key is None:
        return Grantor(principal, None)
    return Grantor(principal, await connection.fetchval("SELECT expires_at FROM api_keys WHERE id = $1", principal.key))


def with_defaults(by: Grantor, role: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A new key as its maker gets it who says nothing more: reads what both may read, bounded as the maker itself."""
    principal = by.principal
    own = principal.networks
    return {
        "description": None,
        "whitelisted_ips": None if own is None else [str(network) for network in own],
        "scopes": in_order(READ_SCOPES & principal.scopes & ROLES[role]),
        "edge": None,
        "registers_edges": False,
        "expires_at": by.expires_at,
        "rate_limit": principal.rate_limit,
        **wanted,
    }


def check_grant(by: Grantor, role: str, wanted: Mapping[str, Any], key: Mapping[str, Any], now: datetime) -> None:
    """Hold what is wanted (``wanted``) of a key that will then be ``key``, both by column, against its bounds.

    Raises CallerError 403 ``key-too-strong`` for more than the caller has itself, or 422 for what no key of this user
    can be; either with everything that is wrong.
    """
    if stronger := [FieldError(pointer, "key-too-strong", detail) for pointer, detail in _stronger(by, wanted, key)]:
        detail = "A key is never stronger than who makes or changes it. " + " ".join(each.detail for each in stronger)
        raise CallerError(403, "key-too-strong", detail, stronger)
    problems = []
    if "scopes" in wanted and (beyond := set(wanted["scopes"]) - ROLES[role]):
        detail = f"The key's user has the role {role}, which does not include {' '.join(in_order(beyond))}."
        problems.append(FieldError("/scopes", "scope-beyond-role", detail))
    touched = {"edge", "scopes"} & wanted.keys()
    if (
        touched
        and key["edge"] is not None
        and (managing := [scope for scope in key["scopes"] if scope.endswith(":manage")])
    ):
        detail = f"A key bound to a sensor manages nothing; leave out {' '.join(managing)}, or edgeId."
        problems.append(FieldError("/scopes", "scope-not-for-bound-key", detail))
    if wanted.get("expires_at") is not None and wanted["expires_at"] <= now:
        problems.append(FieldError("/expiresAt", "body-invalid", "/expiresAt: expected a time that is still to come."))
    if problems:
        raise CallerError(422, problems[0].code, " ".join(each.detail for each in problems), problems)


def _stronger(by: Grantor, wanted: Mapping[str, Any], key: Mapping[str, Any]) -> list[tuple[str, str]]:
    principal = by.principal
    found = []
    if beyond := set(wanted.get("scopes", ())) - principal.scopes:
        found.append(("/scopes", f"You do not have {' '.join(in_order(beyond))} yourself."))
    if "edge" in wanted and "events:write" in set(key["scopes"]) - principal.scopes:
        found.append(
            ("/edgeId", "You do not have events:write yourself, so you cannot say for which sensor a key writes.")
        )
    if wanted.get("registers_edges") and not ("edges:manage" in principal.scopes or principal.registers_sensors):
        found.append(("/registersEdges", "You may not register sensors yourself; that needs edges:manage."))
    if beyond := set(key["scopes"]) - principal.scopes - set(wanted.get("scopes", ())):
        for column, pointer in _BOUNDS.items():
            if column in wanted:
                found.append(
                    (pointer, f"You do not have {' '.join(in_order(beyond))} yourself: leave that key's bounds.")
                )
    own = principal.networks
    if own is not None and "whitelisted_ips" in wanted:
        asked = wanted["whitelisted_ips"]
        if asked is None or not within(networks(asked), own):
            found.append(("/whitelistedIPs", "Your own key may be used from fewer addresses than these."))
    if by.expires_at is not None and "expires_at" in wanted:
        asked = wanted["expires_at"]
        if asked is None or asked > by.expires_at:
            found.append(("/expiresAt", "Your own key expires earlier."))
    if principal.rate_limit is not None and "rate_limit" in wanted:
        asked = wanted["rate_limit"]
        if asked is None or asked > principal.rate_limit:
            found.append(("/rateLimit", f"Your own key may send {principal.rate_limit} requests a second at most."))
    return found
