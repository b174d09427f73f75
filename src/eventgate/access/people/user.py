"""A user: who it is, as the table keeps it and as the HTTP interface and the audit log show it.

Pure.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from eventgate.db.pool import Row
from eventgate.journal.times import rfc3339_of

COLUMNS = """
id, company, login, email, name, role, second_factor, created_at, updated_at, deactivated_at, deleted_at, last_login_at,
password_hash IS NOT NULL AS has_password
"""

EndSessions = Callable[[Any, UUID, UUID | None], Awaitable[object]]
"""(connection, user, but for): ends a user's sessions, all or all but one, inside our transaction."""


class User(NamedTuple):
    """One user. ``login`` is what it signs in with, ``email`` where links are sent, None: they are shown instead."""

    id: UUID
    company: UUID
    login: str
    email: str | None
    name: str | None
    role: str
    status: str
    second_factor: bool
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    last_login_at: datetime | None

    @classmethod
    def of(cls, row: Row) -> Self:
        kept_out = row["deactivated_at"] is not None or row["deleted_at"] is not None
        return cls(
            id=row["id"],
            company=row["company"],
            login=row["login"],
            email=row["email"],
            name=row["name"],
            role=row["role"],
            status="inactive" if kept_out else "active" if row["has_password"] else "invited",
            second_factor=row["second_factor"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            deleted_at=row["deleted_at"],
            last_login_at=row["last_login_at"],
        )

    @property
    def personal(self) -> tuple[str | None, ...]:
        """What a password of this user is not to be made of."""
        return self.login, self.email, self.name

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "companyId": self.company,
            "login": self.login,
            "email": self.email,
            "name": self.name,
            "role": self.role,
            "status": self.status,
            "secondFactor": self.second_factor,
            "createdAt": rfc3339_of(self.created_at),
            "updatedAt": rfc3339_of(self.updated_at),
            "deletedAt": rfc3339_of(self.deleted_at),
            "lastLoginAt": rfc3339_of(self.last_login_at),
        }
