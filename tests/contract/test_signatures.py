"""The http-message-signatures library and EventGate agree, both ways: each signs what the other verifies."""

from datetime import UTC, datetime, timedelta

import http_message_signatures as independent
import pytest
import requests
from http_message_signatures.algorithms import ECDSA_P256_SHA256, ECDSA_P384_SHA384

from eventgate.errors import CallerError
from eventgate.signing.base import SignedRequest
from eventgate.signing.keys import SigningKey
from eventgate.signing.sign import sign
from eventgate.signing.verify import Freshness, verify

KEY_ID = "0199a7b2-0000-7000-8000-00000000000a"
BODY = b'{"timestamp": "2026-11-22T01:45:21.000Z", "message": "caf\xc3\xa9"}'
NOW = 1_795_312_000
ALGORITHMS = {"P-256": ECDSA_P256_SHA256, "P-384": ECDSA_P384_SHA384}
COMPONENTS = {
    "the least": ("@method", "@path", "content-digest"),
    "another order": ("content-digest", "@path", "@method"),
    "the authority": ("@method", "@authority", "@path", "content-digest"),
    "all that a write has": (
        "@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query",
        "content-digest", "content-type", "content-encoding", "content-length",
    ),
}  # fmt: skip


def _library_signs(key: SigningKey, components: tuple[str, ...], **options) -> requests.PreparedRequest:
    message = requests.Request(
        "POST",
        "https://Gate.Example:443/v2/events",
        data=BODY,
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ).prepare()
    signer = independent.HTTPMessageSigner(
        signature_algorithm=ALGORITHMS[key.curve.name],
        key_resolver=independent.MappingKeyResolver(public_keys={}, private_keys={KEY_ID: key.to_pem().encode()}),
    )
    signer.sign(
        message,
        key_id=KEY_ID,
        created=datetime.fromtimestamp(NOW, UTC),
        covered_component_ids=components,
        body=BODY,
        **options,
    )
    return message


def _received(message: requests.PreparedRequest) -> SignedRequest:
    headers = [(name.lower(), value) for name, value in message.headers.items()]
    return SignedRequest("POST", "https", "gate.example:443", "/v2/events", headers, BODY)


@pytest.mark.parametrize("components", COMPONENTS.values(), ids=COMPONENTS)
@pytest.mark.parametrize("curve", ALGORITHMS)
def test_what_the_library_signs_we_verify(curve: str, components: tuple[str, ...]) -> None:
    key = SigningKey.generate(curve)
    message = _library_signs(
        key, components, nonce='a "quoted\\ nonce', tag="sensor", expires=datetime.fromtimestamp(NOW + 60, UTC)
    )
    verified = verify(_received(message), {KEY_ID: key.verify_key(KEY_ID)}, NOW, Freshness())
    assert (verified.body, verified.created) == (BODY, NOW)


@pytest.mark.parametrize("covered", ["content-type", "content-encoding", "content-length"])
def test_what_the_library_covered_may_not_change(covered: str) -> None:
    key = SigningKey.generate()
    request = _received(_library_signs(key, COMPONENTS["all that a write has"]))
    changed = request._replace(headers=[(n, v + "x" if n == covered else v) for n, v in request.headers])
    with pytest.raises(CallerError) as caught:
        verify(changed, {KEY_ID: key.verify_key(KEY_ID)}, NOW, Freshness())
    assert caught.value.code == "signature-invalid"


def test_a_second_signature_by_the_library_does_no_harm() -> None:
    key, proxy = SigningKey.generate(), SigningKey.generate()
    message = _library_signs(key, COMPONENTS["the least"], label="sensor")
    independent.HTTPMessageSigner(
        signature_algorithm=ECDSA_P256_SHA256,
        key_resolver=independent.MappingKeyResolver(public_keys={}, private_keys={"proxy": proxy.to_pem().encode()}),
    ).sign(
        message,
        key_id="proxy",
        label="proxy",
        created=datetime.fromtimestamp(NOW, UTC),
        covered_component_ids=("@method", '"signature";key="sensor"'),
        append_if_signature_exists=True,
        use_existing_digest=True,
    )
    assert "proxy=" in message.headers["Signature-Input"]
    verified = verify(_received(message), {KEY_ID: key.verify_key(KEY_ID)}, NOW, Freshness())
    assert verified.verify_key_id == KEY_ID


@pytest.mark.parametrize("curve", ALGORITHMS)
def test_what_we_sign_the_library_verifies(curve: str) -> None:
    key = SigningKey.generate(curve)
    created = int(datetime.now(UTC).timestamp())
    fields = {"content-type": "application/json"}
    headers = sign("POST", "/v2/events", BODY, key, keyid=KEY_ID, created=created, nonce='n"\\', fields=fields)
    message = requests.Request(
        "POST", "http://127.0.0.1:8080/v2/events", data=BODY, headers={**headers, "Content-Type": "application/json"}
    ).prepare()
    verifier = independent.HTTPMessageVerifier(
        signature_algorithm=ALGORITHMS[curve],
        key_resolver=independent.MappingKeyResolver(public_keys={KEY_ID: key.verify_key_pem.encode()}, private_keys={}),
    )
    required = ("@method", "@path", "content-digest", "content-type")
    results = verifier.verify(message, max_age=timedelta(minutes=5), body=BODY, require_components=required)
    assert [result.label for result in results] == ["eg"]
    assert results[0].body == BODY
