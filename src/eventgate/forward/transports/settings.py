"""What the settings of all transports share: frozen, no stranger among the keys, addresses that can be read.

Pure.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Address = Annotated[str, StringConstraints(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+):[0-9]{1,5}$")]
"""``host:port``; an IPv6 address stands in brackets."""


class Settings(BaseModel):
    """The keys of a sink's table that belong to its transport."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def host_and_port(address: str) -> tuple[str, int]:
    """The two halves of an Address."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
