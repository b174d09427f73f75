"""Keys in every spelling that is taken, and what is not a key."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from eventgate.errors import CallerError
from eventgate.signing.keys import CURVES, SigningKey, load_verify_key

_PUBLIC = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _jwk(key: SigningKey) -> dict[str, str]:
    numbers = key._private.public_key().public_numbers()
    size = key.curve.size
    x, y = (
        base64.urlsafe_b64encode(value.to_bytes(size, "big")).rstrip(b"=").decode() for value in (numbers.x, numbers.y)
    )
    return {"kty": "EC", "crv": key.curve.name, "x": x, "y": y}


@pytest.mark.parametrize("curve", list(CURVES))
def test_a_verify_key_reads_the_same_from_every_spelling(curve: str) -> None:
    key = SigningKey.generate(curve)
    spki = key.verify_key("k").spki
    spellings = [
        key.verify_key_pem,
        key.verify_key_pem.encode(),
        f"\n  {key.verify_key_pem}\n",
        json.dumps(_jwk(key)),
        base64.b64encode(spki).decode(),
        base64.encodebytes(spki),
        spki,
    ]
    for text in spellings:
        loaded = load_verify_key(text, "k")
        assert (loaded.id, loaded.spki, loaded.algorithm) == ("k", spki, CURVES[curve].algorithm)
        assert loaded.verify(key.sign(b"message"), b"message")
        assert not loaded.verify(key.sign(b"message"), b"another")


@pytest.mark.parametrize("curve", list(CURVES))
def test_a_signing_key_survives_its_pem(curve: str) -> None:
    key = SigningKey.generate(curve)
    again = SigningKey.from_pem(key.to_pem())
    assert "BEGIN PRIVATE KEY" in key.to_pem()
    assert key.verify_key("k").verify(again.sign(b"message"), b"message")
    assert len(again.sign(b"message")) == 2 * key.curve.size


def _nonsense() -> dict[str, str | bytes]:
    point = _jwk(SigningKey.generate())
    off_curve = {**point, "y": point["x"]}
    rsa_key = rsa.generate_private_key(65537, 2048).public_key().public_bytes(*_PUBLIC)
    ed_key = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(*_PUBLIC)
    other_curve = ec.generate_private_key(ec.SECP256K1()).public_key().public_bytes(*_PUBLIC)
    spki = SigningKey.generate().verify_key("k").spki
    return {
        "empty": "",
        "words": "a key, honestly",
        "cut DER": spki[:-1],
        "longer DER": spki + b"\0",
        "cut base64": base64.b64encode(spki).decode()[:-2],
        "a point off its curve in DER": spki[:-1] + bytes([spki[-1] ^ 1]),
        "the point at infinity": bytes.fromhex("3019301306072a8648ce3d020106082a8648ce3d03010703020000"),
        "a point off its curve in a JWK": json.dumps(off_curve),
        "a short coordinate": json.dumps({**point, "x": "AAAA"}),
        "a coordinate that is a number": json.dumps({**point, "x": 1}),
        "no coordinate": json.dumps({"kty": "EC", "crv": "P-256"}),
        "no JWK": "{}",
        "JSON that ends early": '{"kty":',
        "deep JSON": '{"a":' * 100_000,
        "another curve in a JWK": json.dumps({**point, "crv": "secp256k1"}),
        "a curve that is a list": json.dumps({**point, "crv": ["P-256"]}),
        "RSA": rsa_key,
        "Ed25519": ed_key,
        "secp256k1": other_curve,
        "a PEM of nothing": "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "not ASCII": "kâ",
        "a lone surrogate": "\ud800",
    }


@pytest.mark.parametrize("name", _nonsense())
def test_what_is_no_verify_key_is_refused(name: str) -> None:
    with pytest.raises(CallerError) as caught:
        load_verify_key(_nonsense()[name], "k")
    assert (caught.value.status, caught.value.code) == (422, "verify-key-malformed")


def test_a_private_key_sent_by_mistake_is_said_to_be_one() -> None:
    key = SigningKey.generate()
    der, sec1 = serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL
    pkcs8, locked = serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"passphrase")
    whole = [
        key._private.private_bytes(der, form, lock)
        for form, lock in ((sec1, serialization.NoEncryption()), (pkcs8, serialization.NoEncryption()), (pkcs8, locked))
    ]
    texts = [key.to_pem(), json.dumps({**_jwk(key), "d": "AAAA"}), *whole, *map(base64.b64encode, whole)]
    for text in texts:
        with pytest.raises(CallerError, match="private key"):
            load_verify_key(text, "k")


def test_what_is_no_signing_key_is_refused() -> None:
    encrypted = SigningKey.generate()._private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"passphrase"),
    )
    other = ec.generate_private_key(ec.SECP256K1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for text in ("", "words", SigningKey.generate().verify_key_pem, encrypted, other):
        with pytest.raises(ValueError, match="private key"):
            SigningKey.from_pem(text)


def test_a_key_shows_nothing_private() -> None:
    key = SigningKey.generate()
    assert "PRIVATE" not in repr(key) + repr(key.verify_key("k"))
