"""The TLS side of the port.

Touches the certificate and key files.
"""

import ssl

from eventgate.config import Http
from eventgate.errors import ConfigurationError, FieldError


def tls_context(http: Http, source: str) -> ssl.SSLContext | None:
    """What the port speaks, None for plain HTTP.

    Raises ConfigurationError, of ``source``, for files that cannot be read or do not belong together.
    """
    if http.certificate_file is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(http.certificate_file, http.key_file)
    except OSError as error:  # ssl.SSLError is one
        detail = f"expected a PEM certificate and its key: {error.strerror or error}"
        raise ConfigurationError(source, [FieldError("http.certificate_file", "unreadable", detail)]) from error
    return context
