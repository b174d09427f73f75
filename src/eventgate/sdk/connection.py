"""One HTTP connection to EventGate, kept open between requests and made anew when it was lost.

Touches the network through the standard library's http.client. Every loss is a ConnectionError.
"""

import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from os import PathLike
from typing import NamedTuple
from urllib.parse import urlsplit


class Reply(NamedTuple):
    """An answer: status, header fields by their names in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """A kept connection to one base address, such as ``https://gate.example`` or ``https://siem.example/gate``."""

    def __init__(self, url: str, *, timeout: float = 30.0, ca_file: str | PathLike[str] | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"not an address like https://gate.example: {url!r}")
        self.url = url.rstrip("/")
        self._prefix = parts.path.rstrip("/")
        self._http = (
            HTTPSConnection(
                parts.hostname, parts.port, timeout=timeout, context=ssl.create_default_context(cafile=ca_file)
            )
            if parts.scheme == "https"
            else HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        )

    def path(self, path: str) -> str:
        """The path of the request line: what a signature's ``@path`` covers."""
        return self._prefix + path

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        """Send one request and read its whole answer. Raises ConnectionError, after which the next call connects anew.

        A kept connection may have been closed by the other side meanwhile; that alone is tried again at once.
        """
        kept = self._http.sock is not None
        try:
            return self._exchange(method, path, headers, body)
        except ConnectionError:
            if not kept:
                raise
            return self._exchange(method, path, headers, body)

    def stream(self, path: str, headers: Mapping[str, str]) -> HTTPResponse:
        """Start a GET whose answer is read as it comes. The connection is its own until it is closed."""
        try:
            self._http.request("GET", self.path(path), headers=dict(headers))
            return self._http.getresponse()
        except (OSError, HTTPException) as error:
            raise self._lost(error) from error

    def close(self) -> None:
        self._http.close()

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        try:
            self._http.request(method, self.path(path), body, dict(headers))
            response = self._http.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            raise self._lost(error) from error
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def _lost(self, error: Exception) -> ConnectionError:
        self._http.close()
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        return ConnectionError(f"{self.url} cannot be reached: {reason}")
