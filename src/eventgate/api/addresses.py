"""Where a request comes from and under which address the caller sees EventGate.

Pure. What proxies say is believed of configured proxies alone: anybody can write a header.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

from aiohttp import web

from eventgate.api.forwarded import Hop, forwarded_hops, read_address, x_forwarded_hops

Network = IPv4Network | IPv6Network

_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", re.ASCII)


class Origin(NamedTuple):
    """``remote`` is the caller's address, "" where nobody can tell; ``scheme`` and ``authority`` are how it sees us."""

    remote: str
    scheme: str
    authority: str

    @property
    def url(self) -> str:
        """What a browser sends as ``Origin`` for a page of ours."""
        return f"{self.scheme}://{self.authority}"


class Addresses:
    """``public_url`` is the configured public address, "" to go by what callers name."""

    def __init__(self, public_url: str = "", trusted_proxies: Sequence[Network] = ()) -> None:
        self._public_url = public_url.rstrip("/")
        self._trusted = tuple(trusted_proxies)
        scheme, _, rest = self._public_url.partition("://")
        self._public = (scheme, rest.partition("/")[0])

    def base_url(self, origin: Origin) -> str:
        """What the absolute addresses in the answer to a request from ``origin`` begin with."""
        return self._public_url or origin.url

    def origin(self, request: web.BaseRequest) -> Origin:
        peer = _plain(request.remote or "")
        remote, scheme = (peer, request.scheme) if not self._trusted else self._behind_proxies(request, peer)
        if self._public_url:
            return Origin(remote, *self._public)
        host = request.headers.get("Host", "")
        return Origin(remote, scheme, host.lower() if _HOST.fullmatch(host) else "localhost")

    def _behind_proxies(self, request: web.BaseRequest, peer: str) -> tuple[str, str]:
        """The caller's address and scheme; the address is "" where what our proxies say cannot be believed.

        A proxy that writes one of the two header fields passes on the other as it came. So where both are sent they
        must name the same caller.
        """
        if not self._is_trusted(peer):
            return peer, request.scheme
        fields = request.headers
        standard = forwarded_hops(fields.getall("Forwarded", []))
        usual = x_forwarded_hops(fields.getall("X-Forwarded-For", []))
        remote, scheme = self._walk(standard or usual, peer, request.scheme)
        if standard:
            known = not usual or remote == self._walk(usual, peer, "")[0]
            return remote if known else "", scheme
        proto = ",".join(fields.getall("X-Forwarded-Proto", [])).rpartition(",")[2].strip().lower()
        return remote, proto if proto in ("http", "https") else scheme

    def _walk(self, hops: Sequence[Hop], peer: str, scheme: str) -> tuple[str, str]:
        """Go back from the peer as long as who speaks is one of our proxies; the first who is not is the caller."""
        remote = peer
        for address, proto in reversed(hops):
            if address is None:  # unknown or obfuscated: nobody beyond can be believed
                return "", scheme
            remote, scheme = str(address), proto or scheme
            if not self._is_trusted(remote):
                break
        return remote, scheme

    def _is_trusted(self, text: str) -> bool:
        address = read_address(text)
        return address is not None and any(address in network for network in self._trusted)


def _plain(peer: str) -> str:
    """A peer's address as it is written everywhere else: without a zone, and IPv4 as IPv4."""
    if ":" not in peer:
        return peer
    address = read_address(peer)
    return peer if address is None else str(address)
