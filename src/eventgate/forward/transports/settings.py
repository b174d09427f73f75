"""What the settings of all transports share: frozen, no stranger among the keys, addresses that can be read.

Pure.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+):([0-9]{1,5})")


def _host_with_port(address: str) -> str:
    found = _ADDRESS.fullmatch(address)
    if found is None or not 1 <= int(found[2]) <= 65_535:
        raise ValueError("expected a host and a port of 1 to 65535, as in siem.example:514 or [2001:db8::1]:514")
    return address


Address = Annotated[str, AfterValidator(_host_with_port)]
"""``host:port``; an IPv6 address stands in brackets."""


class Settings(BaseModel):
    """The keys of a sink's table that belong to its transport."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def host_and_port(address: str) -> tuple[str, int]:
    """The two halves of an Address."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
