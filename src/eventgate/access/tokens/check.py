"""Checks a JSON Web Token: its form, its signature by a key of its issuer, and the claims that say whether it counts.

Pure but for the issuer's keys, which may have to be fetched. RFC 7519, with the advice of RFC 8725.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact

from eventgate.access.credentials import unauthenticated
from eventgate.access.tokens.issuer import Issuer
from eventgate.access.tokens.issuer_keys import IssuerKeys, Key

_MOST_CHARACTERS = 8192
_TYPES = frozenset({"jwt", "at+jwt"})  # RFC 9068, section 2.1; tokens for other purposes say another
_INVALID = "invalid_token"  # RFC 6750, section 3.1


class Trusted(NamedTuple):
    """An issuer and its keys."""

    issuer: Issuer
    keys: IssuerKeys


class Checked(NamedTuple):
    """A token that holds: who issued it, what it claims, and until when, in seconds since the epoch."""

    issuer: Issuer
    claims: Mapping[str, Any]
    expires: float


async def check_token(text: str, trusted: Mapping[str, Trusted], now: float) -> Checked:
    """Check a token against the issuers trusted, by their ``iss``.

    Raises CallerError 401 (docs/status-codes.md), Unavailable where its issuer's keys are needed and not to be had.
    """
    header, claims = _read(text)
    named = claims.get("iss")
    if not isinstance(named, str) or named not in trusted:
        raise unauthenticated(
            "token-issuer-unknown", "This EventGate does not trust the token's issuer.", error=_INVALID
        )
    issuer, keys = trusted[named]
    algorithm, key_id = _demands(header, issuer)
    key = await keys.find(key_id, algorithm)
    if key is None:
        raise unauthenticated(
            "token-key-unknown",
            "The token's issuer has no such key, or made it less than a minute ago.",
            error=_INVALID,
        )
    _check_signature(text, key, algorithm)
    return Checked(issuer, claims, _check_claims(claims, issuer, now))


def _read(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, not yet to be believed."""
    try:
        if len(text) <= _MOST_CHARACTERS:
            header, claims = (orjson.loads(_decoded(part)) for part in text.split(".")[:2])
            if isinstance(header, dict) and isinstance(claims, dict):
                return header, claims
    except ValueError:
        pass
    raise _malformed("The token is not a signed JWT, or is longer than 8 KiB.")


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part.encode("ascii") + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _demands(header: Mapping[str, Any], issuer: Issuer) -> tuple[str, str | None]:
    """The algorithm and key id that the header asks for; what else it points to (jku, jwk, x5u) is not looked at."""
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if algorithm not in issuer.algorithms:
        raise unauthenticated(
            "token-algorithm", f"The token must be signed with one of {', '.join(issuer.algorithms)}.", error=_INVALID
        )
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
        raise _malformed("The token's typ says that it is for something else: expected JWT or at+jwt.")
    if "crit" in header:
        raise _malformed("The token's crit demands what this EventGate does not know.")
    if key_id is not None and not isinstance(key_id, str):
        raise _malformed("The token's kid is not a string.")
    return str(algorithm), key_id


class _Registry(JWSRegistry):
    """Takes the one algorithm that was agreed on; which ones are good is the configuration's to say."""

    def get_alg(self, name: str) -> Any:
        assert self.allowed is not None
        if name not in self.allowed:
            raise JoseError("not allowed")
        return self.algorithms[name]


def _check_signature(text: str, key: Key, algorithm: str) -> None:
    try:
        deserialize_compact(text, key, registry=_Registry(algorithms=[algorithm], strict_check_header=False))
    except (JoseError, ValueError, TypeError) as error:
        raise unauthenticated(
            "token-signature-invalid", "The token's signature is not its issuer's.", error=_INVALID
        ) from error


def _check_claims(claims: Mapping[str, Any], issuer: Issuer, now: float) -> float:
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(each in issuer.audiences for each in named if isinstance(each, str)):
        raise unauthenticated("token-audience", "The token is for another audience.", error=_INVALID)
    expires, begins = _time(claims, "exp"), _time(claims, "nbf")
    if expires is None:
        raise _malformed("The token has no exp: one that lives for ever is not taken.")
    if expires + issuer.leeway_seconds <= now:
        raise unauthenticated("token-expired", "The token has expired; get a new one from its issuer.", error=_INVALID)
    if begins is not None and begins - issuer.leeway_seconds > now:
        raise unauthenticated("token-not-yet-valid", "The token's nbf lies in the future.", error=_INVALID)
    return expires + issuer.leeway_seconds


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _malformed(f"The token's {name} is not a number of seconds.")
    return float(value)


def _malformed(detail: str) -> Exception:
    return unauthenticated("token-malformed", detail, error=_INVALID)
