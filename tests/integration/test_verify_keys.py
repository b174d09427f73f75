"""``/keys/{keyId}/verify-keys`` over HTTP on a real database: what is taken, what is not, and changing over."""

import asyncio
import base64
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from eventgate.access import Asked
from eventgate.signing.keys import SigningKey, load_verify_key
from tests.integration.http_service import Service, http_service


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with http_service(database_url, tmp_path) as running:
        yield running


@pytest.fixture
def path(service: Service) -> str:
    return f"/keys/{service.made.key_id}/verify-keys"


def jwk(key: SigningKey, **more: str) -> dict[str, str]:
    numbers = serialization.load_pem_public_key(key.verify_key_pem.encode()).public_numbers()
    size = key.curve.size

    def coordinate(value: int) -> str:
        return base64.urlsafe_b64encode(value.to_bytes(size, "big")).rstrip(b"=").decode()

    return {"kty": "EC", "crv": key.curve.name, "x": coordinate(numbers.x), "y": coordinate(numbers.y), **more}


def base64_der(key: SigningKey) -> str:
    return base64.b64encode(load_verify_key(key.verify_key_pem, "").spki).decode()


async def add(service: Service, path: str, key: Any) -> tuple[int, Any]:
    return await service.post(path, {"verifyKey": key})


async def listed(service: Service, path: str) -> list[str]:
    status, page = await service.get(path, service.made.admin_auth_key)
    assert status == 200
    return [key["id"] for key in page["data"]]


async def in_force(service: Service) -> set[str]:
    """The verify keys that a write of the first sensor's key is checked with."""
    service.authenticator.forget()
    from multidict import CIMultiDict

    headers = CIMultiDict(Authorization=service.made.auth_key)
    return set((await service.authenticator.authenticate(Asked("GET", headers, "", "127.0.0.1"))).verify_keys)


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
async def test_each_form_of_each_curve_is_taken(service, path, curve):
    await service.ask("DELETE", f"{path}/{service.made.verify_key_id}")
    for form in (lambda key: key.verify_key_pem, jwk, base64_der, lambda key: orjson.dumps(jwk(key)).decode()):
        key = SigningKey.generate(curve)
        status, added = await add(service, path, form(key))
        assert status == 201, added
        assert (added["curve"], added["algorithm"]) == (curve, key.curve.algorithm)
        assert (added["keyId"], added["status"], added["deletedAt"]) == (service.made.key_id, "active", None)
        assert added["verifyKey"] == key.verify_key_pem
        assert added["fingerprint"] == sha256(load_verify_key(key.verify_key_pem, "").spki).hexdigest()
        assert (await service.ask("DELETE", f"{path}/{added['id']}"))[0] == 204


async def test_changing_over_two_at_a_time_and_the_old_one_gone_at_once(service, path):
    old = service.made.verify_key_id
    status, new = await add(service, path, SigningKey.generate().verify_key_pem)
    assert status == 201
    assert await listed(service, path) == [new["id"], old]
    assert await in_force(service) == {new["id"], old}
    status, problem = await add(service, path, SigningKey.generate().verify_key_pem)
    assert (status, problem["code"]) == (409, "verify-keys-full")
    status, problem = await add(service, path, new["verifyKey"])
    assert (status, problem["code"]) == (409, "verify-key-known")
    assert [(await service.ask("DELETE", f"{path}/{old}"))[0] for _ in range(2)] == [204, 204]
    assert await in_force(service) == {new["id"]}
    assert await listed(service, f"{path}?status=inactive") == [old]
    assert (await service.ask("DELETE", f"{path}/{service.made.key_id}"))[0] == 404
    rows = await service.pool.fetch("SELECT action, object_id FROM audit ORDER BY id")
    assert [tuple(row) for row in rows] == [("verify-key.create", new["id"]), ("verify-key.delete", old)]


def _private(form: serialization.PrivateFormat, encoding: serialization.Encoding) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(encoding, form, serialization.NoEncryption())


_PEM, _DER = serialization.Encoding.PEM, serialization.Encoding.DER
_PKCS8, _SEC1 = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL


@pytest.mark.parametrize(
    "private",
    [
        _private(_PKCS8, _PEM).decode(),
        _private(_SEC1, _PEM).decode(),
        base64.b64encode(_private(_PKCS8, _DER)).decode(),
        base64.b64encode(_private(_SEC1, _DER)).decode(),
        jwk(SigningKey.generate(), d="c2VjcmV0"),
        {"kty": "oct", "k": "c2VjcmV0"},
    ],
    ids=["PKCS#8", "SEC 1", "PKCS#8 as DER", "SEC 1 as DER", "JWK", "symmetric JWK"],
)
async def test_a_private_key_is_refused_and_leaves_no_trace(service, path, private, caplog, capsys):
    status, problem = await add(service, path, private)
    assert (status, problem["code"], problem["errors"][0]["pointer"]) == (422, "verify-key-malformed", "/verifyKey")
    assert "private key" in problem["detail"]
    assert "keep the signing key where it was made" in problem["detail"]
    secret = private if isinstance(private, str) else private.get("d", private.get("k"))
    told = [str(problem), caplog.text, *capsys.readouterr()]
    rows = await service.pool.fetch("SELECT audit::text FROM audit UNION ALL SELECT verify_keys::text FROM verify_keys")
    assert not [text for text in (*told, *map(str, rows)) if (secret[40:80] or secret) in text]


async def test_what_is_no_key_is_refused(service, path):
    key = SigningKey.generate()
    off_curve = jwk(key) | {"y": jwk(SigningKey.generate())["y"]}
    secp256k1 = ec.generate_private_key(ec.SECP256K1()).public_key()
    other = rsa.generate_private_key(65537, 2048).public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    for wrong in (
        "", "x", "AAAA", key.verify_key_pem[:-40], base64_der(key)[:-4], base64_der(key) + "AAAA", off_curve,
        jwk(key) | {"crv": "P-384"}, jwk(key) | {"kty": "RSA"}, {}, jwk(key) | {"x": 1},
        secp256k1.public_bytes(_PEM, spki).decode(), other.public_bytes(_PEM, spki).decode(), None, 7, ["x"],
    ):  # fmt: skip
        status, problem = await add(service, path, wrong)
        assert (status, problem["errors"][0]["pointer"]) == (422, "/verifyKey"), wrong
    assert (await service.post(path, {}))[0] == 422
    assert (await service.post(path.replace("7", "8"), {"verifyKey": key.verify_key_pem}))[0] == 404


async def test_two_added_at_once_never_become_three(service, path):
    keys = [SigningKey.generate().verify_key_pem for _ in range(6)]
    answers = await asyncio.gather(*(add(service, path, key) for key in keys))
    assert sorted(status for status, _ in answers) == [201, 409, 409, 409, 409, 409]
    assert len(await in_force(service)) == 2
