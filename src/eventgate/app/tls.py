"""The TLS side of the port, and of the connection to the mail server.

Touches the certificate and key files.
"""

import ssl

from eventgate.config import Http, Mail
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


def mail_context(mail: Mail, source: str) -> ssl.SSLContext | None:
    """Whom to trust as the mail server, None for plain SMTP.

    Raises ConfigurationError, of ``source``, where ``ca_file`` is no list of authorities.
    """
    if mail.tls == "none":
        return None
    try:
        return ssl.create_default_context(cafile=mail.ca_file)
    except OSError as error:
        detail = f"expected certificates as PEM: {error.strerror or error}"
        raise ConfigurationError(source, [FieldError("mail.ca_file", "unreadable", detail)]) from error
