"""Verify a signed write: digest, coverage, key, freshness, signature. The only maker of VerifiedBytes.

Pure. What costs least is asked first; the one ECDSA verification comes last.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from eventgate.errors import CallerError
from eventgate.signing.base import SignedRequest, combine, signature_base
from eventgate.signing.digest import check_content_digest
from eventgate.signing.fields import FieldSyntax, Member, parse_bytes, parse_lists
from eventgate.signing.keys import VerifyKey

REQUIRED = ("@method", "@path", "content-digest")
"""What a signature must cover at least; ``created`` besides."""

_WITNESS: Final = object()


class VerifiedBytes:
    """A body whose signature holds. Decoding takes nothing else, so unverified bytes cannot reach it."""

    __slots__ = ("body", "created", "verify_key_id")

    def __init__(self, witness: object, body: bytes, verify_key_id: str, created: int) -> None:
        if witness is not _WITNESS:
            raise TypeError("only verify() makes VerifiedBytes")
        self.body = body
        self.verify_key_id = verify_key_id
        self.created = created


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far ``created`` may lie from the gate's clock, in seconds."""

    back_s: int = 300
    ahead_s: int = 60


def verify(request: SignedRequest, keys: Mapping[str, VerifyKey], now_s: int, freshness: Freshness) -> VerifiedBytes:
    """Check ``request`` against the caller's verify keys, by their ids, at ``now_s`` (seconds since the epoch).

    Where several signatures are sent, the first whose ``keyid`` is one of ``keys`` counts.
    Raises CallerError, 400 for what cannot be read and 401 for what does not hold; docs/status-codes.md lists them.
    """
    fields = combine(request.headers)
    signed, signatures = _read(fields)
    if not keys:
        raise CallerError(401, "no-verify-key", "This API key has no verify key, so it can read but not write.")
    label, member, key = _choose(signed, keys)
    if label not in signatures:
        raise CallerError(
            400, "signature-malformed", f"Signature has no member for the label {label!r} of Signature-Input."
        )
    created = _check_parameters(member, key, now_s, freshness)
    _check_coverage(member)
    check_content_digest(fields.get("content-digest"), request.body)
    if not key.verify(signatures[label], signature_base(request, fields, member.components, member.text)):
        raise CallerError(
            401, "signature-invalid", f"The signature {label!r} does not fit the request and the verify key {key.id!r}."
        )
    return VerifiedBytes(_WITNESS, request.body, key.id, created)


def _read(fields: Mapping[str, str]) -> tuple[Mapping[str, Member], Mapping[str, bytes]]:
    if "signature" not in fields:
        raise CallerError(401, "unsigned", "The request has no Signature. Writes are signed (RFC 9421).")
    if "signature-input" not in fields:
        raise CallerError(400, "signature-malformed", "Signature-Input is missing beside Signature.")
    field = "Signature-Input"
    try:
        signed = parse_lists(fields["signature-input"])
        field = "Signature"
        return signed, parse_bytes(fields["signature"])
    except FieldSyntax as error:
        raise CallerError(400, "signature-malformed", f"{field}: {error}.") from error


def _choose(signed: Mapping[str, Member], keys: Mapping[str, VerifyKey]) -> tuple[str, Member, VerifyKey]:
    for label, member in signed.items():
        key_id = member.parameters.get("keyid")
        if isinstance(key_id, str) and key_id in keys:
            return label, member, keys[key_id]
    named = ", ".join(repr(member.parameters.get("keyid")) for member in signed.values())
    raise CallerError(
        401, "keyid-unknown", f"No keyid of Signature-Input is a verify key of this API key; the request names {named}."
    )


def _check_parameters(member: Member, key: VerifyKey, now_s: int, freshness: Freshness) -> int:
    parameters = member.parameters
    if "alg" in parameters and parameters["alg"] != key.algorithm:
        wanted = f"alg={key.algorithm!r}" if key.algorithm else "no alg, since RFC 9421 has no name for its algorithm"
        raise CallerError(401, "alg-mismatch", f"The verify key is on {key.curve.name} and takes {wanted}.")
    if "created" not in parameters:
        raise CallerError(401, "coverage-missing", "Signature-Input has no created parameter, and it must.")
    created, expires = parameters["created"], parameters.get("expires", now_s)
    if not isinstance(created, int) or not isinstance(expires, int):
        raise CallerError(400, "signature-malformed", "Signature-Input: created and expires are integers of seconds.")
    if created < now_s - freshness.back_s:
        how = f"created {now_s - created} s ago, more than the {freshness.back_s} s allowed"
        raise _not_fresh("created-stale", how, now_s)
    if expires < now_s:
        raise _not_fresh("created-stale", f"said to expire {now_s - expires} s ago", now_s)
    if created > now_s + freshness.ahead_s:
        how = f"created {created - now_s} s ahead of the gate's clock, more than the {freshness.ahead_s} s allowed"
        raise _not_fresh("created-ahead", how, now_s)
    return created


def _not_fresh(code: str, how: str, now_s: int) -> CallerError:
    server_time = datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    detail = f"The signature was {how}. Here it is {now_s} ({server_time})."
    return CallerError(401, code, detail, members={"serverTime": server_time})


def _check_coverage(member: Member) -> None:
    names = [component.name for component in member.components]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise CallerError(401, "coverage-missing", f"The signature does not cover {', '.join(missing)}, and it must.")
    if len(set(member.components)) < len(member.components):
        raise CallerError(400, "signature-malformed", "Signature-Input: a component is covered twice.")
