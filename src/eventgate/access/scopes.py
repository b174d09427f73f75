"""What an API key may do: the scopes, and the roles that bundle them.

Pure. The names are the wire's.
"""

from collections.abc import Container

SCOPES = (
    "events:write",
    "alerts:read",
    "inventory:read",
    "edges:read",
    "edges:manage",
    "sinks:read",
    "sinks:manage",
    "keys:manage",
    "users:manage",
    "audit:read",
)
"""Every scope there is, in the order in which they are shown."""

READ_SCOPES = frozenset(scope for scope in SCOPES if scope.endswith(":read"))

ROLES: dict[str, frozenset[str]] = {
    "operator": frozenset(SCOPES),
    "admin": frozenset(SCOPES),
    "analyst": READ_SCOPES - {"audit:read"},
    "sensor": frozenset({"events:write"}),
}
"""What each role may do at most. An operator may do the same as an admin, in every company's configuration besides."""


def in_order(scopes: Container[str]) -> list[str]:
    """Those of our scopes, each once, in the order in which they are shown."""
    return [scope for scope in SCOPES if scope in scopes]
