"""TLS towards a receiver: whom to trust, and who we are.

Reads certificate files.
"""

import ssl
from pathlib import Path
from typing import Self

from pydantic import model_validator

from eventgate.errors import ConfigurationError, FieldError
from eventgate.forward.transports.reread import Reread
from eventgate.forward.transports.settings import Settings


class TlsSettings(Settings):
    """Keys of every transport that can speak TLS. All files are PEM."""

    ca_file: Path | None = None
    """The authorities to trust; the system's own where absent."""
    certificate_file: Path | None = None
    """Our certificate and its chain, for a receiver that asks for one."""
    key_file: Path | None = None
    server_name: str | None = None
    """The name that the receiver's certificate must carry; the address's host where absent."""

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together; one of them is missing")
        return self


def client_context(settings: TlsSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer; the receiver's chain and name are always checked. Raises ConfigurationError naming the file."""
    key, named = "ca_file", settings.ca_file
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate_file is not None:
            key, named = "certificate_file", settings.certificate_file
            context.load_cert_chain(settings.certificate_file, settings.key_file)
    except (OSError, ssl.SSLError) as error:
        problem = FieldError(key, "unreadable", f"expected PEM that OpenSSL can read, got {named}: {error}")
        raise ConfigurationError("sink", [problem]) from error
    return context


def client_contexts(settings: TlsSettings) -> Reread[ssl.SSLContext]:
    """The context that the files make now, whenever it is asked for. Raises as ``client_context`` at the beginning."""
    files = settings.ca_file, settings.certificate_file, settings.key_file
    return Reread(lambda: client_context(settings), files)
