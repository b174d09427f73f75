"""Signed writes for the tests of this room: one good write, and ways to spoil it."""

from eventgate.errors import CallerError
from eventgate.signing.base import SignedRequest
from eventgate.signing.keys import SigningKey, VerifyKey
from eventgate.signing.sign import sign
from eventgate.signing.verify import Freshness, VerifiedBytes, verify

NOW = 1_763_726_400
KEY_ID = "0199a7b2-0000-7000-8000-00000000000a"
BODY = b'{"timestamp":"2025-11-21T12:00:00Z"}'
KEY = SigningKey.generate()
KEYS = {KEY_ID: KEY.verify_key(KEY_ID)}


def write(
    body: bytes = BODY,
    *,
    key: SigningKey = KEY,
    keyid: str = KEY_ID,
    created: int = NOW,
    fields: dict[str, str] | None = None,
    **changes: str | None,
) -> SignedRequest:
    """A good write; ``changes`` sets header fields (underscores for hyphens) after signing, None takes one away."""
    signed = sign("POST", "/v2/events", body, key, keyid=keyid, created=created, fields=fields)
    headers = {"host": "127.0.0.1:8080", "content-type": "application/json", **(fields or {})}
    headers |= {name.lower(): value for name, value in signed.items()}
    for name, value in changes.items():
        headers[name.replace("_", "-")] = value
    kept = [(name, value) for name, value in headers.items() if value is not None]
    return SignedRequest("POST", "http", "127.0.0.1:8080", "/v2/events", kept, body)


def header(request: SignedRequest, name: str) -> str:
    return dict(request.headers)[name]


def sign_text(request: SignedRequest, parameters: str, lines: list[str], key: SigningKey = KEY) -> SignedRequest:
    """Sign by hand: the base made of ``lines``, Signature-Input made of ``parameters``, whatever they say."""
    base = "\n".join([*lines, f'"@signature-params": {parameters}']).encode("utf-8", "surrogateescape")
    signature = _base64(key.sign(base))
    headers = dict(request.headers) | {"signature-input": f"eg={parameters}", "signature": f"eg=:{signature}:"}
    return request._replace(headers=list(headers.items()))


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()


def check(
    request: SignedRequest, keys: dict[str, VerifyKey] | None = None, now: int = NOW, freshness: Freshness | None = None
) -> VerifiedBytes:
    return verify(request, KEYS if keys is None else keys, now, freshness or Freshness())


def refusal(request: SignedRequest, keys: dict[str, VerifyKey] | None = None, now: int = NOW) -> CallerError:
    """The error that a write is refused with; that it is refused is part of the assertion."""
    try:
        verified = check(request, keys, now)
    except CallerError as error:
        return error
    raise AssertionError(f"accepted: {verified!r}")
