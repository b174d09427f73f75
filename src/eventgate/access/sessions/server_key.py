"""The gate's own secret: seals what must not be readable in the database alone, and makes tokens bound to a session.

Touches one file, ``sessions.key`` in the data directory. Whoever has the database without this file can read no second
factor, and whoever has a session's cookie cannot compute its CSRF token.
"""

import hashlib
import hmac
import os
import secrets
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from eventgate.durable import sync_name, write_private
from eventgate.errors import ConfigurationError, FieldError, Unavailable

_BYTES = 32
_NONCE = 12  # AES-GCM, NIST SP 800-38D, section 8.2


class ServerKey:
    """``whole`` is 32 random bytes; each use has a key of its own derived from them."""

    def __init__(self, whole: bytes) -> None:
        self._seal = AESGCM(_derive(whole, b"second factor"))
        self._csrf = _derive(whole, b"csrf")

    def csrf_token(self, session: UUID) -> str:
        """What a page of this session sends along as ``X-CSRF-Token``; the same as long as the session lives."""
        return _text(hmac.digest(self._csrf, session.bytes, "sha256"))

    def seal(self, secret: bytes, owner: UUID) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._seal.encrypt(nonce, secret, owner.bytes)

    def unseal(self, sealed: bytes, owner: UUID) -> bytes:
        """Raise Unavailable ``second-factor-unreadable`` where it was sealed with another key or for somebody else."""
        try:
            return self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], owner.bytes)
        except InvalidTag as error:
            raise Unavailable(
                "second-factor-unreadable",
                "Your second factor was set up with another sessions.key than this EventGate has. "
                "Its operator can put the file back; an admin can reset your second factor.",
                retry_after=60,
            ) from error


def load_server_key(path: Path) -> ServerKey:
    """Read the key, which is made where there is none: 0600, whole or not at all, the same for whoever makes it too.

    Raises ConfigurationError where the file is no such key, OSError.
    """
    if not path.exists():
        _make(path)
    whole = path.read_bytes()
    if len(whole) != _BYTES:
        expected = f"expected {_BYTES} bytes, found {len(whole)}; put the file back from a backup"
        raise ConfigurationError(str(path), [FieldError("the file", "unusable", expected)])
    return ServerKey(whole)


def _make(path: Path) -> None:
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    try:
        write_private(fresh, os.urandom(_BYTES), anew=True)
        with suppress(FileExistsError):  # another process was quicker, and its key is as good
            os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_name(path)


def _derive(whole: bytes, use: bytes) -> bytes:
    return hmac.digest(whole, b"eventgate " + use, hashlib.sha256)


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
