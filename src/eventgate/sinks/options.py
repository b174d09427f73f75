"""What each transport wants to know: the keys of a sink's table in the configuration, checked, with their defaults.

Pure. A transport gets its options as one frozen value; secrets are read from files when the sink is built.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, StringConstraints, model_validator

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


class KafkaOptions(_Options):
    """Apache Kafka, in transactions that carry the cursor: exactly once."""

    transport: Literal["kafka"]
    brokers: Annotated[tuple[Address, ...], Field(min_length=1)]
    topic: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    partitions: Annotated[int, Field(ge=1, le=10_000)] = 6
    """Only where the topic is absent and is created; one that exists keeps its own."""
    replication: Annotated[int, Field(ge=-1, le=100)] = -1
    """Likewise; -1 leaves it to the broker's default."""
    compression: Literal["zstd", "lz4", "snappy", "gzip", "none"] = "zstd"
    max_message_bytes: Annotated[int, Field(ge=2048, le=16 << 20)] = 1_000_000
    """At most the topic's own ``max.message.bytes``; a longer event becomes a dead letter."""
    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    username: str | None = None
    password: Annotated[str | None, Field(repr=False)] = None
    password_file: Path | None = None

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if not self.tls and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError("ca_file, cert_file and key_file need tls = true")
        if self.sasl_mechanism is None:
            if self.username or self.password or self.password_file:
                raise ValueError("username and password need sasl_mechanism")
        elif self.username is None or (self.password is None) == (self.password_file is None):
            raise ValueError("sasl_mechanism needs username, and one of password and password_file")
        return self
