"""What a Kafka sink may be told, and how it is said to the client library.

Reads certificate and password files when a connection is made; touches nothing else.
"""

import ssl
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Broker = Annotated[str, Field(pattern=r"^(\[[0-9A-Fa-f:]+\]|[^:\s]+):\d{1,5}$")]

REQUEST_TIMEOUT_MS = 5_000
RETRY_BACKOFF_MS = 50


class KafkaSettings(BaseModel):
    """The keys of a sink of transport ``kafka``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    brokers: tuple[Broker, ...] = Field(min_length=1)
    topic: str = Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")
    partitions: int = Field(6, ge=1, le=10_000)
    replication: int = Field(-1, ge=-1)
    compression: Literal["zstd", "lz4", "snappy", "gzip", "none"] = "zstd"
    max_message_bytes: int = Field(900_000, ge=1_000, le=16 << 20)
    tls: bool = False
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    username: str | None = None
    password: str | None = Field(None, repr=False)
    password_file: Path | None = None

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if not self.tls and (self.ca_file or self.certificate_file or self.key_file):
            raise ValueError("ca_file, certificate_file and key_file need tls = true")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together; one of them is missing")
        secrets = (self.password is not None) + (self.password_file is not None)
        if self.sasl_mechanism is None and (self.username is not None or secrets):
            raise ValueError("username and password need sasl_mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
        if self.sasl_mechanism is not None and (self.username is None or secrets != 1):
            raise ValueError("sasl_mechanism needs username, and either password or password_file")
        return self

    def connection(self) -> dict[str, Any]:
        """What every client of the library wants to know to connect: keyword arguments."""
        transport = "SSL" if self.tls else "PLAINTEXT"
        told: dict[str, Any] = {
            "bootstrap_servers": list(self.brokers),
            "client_id": "eventgate",
            "request_timeout_ms": REQUEST_TIMEOUT_MS,
            "retry_backoff_ms": RETRY_BACKOFF_MS,
            "security_protocol": f"SASL_{transport}" if self.sasl_mechanism else transport,
        }
        if self.tls:
            told["ssl_context"] = self._ssl_context()
        if self.sasl_mechanism:
            told |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self._password(),
            }
        return told

    def _ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate_file:
            context.load_cert_chain(self.certificate_file, self.key_file)
        return context

    def _password(self) -> str:
        if self.password_file is not None:
            return self.password_file.read_text().rstrip("\n")
        assert self.password is not None
        return self.password
