"""The principal: who is asking, as far as any room needs to know.

Pure. Made by the Authenticator alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from uuid import UUID

from eventgate.access.versions import NEWEST_VERSION
from eventgate.errors import CallerError
from eventgate.signing.keys import VerifyKey

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller and what it may do: an API key, a person's session, or a token of a trusted issuer.

    ``key`` and ``session`` say which it came with, None where it came otherwise; ``user`` is None for a token whose
    subject is no user here. ``name`` says in words who it is, for the audit log.
    ``edge`` is the sensor a key is bound to, None for any of the company. ``operator`` says whether its user runs
    this EventGate. ``verify_keys`` are by id. ``id_secret`` is the company's, for the identity of events.
    ``networks`` are the addresses it may call from, None for any. ``rate_limit`` and ``company_rate_limit`` are in
    requests a second, None for any. ``api_version`` is the version of the interface that it is answered in.
    ``registers_sensors`` says whether a sensor that it writes for is registered at first sight.
    """

    company: UUID
    user: UUID | None
    key: UUID | None
    scopes: frozenset[str]
    session: UUID | None = None
    name: str = ""
    api_version: str = NEWEST_VERSION
    edge: UUID | None = None
    operator: bool = False
    verify_keys: Mapping[str, VerifyKey] = field(default_factory=dict)
    id_secret: bytes = field(default=b"", repr=False)
    networks: tuple[Network, ...] | None = None
    rate_limit: int | None = None
    company_rate_limit: int | None = None
    registers_sensors: bool = False

    def require(self, scope: str) -> None:
        """Raise CallerError 403 ``scope-missing`` unless this principal may do what ``scope`` stands for."""
        if scope not in self.scopes:
            raise CallerError(
                403,
                "scope-missing",
                f"This needs the scope {scope}, which you do not have. Ask an admin of your company.",
                members={"requiredScope": scope},
                # RFC 6750, section 3.1
                headers={"WWW-Authenticate": f'Bearer realm="EventGate", error="insufficient_scope", scope="{scope}"'},
            )

    def require_user(self) -> UUID:
        """The user that asks. Raises CallerError 403 ``no-user`` for a token whose subject is no user here."""
        if self.user is None:
            raise CallerError(
                403, "no-user", "Your token's subject is not a user of this EventGate, which this is for."
            )
        return self.user

    def require_another(self, user: UUID) -> None:
        """Raise CallerError 403 ``own-account`` where a session would do to its own user what an admin does to others.

        For oneself it takes the current password: whoever stole a session has none.
        """
        if self.session is not None and self.user == user:
            raise CallerError(
                403, "own-account", "This is for other users. For your own, use /v2/users/current and your password."
            )

    def require_operator(self) -> None:
        """Raise CallerError 403 ``operator-only`` unless this principal runs this EventGate."""
        if not self.operator:
            raise CallerError(403, "operator-only", "This is for the operator of this EventGate alone.")
