"""Time-based one-time codes (RFC 6238) as authenticator apps make them: SHA-1, six digits, thirty seconds.

Pure but for the operating system's random source.
"""

import base64
import hmac
import secrets

import pyotp

SECRET_BYTES = 20  # RFC 4226, section 4, R6
STEP_SECONDS = 30
_WINDOW = 1
"""Steps before and after the present one that are taken too: clocks differ, and people type."""

_RECOVERY_BYTES = 10
"""80 bits: beyond guessing even without a throttle, so a plain hash of it can be kept."""


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def shown_secret(secret: bytes) -> str:
    """In base32, as people type it into an app that has no camera."""
    return base64.b32encode(secret).decode()


def provisioning_uri(secret: bytes, login: str, issuer: str) -> str:
    """The ``otpauth:`` address that an app reads from a QR code."""
    return pyotp.TOTP(shown_secret(secret)).provisioning_uri(name=login, issuer_name=issuer)


def matching_counter(secret: bytes, code: str, now_ms: int, after: int) -> int | None:
    """The step that ``code`` is of, within the window and later than ``after``; None where it is of no such step."""
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdigit()):
        return None
    generator, present = pyotp.TOTP(shown_secret(secret)), now_ms // 1000 // STEP_SECONDS
    found = None
    for counter in range(present - _WINDOW, present + _WINDOW + 1):
        if hmac.compare_digest(generator.generate_otp(counter), digits) and counter > after:
            found = counter
    return found


def new_recovery_code() -> str:
    """As in ``ABCD-EFGH-IJKL-MNOP``."""
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def canonical_recovery_code(code: str) -> str:
    """Without what people change when they copy it: dashes, blanks, case, and digits that base32 has no use for."""
    return "".join(code.split()).replace("-", "").upper().replace("0", "O").replace("1", "I").replace("8", "B")
