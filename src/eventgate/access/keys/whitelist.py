"""The addresses that an API key may be used from, as their owner writes them.

Pure.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from eventgate.access.principal import Network

_EXPECTED = "expected an IPv4 or IPv6 address, or a CIDR block such as 192.0.2.0/24 or 2001:db8::/32"
_SHAPE = re.compile(r"[0-9A-Fa-f:.]+(/(0|[1-9]\d{0,2}))?", re.ASCII)  # no netmask, no zone, no leading zero
_MAPPED_BITS = 96  # of ::ffff:0:0/96 (RFC 4291, section 2.5.5.2)


def read_network(text: str) -> str:
    """The address or block in its usual spelling; ValueError says what is wrong with it.

    An IPv4 address mapped into IPv6 becomes the IPv4 address: it is how callers are compared.
    """
    if not _SHAPE.fullmatch(text):
        raise ValueError(_EXPECTED)
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError(_with_host_bits(text) or _EXPECTED) from None
    network = _unmapped(network)
    return str(network) if network.prefixlen < network.max_prefixlen else str(network.network_address)


def networks(texts: Iterable[str]) -> list[Network]:
    return [ip_network(text) for text in texts]


def within(inner: Iterable[Network], outer: Iterable[Network]) -> bool:
    """Whether every address of ``inner`` is one of ``outer``, block by block."""
    blocks = list(outer)
    return all(any(_is_within(network, block) for block in blocks) for network in inner)


def _is_within(network: Network, block: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(block, IPv4Network) and network.subnet_of(block)
    return isinstance(block, IPv6Network) and network.subnet_of(block)


def _with_host_bits(text: str) -> str | None:
    """What to say of a block whose address has bits to the right of its prefix."""
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        return None
    return f"the address has bits set beyond its prefix; {meant} is the block, {text.partition('/')[0]} the one address"


def _unmapped(network: Network) -> Network:
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network
