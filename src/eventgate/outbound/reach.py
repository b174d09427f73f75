"""Which addresses HTTP of our own may go to.

Pure. A name can resolve to anything, and to something else the next time: it is the address dialled that is judged.
"""

import errno
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

Address = IPv4Address | IPv6Address

_TRANSLATED = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address behind a translator
_METADATA = frozenset(
    ip_address(text) for text in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
"""Where clouds hand credentials to whoever asks from the machine, besides 169.254.169.254, which is link-local.

Of Amazon, Google, Alibaba, Azure and Oracle.
"""


class AddressRefused(OSError):
    """The address may not be reached; an OSError, since it is raised where a socket is made."""

    def __init__(self, address: Address, why: str) -> None:
        super().__init__(errno.EACCES, f"{address} {why}")


class Reach(NamedTuple):
    """What one use may reach: public addresses; with ``private`` also private ones and the machine itself."""

    private: bool = False

    def demand(self, text: str) -> None:
        """Raise AddressRefused unless an address, as ``getaddrinfo`` writes it, may be dialled."""
        address = _plain(ip_address(text.partition("%")[0]))
        if address.is_link_local or address in _METADATA:
            raise AddressRefused(address, "is link-local or a cloud's metadata service, which is never reached")
        if address.is_unspecified or address.is_multicast or (address.is_reserved and not address.is_loopback):
            raise AddressRefused(address, "is no address of one machine")
        site_local = isinstance(address, IPv6Address) and address.is_site_local
        if (not address.is_global or site_local) and not self.private:
            raise AddressRefused(
                address, "is private or this machine itself; to reach it, set private_addresses = true beside its URL"
            )


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _TRANSLATED:
        return IPv4Address(address.packed[-4:])
    return address
