"""The way to one receiver: its origin, certificates that are reread when they change, and one request at a time.

Touches the network.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from eventgate.errors import ConfigurationError, Disconnected, FieldError
from eventgate.forward.transports.http.settings import HttpSettings
from eventgate.forward.transports.reread import Reread
from eventgate.outbound import Answer, Outbound, OutboundError, Reach

_MOST_BYTES = 8 << 20
"""Of an answer; the longest is that of a bulk request whose every document is refused."""


class Line:
    """Connections to one receiver. Raises ConfigurationError for certificates that cannot be used."""

    def __init__(self, settings: HttpSettings) -> None:
        parts = urlsplit(settings.url)
        self.name = parts.netloc
        """What messages call the receiver: a path may be a secret."""
        self._seconds = settings.timeout_seconds
        files = settings.ca_file, settings.certificate_file, settings.key_file
        self._ways = Reread(lambda: _way(settings), files)
        self._entered: Outbound | None = None

    async def refresh(self) -> None:
        """Connect anew from now on if certificates have changed; what is on its way is finished over the old ones."""
        way = self._ways.current()
        if way is not self._entered:
            before, self._entered = self._entered, await way.__aenter__()
            if before is not None:
                await before.leave()

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """The receiver's answer, whatever it says. Raises Disconnected where none came."""
        assert self._entered is not None, "not refreshed"
        try:
            return await self._entered.request(
                method, url, seconds=self._seconds, most_bytes=_MOST_BYTES, headers=headers, body=body
            )
        except OutboundError as error:
            raise Disconnected(f"{self.name}: {error.reason}") from error

    async def close(self) -> None:
        entered, self._entered = self._entered, None
        if entered is not None:
            await entered.__aexit__(None, None, None)


def _way(settings: HttpSettings) -> Outbound:
    try:
        return Outbound(
            Reach(private=settings.private_addresses),
            ca_file=settings.ca_file,
            certificate_file=settings.certificate_file,
            key_file=settings.key_file,
            server_name=settings.server_name,
            proxy=settings.proxy,
            connections=settings.in_flight + 1,
        )
    except OSError as error:  # ssl.SSLError is one
        detail = f"expected PEM that OpenSSL can read, here and in certificate_file: {error}"
        raise ConfigurationError("sink", [FieldError("ca_file", "unreadable", detail)]) from error
