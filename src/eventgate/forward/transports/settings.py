"""What the settings of all transports share: frozen, no stranger among the keys, addresses that can be read.

Pure.
"""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+):([0-9]{1,5})")


def _host_with_port(address: str) -> str:
    found = _ADDRESS.fullmatch(address)
    if found is None or not 1 <= int(found[2]) <= 65_535:
        raise ValueError("expected a host and a port of 1 to 65535, as in siem.example:514 or [2001:db8::1]:514")
    return address


Address = Annotated[str, AfterValidator(_host_with_port)]
"""``host:port``; an IPv6 address stands in brackets."""


class Remark(NamedTuple):
    """What is allowed but hardly meant: the key it is about, and a sentence."""

    key: str
    sentence: str


class Settings(BaseModel):
    """The keys of a sink's table that belong to its transport."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def remarks(self) -> Iterator[Remark]:
        """What is to be said of these keys, right as they are."""
        yield from ()


def host_and_port(address: str) -> tuple[str, int]:
    """The two halves of an Address."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def is_this_machine(host: str) -> bool:
    """Whether a host as written can be no other machine than this one."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
