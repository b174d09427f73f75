"""Who changed something, and from where: what the audit log remembers of a caller.

Pure.
"""

from typing import NamedTuple, Self
from uuid import UUID

from eventgate.access.principal import Principal


class Actor(NamedTuple):
    """One caller at one request. ``name`` says in words who it is; ``remote`` is its address."""

    name: str
    company: UUID
    user: UUID | None
    key: UUID | None
    session: UUID | None
    remote: str
    request_id: str

    @classmethod
    def of(cls, principal: Principal, remote: str, request_id: str) -> Self:
        return cls(
            principal.name, principal.company, principal.user, principal.key, principal.session, remote, request_id
        )
