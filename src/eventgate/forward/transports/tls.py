"""TLS towards a receiver: whom to trust, and who we are.

Reads certificate files.
"""

import ssl
from pathlib import Path

from eventgate.errors import ConfigurationError, FieldError


def client_context(ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer; the receiver's chain and name are always checked. Raises ConfigurationError naming the file."""
    key = "ca_file"
    try:
        context = ssl.create_default_context(cafile=ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if cert_file is not None:
            key = "cert_file"
            context.load_cert_chain(cert_file, key_file)
    except (OSError, ssl.SSLError) as error:
        named = ca_file if key == "ca_file" else cert_file
        problem = FieldError(key, "unreadable", f"expected PEM that OpenSSL can read, got {named}: {error}")
        raise ConfigurationError("sink", [problem]) from error
    return context
