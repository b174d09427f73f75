"""What a Kafka sink may be told, and how that is said to the client library.

Reads certificate and password files.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from eventgate.errors import ConfigurationError, FieldError, spelled
from eventgate.forward.transports.settings import Address, Remark, host_and_port, is_this_machine
from eventgate.forward.transports.tls import TlsSettings, client_context

Topic = Annotated[
    str, AfterValidator(spelled(r"[A-Za-z0-9._-]{1,249}", "a topic's name: at most 249 letters, digits, dots, _ and -"))
]


class KafkaSettings(TlsSettings):
    """Keys of transport ``kafka``."""

    brokers: Annotated[tuple[Address, ...], Field(min_length=1)]
    topic: Topic
    partitions: Annotated[int, Field(ge=1, le=10_000)] = 6
    """For a topic that is absent and gets created; one that exists keeps its own."""
    replication: Annotated[int | None, Field(ge=1, le=100)] = None
    """Likewise; three where absent, or as many as there are brokers."""
    compression: Literal["zstd", "lz4", "snappy", "gzip", "none"] = "zstd"
    max_message_bytes: Annotated[int, Field(ge=2048, le=16 << 20)] = 1_000_000
    """At most the topic's own ``max.message.bytes``; a longer event becomes a dead letter."""
    tls: bool = False
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    username: str | None = None
    password: Annotated[str | None, Field(repr=False)] = None
    password_file: Path | None = None

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if not self.tls and (self.ca_file or self.certificate_file):
            raise ValueError("ca_file and certificate_file need tls = true")
        if self.server_name is not None:
            raise ValueError("server_name is not for Kafka: a broker's certificate carries the name it is reached by")
        if self.sasl_mechanism is None:
            if self.username or self.password or self.password_file:
                raise ValueError("username and password need sasl_mechanism")
        elif self.username is None or (self.password is None) == (self.password_file is None):
            raise ValueError("sasl_mechanism needs username, and one of password and password_file")
        return self

    def remarks(self) -> Iterator[Remark]:
        if self.tls or self.sasl_mechanism is None:
            return
        if all(is_this_machine(host_and_port(broker)[0]) for broker in self.brokers):
            return
        told = "read the password" if self.sasl_mechanism == "PLAIN" else "guess at the password from what it hears"
        yield Remark("tls", f"without tls = true, whoever listens on the network can {told}")

    @property
    def keeper(self) -> str:
        """Who keeps the progress of a sink with these settings: another topic is another keeper, other brokers too."""
        return f"kafka {self.topic} at {','.join(sorted(self.brokers))}"

    def files(self) -> tuple[Path | None, ...]:
        """What ``connection`` reads."""
        return self.ca_file, self.certificate_file, self.key_file, self.password_file

    def connection(self) -> dict[str, Any]:
        """Keyword arguments that producer, consumer and admin client share. Raises ConfigurationError naming a file."""
        transport = "SSL" if self.tls else "PLAINTEXT"
        told: dict[str, Any] = {
            "bootstrap_servers": list(self.brokers),
            "client_id": "eventgate",
            "request_timeout_ms": 5_000,
            "retry_backoff_ms": 50,
            "security_protocol": f"SASL_{transport}" if self.sasl_mechanism else transport,
        }
        if self.tls:
            told["ssl_context"] = client_context(self)
        if self.sasl_mechanism:
            told["sasl_mechanism"] = self.sasl_mechanism
            told["sasl_plain_username"] = self.username
            told["sasl_plain_password"] = self._password()
        return told

    def _password(self) -> str | None:
        if self.password_file is None:
            return self.password
        try:
            return self.password_file.read_text().rstrip("\n")
        except OSError as error:
            problem = FieldError("password_file", "unreadable", f"expected a readable file: {error}")
            raise ConfigurationError("sink", [problem]) from error
