"""Which EventGate a command speaks to, with which credentials, and how it asks.

Touches the data directory's bootstrap.json, and the network through the SDK's connection.
What is typed wins over the environment, that over bootstrap.json.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from eventgate.errors import CallerError
from eventgate.sdk.answer import problem
from eventgate.sdk.client import Client
from eventgate.sdk.connection import Connection
from eventgate.signing.keys import SigningKey

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Gate:
    """One EventGate and how to be let in."""

    url: str
    auth_key: str
    ca_file: Path | None = None

    @classmethod
    def find(cls, url: str | None, key: str | None, data: Path, ca_file: Path | None = None) -> Self:
        """Put the settings of a reading command together; the first start's admin key reads everything."""
        told = _Told(data)
        return cls(url or told["url"], key or told["adminAuthKey"], ca_file)

    def get(self, path: str, parameters: Sequence[tuple[str, str]] = ()) -> Any:
        """The JSON document at ``path``. Raises CallerError, Unavailable, ConnectionError."""
        return self._ask("GET", _target(path, parameters))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask for something to be made or done; what came of it, None where there is nothing to say."""
        return self._ask("POST", path, body)

    def put(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._ask("PUT", path, body)

    def patch(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._ask("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request on a connection of its own, so none is sent twice. Raises as ``get`` says."""
        headers = self._headers() if body is None else {**self._headers(), "Content-Type": "application/json"}
        connection = Connection(self.url, ca_file=self.ca_file)
        try:
            reply = connection.request(method, path, headers, None if body is None else json.dumps(body).encode())
        finally:
            connection.close()
        if not 200 <= reply.status < 300:
            error = problem(reply.status, reply.headers, reply.body)
            if isinstance(error, CallerError) and error.code == "not-found":
                error.detail = f"{self.url} has nothing under {path.partition('?')[0]} that you may see."
            raise error
        if not reply.body:
            return None
        try:
            return json.loads(reply.body)
        except ValueError:
            raise CallerError(
                reply.status, "no-json", f"{self.url} answered something that is no EventGate's."
            ) from None

    def stream(
        self,
        path: str,
        parameters: Sequence[tuple[str, str]] = (),
        headers: dict[str, str] | None = None,
        timeout: float = 45,
    ) -> HTTPResponse:
        """An answer to be read as it comes; raises as ``get`` does. ``timeout`` seconds of silence: TimeoutError."""
        connection = Connection(self.url, ca_file=self.ca_file, timeout=timeout)
        response = connection.stream(_target(path, parameters), {**self._headers(), **(headers or {})})
        if response.status != 200:
            named = {name.lower(): value for name, value in response.getheaders()}
            raise problem(response.status, named, response.read())
        return response

    def _headers(self) -> dict[str, str]:
        return {"Authorization": self.auth_key, "Accept": "*/*"}


def sensor(
    url: str | None,
    key: str | None,
    data: Path,
    *,
    ca_file: Path | None,
    signing_key: Path | None,
    verify_key_id: str | None,
) -> Client:
    """The client that sends signed events, with the settings of a sensor."""
    told = _Told(data)
    file = signing_key or Path(told["signingKeyFile"])
    return Client(
        url or told["url"],
        key or told["authKey"],
        SigningKey.from_pem(file.read_bytes()),
        verify_key_id or told["verifyKeyId"],
        ca_file=ca_file,
    )


def pages(gate: Gate, path: str, parameters: Sequence[tuple[str, str]] = ()) -> Iterator[dict[str, Any]]:
    """The pages of a list, one after the other, along their links."""
    page = gate.get(path, parameters)
    yield page
    while page.get("nextUrl"):
        page = gate.get(f"{path}?{urlsplit(page['nextUrl']).query}")
        yield page


def everything(gate: Gate, path: str, parameters: Sequence[tuple[str, str]] = ()) -> list[dict[str, Any]]:
    """All that a list holds."""
    return [each for page in pages(gate, path, parameters) for each in page["data"]]


def first(gate: Gate, path: str, parameters: Sequence[tuple[str, str]], limit: int) -> Iterator[dict[str, Any]]:
    """The pages of a list, until they hold ``limit`` objects; what the last holds beyond that is left out."""
    for page in pages(gate, path, [*parameters, ("limit", str(min(limit, _PAGE)))]):
        found = page["data"][:limit]
        limit -= len(found)
        yield {**page, "data": found}
        if not limit:
            return


def filter_parameters(filters: Sequence[str] | None) -> list[tuple[str, str]]:
    """The ``filter`` parameters for conditions as typed: blanks stand for the middle dots where there are none."""
    return [("filter", text if "·" in text else "·".join(text.split(None, 2))) for text in filters or ()]


def segment(text: str) -> str:
    """One segment of a path, whatever was typed."""
    return quote(text, safe="")


def _target(path: str, parameters: Sequence[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(parameters)}" if parameters else path


class _Told:
    """The members of bootstrap.json, read only when one of them is needed."""

    def __init__(self, data: Path) -> None:
        self._path = data / "bootstrap.json"
        self._members: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        if self._members is None:
            try:
                self._members = json.loads(self._path.read_bytes())
            except OSError as error:
                raise ValueError(
                    f"I do not know which EventGate to ask: {self._path} cannot be read ({error.strerror}). "
                    "Name its data directory with --data, or give --url and --key."
                ) from error
            except ValueError:
                raise ValueError(f"{self._path} is not the file that EventGate writes at its first start.") from None
        if name not in self._members:
            raise ValueError(f"{self._path} has no member {name!r}.")
        return self._members[name]
