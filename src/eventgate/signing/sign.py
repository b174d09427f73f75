"""Sign a write: the three header fields that ``verify`` checks.

Pure. What the SDK, the command line and the tests use.
"""

from binascii import b2a_base64
from collections.abc import Mapping

from eventgate.signing.base import SignedRequest, signature_base
from eventgate.signing.digest import content_digest
from eventgate.signing.fields import Component
from eventgate.signing.keys import SigningKey
from eventgate.signing.verify import REQUIRED

LABEL = "eg"


def sign(
    method: str,
    path: str,
    body: bytes,
    key: SigningKey,
    *,
    keyid: str,
    created: int,
    nonce: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Make Content-Digest, Signature-Input and Signature for a body as it is sent, after any content coding.

    ``path`` is that of the target URI, as sent; ``created`` is in seconds since the epoch. ``fields`` are further
    header fields to cover, by name in lower case. ``keyid`` and ``nonce`` must be printable ASCII.
    """
    covered = {**(fields or {}), "content-digest": content_digest(body)}
    components = tuple(Component(name, "") for name in dict.fromkeys((*REQUIRED, *covered)))
    parameters = f"({' '.join(f'{chr(34)}{component.name}{chr(34)}' for component in components)});created={created}"
    parameters += f";keyid={_quoted(keyid)}"
    if key.curve.algorithm:
        parameters += f";alg={_quoted(key.curve.algorithm)}"
    if nonce is not None:
        parameters += f";nonce={_quoted(nonce)}"
    request = SignedRequest(method, "", "", path, (), body)
    signature = key.sign(signature_base(request, covered, components, parameters))
    return {
        "Content-Digest": covered["content-digest"],
        "Signature-Input": f"{LABEL}={parameters}",
        "Signature": f"{LABEL}=:{b2a_base64(signature, newline=False).decode()}:",
    }


def _quoted(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"not printable ASCII: {text!r}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
