"""The public keys of one issuer: fetched when they are needed, kept while they serve, replaced as the issuer rotates.

Touches the network through ``fetch`` alone. Nobody waits for a fetch whose key is at hand.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import orjson
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from eventgate.clock import Clock
from eventgate.errors import EventGateError, Unavailable

Key = ECKey | OKPKey | RSAKey
Fetch = Callable[[str], Awaitable[bytes]]
"""The body behind a URL, whole and bounded. Raises an EventGateError where there is none."""

REFRESH_SECONDS = 300.0
"""How old the keys may get: so long a key lives on that its issuer has taken back."""
UNKNOWN_SECONDS = 60.0
"""Unknown key ids cause a fetch at most so often: anybody can make one up."""
RETRY_SECONDS = 5.0
"""How soon a fetch is tried again while there are no keys at all."""

_MOST_KEYS = 100
_KINDS: Mapping[str, type[ECKey] | type[OKPKey] | type[RSAKey]] = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}
_FAMILIES = {"ES": "EC", "RS": "RSA", "PS": "RSA", "Ed": "OKP"}
_SMALLEST_RSA = 2048
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})
_log = structlog.get_logger()


class IssuerKeys:
    """``jwks_url`` "": ask the issuer's discovery document (OpenID Connect Discovery 1.0, section 4)."""

    def __init__(self, issuer: str, jwks_url: str, fetch: Fetch, clock: Clock) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._fetch = fetch
        self._clock = clock
        self._keys: tuple[Key, ...] = ()
        self._fetched: float | None = None
        self._tried: float | None = None
        self._failed = False
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str | None, algorithm: str) -> Key | None:
        """The key of that id that fits the algorithm; without an id, the only one that fits. None where there is none.

        Raises Unavailable where that cannot be known, since the issuer does not answer.
        """
        found = self._look(key_id, algorithm)
        if found is not None:
            if self._age(self._fetched) > REFRESH_SECONDS and self._age(self._tried) > UNKNOWN_SECONDS:
                self._start()
            return found
        if self._fetching is not None or self._age(self._tried) > (UNKNOWN_SECONDS if self._keys else RETRY_SECONDS):
            await asyncio.shield(self._start())
            found = self._look(key_id, algorithm)
        if found is None and self._failed:
            raise Unavailable(
                "issuer-unavailable", "The token's issuer cannot be asked for its keys at the moment.", retry_after=5
            )
        return found

    def _look(self, key_id: str | None, algorithm: str) -> Key | None:
        kind = _FAMILIES.get(algorithm[:2])
        fitting = [
            key
            for key in self._keys
            if key.key_type == kind and key.get("alg") in (None, algorithm) and key_id in (None, key.kid)
        ]
        return fitting[0] if len(fitting) == 1 else None

    def _age(self, moment: float | None) -> float:
        return float("inf") if moment is None else self._clock.monotonic() - moment

    def _start(self) -> asyncio.Task[None]:
        """Fetch once, however many wait for it or do not."""
        if self._fetching is None:
            self._tried = self._clock.monotonic()
            self._fetching = asyncio.create_task(self._refresh(), name=f"keys of {self._issuer}")
        return self._fetching

    async def _refresh(self) -> None:
        try:
            url = self._jwks_url or await self._discover()
            self._keys = tuple(_usable(_member(await self._fetch(url), "keys", list)))
            self._fetched, self._failed = self._clock.monotonic(), False
        except (EventGateError, ValueError) as error:
            self._failed = True  # what we have goes on to serve
            _log.warning("no keys from the token issuer", issuer=self._issuer, reason=str(error), kept=len(self._keys))
        finally:
            self._fetching = None

    async def _discover(self) -> str:
        document = await self._fetch(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        named = _member(document, "issuer", str)
        if named != self._issuer:
            raise ValueError(f"its discovery document says that it is {named!r}")
        url: str = _member(document, "jwks_uri", str)
        if not url.startswith("https://") and self._issuer.startswith("https://"):
            raise ValueError("its discovery document names keys that are not behind HTTPS")
        return url


def _member(body: bytes, name: str, kind: type) -> Any:
    document = orjson.loads(body)
    found = document.get(name) if isinstance(document, dict) else None
    if not isinstance(found, kind):
        raise ValueError(f"expected JSON with {name!r}")  # noqa: TRY004 - wrong data, not a wrong call
    return found


def _usable(documents: list[Any]) -> Iterable[Key]:
    """The keys that can check signatures; others are for other purposes, or for programs newer than we are."""
    for document in documents[:_MOST_KEYS]:
        try:
            if key := _key(document):
                yield key
        except (JoseError, UnsupportedAlgorithm, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            continue  # whatever else it is


def _key(document: dict[str, Any]) -> Key | None:
    kind = _KINDS.get(document["kty"])
    if kind is None or document.get("use", "sig") != "sig" or "verify" not in document.get("key_ops", ["verify"]):
        return None
    if kind is RSAKey and len(document["n"].rstrip("=")) * 6 < _SMALLEST_RSA:
        return None
    return kind.import_key({name: value for name, value in document.items() if name not in _PRIVATE})
