"""The keys that all sinks over HTTP share, and secrets that stand in files.

Reads those files.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PositiveFloat

from eventgate.errors import ConfigurationError, FieldError
from eventgate.forward.transports.settings import Remark, is_this_machine
from eventgate.forward.transports.tls import TlsSettings
from eventgate.outbound import AddressRefused, Reach

_Value = TypeVar("_Value")


def _http(text: str) -> str:
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine or parts.username is not None or parts.fragment or not text.isprintable() or " " in text:
        raise ValueError("expected an address such as https://siem.example:8088, without a user and a fragment")
    return text


def _base(text: str) -> str:
    if "?" in text:
        raise ValueError("expected an address without a query")
    return text.rstrip("/")


Url = Annotated[str, AfterValidator(_http)]
BaseUrl = Annotated[Url, AfterValidator(_base)]
"""The address that a protocol's own paths stand below."""


class HttpSettings(TlsSettings):
    """Keys of every transport over HTTP."""

    sent: ClassVar[tuple[str, ...]] = ()
    """The keys of secrets that every request carries."""

    url: Url
    timeout_seconds: PositiveFloat = 30.0
    """From asking to the last byte of the answer."""
    in_flight: Annotated[int, Field(ge=1, le=64)] = 4
    """Requests on their way at once; with 1 events arrive in their order."""
    private_addresses: bool = False
    """Whether the receiver may have a private address, or be this machine."""
    proxy: Url | None = None

    def read_files(self) -> None:
        """Read every file that is named, so that a mistake is told before anything starts. ConfigurationError."""

    def remarks(self) -> Iterator[Remark]:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        told = next((key for key in self.sent if getattr(self, key) is not None), None)
        if told and parts.scheme == "http" and (self.proxy or not is_this_machine(host)):
            named = told.removesuffix("_file")
            yield Remark("url", f"over http, whoever listens on the network can read the {named}; use https")
        if fault := self._unreachable(host):
            yield Remark("url", f"nothing can be delivered there: {fault}")

    def _unreachable(self, host: str) -> str | None:
        """Why an address that is written out is never dialled; of a name nobody knows what it will resolve to."""
        if host.lower() == "localhost" and not self.proxy:
            host = "127.0.0.1"
        try:
            Reach(private=self.private_addresses).demand(host)
        except AddressRefused as error:
            return error.strerror
        except ValueError:
            return None
        return None


def secret(key: str, value: str | None, file: Path | None, read: Callable[[str], _Value]) -> _Value | None:
    """What ``read`` makes of a secret given by value or by file; None where there is none.

    Raises ConfigurationError that names the key and shows nothing of the secret; ``read`` raises ValueError.
    """
    if file is None:
        return None if value is None else read(value)
    named = f"{key}_file"
    try:
        return read(file.read_text("utf-8").rstrip("\r\n"))
    except UnicodeDecodeError:
        problem = FieldError(named, "invalid", f"expected text in {file}")
    except ValueError as error:
        problem = FieldError(named, "invalid", f"{file}: {error}")
    except OSError as error:
        problem = FieldError(named, "unreadable", f"expected a readable file: {error}")
    raise ConfigurationError("sink", [problem])


def header_word(text: str) -> str:
    """A token as a header may carry it. Raises ValueError."""
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("expected one word of printable ASCII")
    return text
