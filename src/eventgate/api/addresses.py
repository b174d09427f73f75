"""Where a request comes from and under which address the caller sees EventGate.

Pure. What proxies say is believed of configured proxies alone: anybody can write a header.
"""

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

from aiohttp import web

Network = IPv4Network | IPv6Network

_FOR = re.compile(r'(?:^|;)\s*for=("(?:[^"\\]|\\.)*"|[^;\s]+)', re.IGNORECASE)
_PROTO = re.compile(r'(?:^|;)\s*proto="?(https?)"?', re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", re.ASCII)


class Origin(NamedTuple):
    """``remote`` is the caller's address, "" where there is none; ``scheme`` and ``authority`` are how it sees us."""

    remote: str
    scheme: str
    authority: str


class Addresses:
    """``public_url`` is the configured public address, "" to go by what callers name."""

    def __init__(self, public_url: str = "", trusted_proxies: Sequence[Network] = ()) -> None:
        self._public_url = public_url.rstrip("/")
        self._trusted = tuple(trusted_proxies)
        scheme, _, rest = self._public_url.partition("://")
        self._public = (scheme, rest.partition("/")[0])

    def base_url(self, request: web.BaseRequest) -> str:
        """What the absolute addresses in answers begin with."""
        if self._public_url:
            return self._public_url
        origin = self.origin(request)
        return f"{origin.scheme}://{origin.authority}"

    def origin(self, request: web.BaseRequest) -> Origin:
        peer = request.remote or ""
        remote, scheme = (peer, request.scheme) if not self._trusted else self._behind_proxies(request, peer)
        if self._public_url:
            return Origin(remote, *self._public)
        host = request.headers.get("Host", "")
        return Origin(remote, scheme, host.lower() if _HOST.fullmatch(host) else "localhost")

    def _behind_proxies(self, request: web.BaseRequest, peer: str) -> tuple[str, str]:
        """Walk back from the peer as long as who speaks is one of our proxies; the first who is not is the caller."""
        remote, scheme = peer, request.scheme
        if not self._is_trusted(peer):
            return remote, scheme
        hops = list(_hops(request))
        for hop in reversed(hops):
            address, proto = hop
            if address is None:  # unknown or obfuscated (RFC 7239, section 6): nobody beyond can be believed
                return "", scheme
            remote, scheme = str(address), proto or scheme
            if not self._is_trusted(remote):
                break
        proto = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        return remote, proto if proto in ("http", "https") and "Forwarded" not in request.headers else scheme

    def _is_trusted(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


def _hops(request: web.BaseRequest) -> Iterator[tuple[IPv4Address | IPv6Address | None, str | None]]:
    """Who spoke to whom, outermost first: ``Forwarded`` (RFC 7239) where it is sent, ``X-Forwarded-For`` otherwise."""
    forwarded = ",".join(request.headers.getall("Forwarded", []))
    if forwarded:
        for element in forwarded.split(","):
            found, proto = _FOR.search(element), _PROTO.search(element)
            yield _address(found[1].strip('"') if found else ""), proto[1].lower() if proto else None
        return
    for text in ",".join(request.headers.getall("X-Forwarded-For", [])).split(","):
        if text.strip():
            yield _address(text), None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it: with brackets and a port, or without."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
