"""A token issuer that the operator trusts: how its tokens are checked, and what their claims stand for here.

Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

ALGORITHMS = ("ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA", "Ed25519")
"""Signatures that a token may carry: asymmetric ones alone. With a shared secret, or none, anybody is the issuer."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer. ``url`` is its ``iss``, letter for letter; a token's ``aud`` must name one of ``audiences``.

    ``jwks_url`` is where its keys are; "": where its discovery document says. ``scopes_claim``, ``company_claim`` and
    ``user_claim`` name claims, a dot stepping into an object; ``company`` is whose all its tokens are where no claim
    says, ``user_claim`` "" leaves tokens without a user of ours. ``scopes`` maps the issuer's scopes or roles to ours;
    one that is not in it counts where it is named as one of ours.
    """

    url: str
    audiences: tuple[str, ...]
    jwks_url: str = ""
    algorithms: tuple[str, ...] = ("ES256", "RS256", "PS256", "EdDSA", "Ed25519")
    leeway_seconds: int = 30
    scopes_claim: str = "scope"
    company_claim: str = ""
    company: str = ""
    user_claim: str = ""
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
