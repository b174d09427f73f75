"""An API key as it is stored, and as it is shown: never with its secret.

Pure, but for the names of the columns it is read from.
"""

from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from eventgate.access.versions import DOWNGRADE_HOURS
from eventgate.db.pool import Row
from eventgate.journal.times import rfc3339_of

COLUMNS = f"""
    k.id, k.company, k.user_id, k.public_id, k.whitelisted_ips, k.description, k.scopes, k.edge, k.registers_edges,
    k.rate_limit, k.api_version::text, k.api_version_updated_at,
    coalesce(k.api_version_downgrade_not_allowed_after, k.created_at + interval '{DOWNGRADE_HOURS} hours') AS until,
    k.created_at, k.updated_at, k.expires_at, k.last_used_at, k.deleted_at
"""
"""In the order of the fields below, of ``api_keys k``."""


class ApiKey(NamedTuple):
    """One API key. ``edge`` is the sensor it writes for, None for any; ``rate_limit`` is in requests a second.

    ``until`` is the end of the window for going back to an older version of the interface.
    """

    id: UUID
    company: UUID
    user: UUID
    public_id: str
    whitelisted_ips: list[str] | None
    description: str | None
    scopes: list[str]
    edge: UUID | None
    registers_edges: bool
    rate_limit: int | None
    api_version: str
    api_version_updated_at: datetime | None
    until: datetime
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    deleted_at: datetime | None

    @classmethod
    def of(cls, row: Row) -> Self:
        """From a row of ``COLUMNS``."""
        return cls(*row.values())

    @property
    def active(self) -> bool:
        return self.deleted_at is None

    def shown(self) -> dict[str, Any]:
        """The members that the API shows and the audit log keeps: of the auth key its beginning, and dots."""
        return {
            "id": str(self.id),
            "companyId": str(self.company),
            "userId": str(self.user),
            "key": f"egk_{self.public_id}...",
            "whitelistedIPs": self.whitelisted_ips,
            "status": "active" if self.active else "inactive",
            "description": self.description,
            "createdAt": rfc3339_of(self.created_at),
            "updatedAt": rfc3339_of(self.updated_at),
            "deletedAt": rfc3339_of(self.deleted_at),
            "apiVersion": self.api_version,
            "apiVersionUpdatedAt": rfc3339_of(self.api_version_updated_at),
            "apiVersionDowngradeNotAllowedAfter": rfc3339_of(self.until),
            "scopes": self.scopes,
            "edgeId": None if self.edge is None else str(self.edge),
            "registersEdges": self.registers_edges,
            "expiresAt": rfc3339_of(self.expires_at),
            "rateLimit": self.rate_limit,
            "lastUsedAt": rfc3339_of(self.last_used_at),
        }
