"""The principal: who is asking, as far as any room needs to know.

Pure. Made by the Authenticator alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from uuid import UUID

from eventgate.errors import CallerError
from eventgate.signing.keys import VerifyKey

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated API key and what it may do.

    ``edge`` is the sensor the key is bound to, None for any of the company. ``operator`` says whether its user runs
    this EventGate. ``verify_keys`` are by id. ``id_secret`` is the company's, for the identity of events.
    ``networks`` are the addresses it may call from, None for any. ``rate_limit`` is in writes a second, None for any.
    """

    company: UUID
    user: UUID
    key: UUID
    scopes: frozenset[str]
    edge: UUID | None = None
    operator: bool = False
    verify_keys: Mapping[str, VerifyKey] = field(default_factory=dict)
    id_secret: bytes = field(default=b"", repr=False)
    networks: tuple[Network, ...] | None = None
    rate_limit: int | None = None
    registers_sensors: bool = False

    def require(self, scope: str) -> None:
        """Raise CallerError 403 ``scope-missing`` unless this principal may do what ``scope`` stands for."""
        if scope not in self.scopes:
            raise CallerError(
                403,
                "scope-missing",
                f"This API key does not have the scope {scope}. Use another key, or ask an admin of your company.",
                members={"requiredScope": scope},
            )
