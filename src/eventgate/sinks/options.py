"""What each transport wants to know: the keys of a sink's table in the configuration, checked, with their defaults.

Pure. A transport gets its options as one frozen value; secrets are read from files when the sink is built.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, StringConstraints

Address = Annotated[str, StringConstraints(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+):[0-9]{1,5}$")]
"""``host:port``; an IPv6 address stands in brackets."""


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UdpOptions(_Options):
    """Syslog over UDP (RFC 5426): best effort."""

    transport: Literal["udp"]
    address: Address


class TcpOptions(_Options):
    """Syslog over TCP with octet counting (RFC 6587): written."""

    transport: Literal["tcp"]
    address: Address
    timeout_seconds: PositiveFloat = 30.0


class _TlsKeys(_Options):
    ca_file: Path | None = None
    """Authorities to trust, PEM; the system's own where absent."""
    cert_file: Path | None = None
    """Our certificate, PEM, for a receiver that asks for one."""
    key_file: Path | None = None
    server_name: str | None = None
    """The name that the receiver's certificate must carry; the address's host where absent."""


class TlsOptions(_TlsKeys):
    """Syslog over TLS (RFC 5425): written."""

    transport: Literal["tls"]
    address: Address
    timeout_seconds: PositiveFloat = 30.0


class RelpOptions(_TlsKeys):
    """RELP, acknowledged message by message: confirmed."""

    transport: Literal["relp"]
    address: Address
    tls: bool = False
    window: Annotated[int, Field(ge=1, le=10_000)] = 128
    timeout_seconds: PositiveFloat = 30.0
    max_message_bytes: PositiveInt = 128 << 10
    """The receiver's largest message (rsyslog's maxDataSize); a longer event becomes a dead letter."""


class FileOptions(_Options):
    """One event a line, synced to disk before it counts: confirmed."""

    transport: Literal["file"]
    path: Path
    rotate_bytes: Annotated[int, Field(ge=1024)] = 100 << 20
    keep_files: Annotated[int, Field(ge=0, le=1000)] = 10
    """How many rotated files stay beside the current one: ``path.1`` is the newest."""
