"""ECDSA keys: the verify keys that EventGate holds, and the signing keys that never leave their sensor.

Pure; curve arithmetic, point checks and DER are cryptography's. P-256, P-384 and P-521, no other.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from eventgate.errors import CallerError

CurveName = Literal["P-256", "P-384", "P-521"]


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve with its one hash.

    ``algorithm`` is RFC 9421's name, None where it has none; ``size`` that of r and of s, in bytes.
    """

    name: CurveName
    algorithm: str | None
    size: int
    make: type[ec.EllipticCurve]
    scheme: ec.ECDSA


CURVES: dict[str, Curve] = {
    "P-256": Curve("P-256", "ecdsa-p256-sha256", 32, ec.SECP256R1, ec.ECDSA(hashes.SHA256())),
    "P-384": Curve("P-384", "ecdsa-p384-sha384", 48, ec.SECP384R1, ec.ECDSA(hashes.SHA384())),
    "P-521": Curve("P-521", None, 66, ec.SECP521R1, ec.ECDSA(hashes.SHA512())),
}
_PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}  # RFC 7518, sections 6.2.2, 6.3.2 and 6.4
_BY_OPENSSL_NAME = {curve.make().name: curve for curve in CURVES.values()}


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """The public half of a pair. ``id`` is what a caller names as ``keyid``; ``spki`` its DER, as it is stored."""

    id: str
    curve: Curve
    spki: bytes
    _public: ec.EllipticCurvePublicKey = field(repr=False, compare=False)

    @property
    def algorithm(self) -> str | None:
        return self.curve.algorithm

    @property
    def pem(self) -> str:
        """SubjectPublicKeyInfo (RFC 5280, section 4.1) as PEM."""
        return self._public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode()

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Say whether ``signature`` is this key's: raw r‖s (RFC 9421, 3.3.4), or DER as ``openssl dgst -sign`` writes.

        A DER signature as short as the raw form would need 32 leading zero bits, so the length tells them apart.
        """
        size = self.curve.size
        if len(signature) == 2 * size:
            r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
            signature = encode_dss_signature(r, s)
        try:
            self._public.verify(signature, message, self.curve.scheme)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """The private half of a pair; a sensor's own. EventGate makes one at first start only, for the first sensor."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        self.curve = _BY_OPENSSL_NAME[private.curve.name]

    @classmethod
    def generate(cls, curve: CurveName = "P-256") -> Self:
        return cls(ec.generate_private_key(CURVES[curve].make()))

    @classmethod
    def from_pem(cls, text: str | bytes) -> Self:
        """Read PEM (PKCS#8 or SEC 1) without a passphrase; ValueError says what else it was."""
        pem = text.encode() if isinstance(text, str) else text
        try:
            private = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ValueError("not a PEM private key without passphrase") from error
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name not in _BY_OPENSSL_NAME:
            raise ValueError("not a private key on P-256, P-384 or P-521")
        return cls(private)

    def to_pem(self) -> str:
        """PKCS#8 without passphrase: the caller sees to the file's mode."""
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    @property
    def verify_key_pem(self) -> str:
        return (
            self._private.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )

    def verify_key(self, key_id: str) -> VerifyKey:
        return _verify_key(self._private.public_key(), key_id)

    def sign(self, message: bytes) -> bytes:
        """Sign with the curve's hash: raw r‖s, each of the curve's size."""
        r, s = decode_dss_signature(self._private.sign(message, self.curve.scheme))
        return r.to_bytes(self.curve.size, "big") + s.to_bytes(self.curve.size, "big")


def load_verify_key(text: str | bytes, key_id: str) -> VerifyKey:
    """Read a verify key from PEM (SPKI), a JWK, base64 DER, or DER bytes; the point is checked to be on its curve.

    Raises CallerError 422 ``verify-key-malformed`` for anything else, and says so where it is somebody's private key.
    """
    raw = text.encode(errors="replace") if isinstance(text, str) else text
    stripped = raw.strip()
    try:
        if b"PRIVATE KEY" in stripped:
            raise _private_key_sent()
        if stripped.startswith(b"-----BEGIN"):
            public: Any = serialization.load_pem_public_key(stripped)
        elif stripped.startswith(b"{"):
            public = _from_jwk(json.loads(stripped))
        elif raw.startswith(b"\x30"):
            public = _from_der(raw)
        else:
            public = _from_der(binascii.a2b_base64(b"".join(stripped.split()), strict_mode=True))
    except (ValueError, TypeError, RecursionError, UnsupportedAlgorithm) as error:
        raise _malformed("The verify key is not a public EC key as PEM (SPKI), JWK, or base64 DER.") from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name not in _BY_OPENSSL_NAME:
        raise _malformed("The verify key is of another kind; EventGate takes ECDSA keys on P-256, P-384 or P-521.")
    return _verify_key(public, key_id)


def _verify_key(public: ec.EllipticCurvePublicKey, key_id: str) -> VerifyKey:
    spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return VerifyKey(key_id, _BY_OPENSSL_NAME[public.curve.name], spki, public)


def _from_der(der: bytes) -> Any:
    try:
        return serialization.load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        if _is_private(der):
            raise _private_key_sent() from None
        raise


def _is_private(der: bytes) -> bool:
    """Whether it is PKCS#8 or SEC 1, under a passphrase perhaps."""
    try:
        serialization.load_der_private_key(der, password=None)
    except TypeError:  # there is a passphrase
        return True
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _from_jwk(jwk: dict[str, Any]) -> ec.EllipticCurvePublicKey:
    """RFC 7518, section 6.2.1: both coordinates in base64url at the curve's full size."""
    if jwk.keys() & _PRIVATE_MEMBERS:
        raise _private_key_sent()
    curve = CURVES.get(jwk["crv"]) if jwk.get("kty") == "EC" and isinstance(jwk.get("crv"), str) else None
    if curve is None:
        raise _malformed('The JWK is not {"kty": "EC"} with "crv" P-256, P-384 or P-521.')
    x, y = (_coordinate(jwk.get(name), curve.size) for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, curve.make()).public_key()


def _coordinate(text: Any, size: int) -> int:
    if not isinstance(text, str):
        raise TypeError("a coordinate is a string")
    decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if len(decoded) != size:
        raise ValueError("a coordinate has the curve's full size")
    return int.from_bytes(decoded, "big")


def _malformed(detail: str) -> CallerError:
    return CallerError(422, "verify-key-malformed", detail)


def _private_key_sent() -> CallerError:
    return _malformed(
        "This is a private key, which nobody but its owner may have. EventGate took no note of it and wants the public "
        "half only; keep the signing key where it was made. Since this one was sent, make a new pair."
    )
