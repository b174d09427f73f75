"""Reads what proxies say of whom they speak for: ``Forwarded`` (RFC 7239) and ``X-Forwarded-For``.

Pure. Whatever stands before a proxy's own words may be its caller's invention, made to be misread. So a ``Forwarded``
that is not exactly in its grammar, or has anything in a quoted string that no node and no host has, says nothing.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

_PLAIN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PAIR = re.compile(rf'\s*({_PLAIN})=(?:({_PLAIN})|"([0-9A-Za-z._:\[\]-]*)")\s*', re.ASCII)
_NODE = re.compile(
    r"(?:(?P<v4>[0-9.]+)|\[(?P<boxed>[0-9A-Fa-f:.]+)\])(?::[0-9]{1,5})?|(?P<v6>[0-9A-Fa-f:.]+:[0-9A-Fa-f:.]*)", re.ASCII
)

Address = IPv4Address | IPv6Address


class Hop(NamedTuple):
    """One who spoke to the next. ``address`` is None where nobody can tell it (RFC 7239, section 6.2 and 6.3)."""

    address: Address | None
    proto: str | None = None


def forwarded_hops(lines: Sequence[str]) -> list[Hop]:
    """Who spoke to whom, outermost first, as ``Forwarded`` has it; one unknown hop where it is malformed."""
    hops = []
    for line in lines:
        for element in line.split(","):  # no quoted string that is taken has a comma
            if not element.strip():
                continue
            pairs = _pairs(element)
            if pairs is None:
                return [Hop(None)]
            proto = pairs.get("proto", "").lower()
            hops.append(Hop(read_node(pairs.get("for", "")), proto if proto in ("http", "https") else None))
    return hops


def x_forwarded_hops(lines: Sequence[str]) -> list[Hop]:
    """Who spoke to whom, outermost first, as ``X-Forwarded-For`` has it."""
    return [Hop(read_node(text)) for line in lines for text in line.split(",") if text.strip()]


def read_node(text: str) -> Address | None:
    """An address as proxies write it, with brackets and a port or without; None for anything else."""
    found = _NODE.fullmatch(text.strip())
    return read_address(found["v4"] or found["boxed"] or found["v6"]) if found else None


def read_address(text: str) -> Address | None:
    """An address; one of IPv4 that is written as IPv6 is one of IPv4, and a zone is left out."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _pairs(element: str) -> dict[str, str] | None:
    """The parameters of one element by lower-case name; None where it is malformed or says one of them twice."""
    pairs: dict[str, str] = {}
    for part in element.split(";"):
        found = _PAIR.fullmatch(part)
        if found is None or found[1].lower() in pairs:
            return None
        pairs[found[1].lower()] = found[2] or found[3] or ""
    return pairs
