"""An OAuth2 issuer: discovery, keys, and tokens for whoever asks (client credentials, RFC 6749, section 4.4).

Run as ``python issuer_program.py PORT``. It signs with PyJWT, so that a mistake in the library that EventGate checks
tokens with cannot hide by being made twice. ``/rotate``, ``/reset`` and ``/hits`` are for tests, and so
is the parameter ``claims``: JSON that is put over the claims it would make, null taking one away.
"""

import json
import sys
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

_FORMS = {
    "ES256": (lambda: ec.generate_private_key(ec.SECP256R1()), ECAlgorithm),
    "RS256": (lambda: rsa.generate_private_key(65537, 2048), RSAAlgorithm),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate, OKPAlgorithm),
}
_generations = 0
_made: dict[str, Any] = {}
_signing: dict[str, tuple[str, Any]] = {}
_published: list[dict[str, Any]] = []
_hits: Counter[str] = Counter()


def rotate(*, keep: bool) -> None:
    """Sign with new keys from now on; ``keep``: the old ones can still be fetched."""
    global _generations  # noqa: PLW0603 - this program is one issuer
    _generations += 1
    if not keep:
        _published.clear()
    for algorithm, (make, form) in _FORMS.items():
        key_id = f"{algorithm}-{_generations}"
        if key_id not in _made:
            _made[key_id] = make()
        key = _made[key_id]
        public = json.loads(form.to_jwk(key.public_key()))
        _signing[algorithm] = (key_id, key)
        _published.append({**public, "kid": key_id, "use": "sig", "alg": algorithm})


def reset() -> None:
    global _generations  # noqa: PLW0603 - as above
    _generations = 0
    _hits.clear()
    rotate(keep=False)


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        base = f"http://127.0.0.1:{self.server.server_address[1]}"
        answers = {
            "/.well-known/openid-configuration": {
                "issuer": base,
                "jwks_uri": f"{base}/keys",
                "token_endpoint": f"{base}/token",
            },
            "/keys": {"keys": _published},
            "/hits": _hits,
        }
        path = urlsplit(self.path).path
        _hits[path] += 1
        self._answer(answers.get(path))

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        form = {name: values[0] for name, values in parse_qs(text).items()}
        if self.path == "/rotate":
            rotate(keep=form.get("keep") == "true")
            self._answer({})
        elif self.path == "/reset":
            reset()
            self._answer({})
        elif self.path == "/token":
            self._answer({"access_token": self._token(form), "token_type": "Bearer"})
        else:
            self._answer(None)

    def _token(self, form: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": f"http://127.0.0.1:{self.server.server_address[1]}",
            "sub": form["client_id"],
            "aud": form.get("audience", ""),
            "scope": form.get("scope", ""),
            "iat": now,
            "exp": now + 300,
            **json.loads(form.get("claims", "{}")),
        }
        algorithm = form.get("algorithm", "ES256")
        key_id, key = _signing[algorithm]
        headers = {"typ": "at+jwt", "kid": key_id, **json.loads(form.get("header", "{}"))}
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, key, algorithm=algorithm, headers=headers)

    def _answer(self, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(200 if document is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    rotate(keep=False)
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answering).serve_forever()
