"""What of a request says who is asking, and from where.

Pure. Made by the door of the HTTP interface; the rooms below never see a request.
"""

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple, Protocol


class Headers(Protocol):
    """A multidict: names without regard to case, several values a name."""

    def getall(self, key: str, default: list[str], /) -> Iterable[str]: ...


class Asked(NamedTuple):
    """One request, as far as authentication looks at it.

    ``query_string`` is raw. ``remote`` is the caller's address, "" where there is none. ``origin`` is scheme and
    authority under which the caller sees EventGate, as in ``https://gate.example``: what a browser sends as ``Origin``.
    """

    method: str
    headers: Headers
    query_string: str = ""
    remote: str = ""
    origin: str = ""


def block_of(remote: str) -> str:
    """The addresses that one caller may well have all of: one of IPv4, a /64 of IPv6 (RFC 6177)."""
    try:
        address = ip_address(remote.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return str(address)
