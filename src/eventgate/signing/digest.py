"""Content-Digest (RFC 9530): the fingerprint of a body as it was sent, after any content coding.

Pure. SHA-256 and SHA-512 alone: other algorithms are ignored, and none that is known is refused.
"""

import hashlib
from binascii import b2a_base64

from eventgate.errors import CallerError
from eventgate.signing.fields import FieldSyntax, parse_bytes

_ALGORITHMS = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}


def content_digest(body: bytes) -> str:
    """The field's value for a body, with SHA-256."""
    return f"sha-256=:{b2a_base64(hashlib.sha256(body).digest(), newline=False).decode()}:"


def check_content_digest(field: str | None, body: bytes) -> None:
    """Compare every digest that is known with the body.

    Raises CallerError 400 ``digest-malformed`` or 401 ``digest-mismatch``.
    """
    if field is None:
        raise CallerError(
            400, "digest-malformed", "Content-Digest is missing; send sha-256=:BASE64: of the body as sent."
        )
    try:
        digests = parse_bytes(field)
    except FieldSyntax as error:
        raise CallerError(400, "digest-malformed", f"Content-Digest: {error}.") from error
    known = [(make, digests[name]) for name, make in _ALGORITHMS.items() if name in digests]
    if not known:
        raise CallerError(400, "digest-malformed", "Content-Digest names neither sha-256 nor sha-512.")
    for make, digest in known:
        if make(body).digest() != digest:
            raise CallerError(
                401, "digest-mismatch", "Content-Digest does not fit the body. It is taken over the bytes as sent."
            )
