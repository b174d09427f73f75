"""What there is to configure: every section and key, with its default and what it may be.

Pure. Rooms get plain values from app, never these objects.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from eventgate.errors import spelled

_MEBIBYTE = 1 << 20

_SECURE_URL = r"https://[^/?#\s]+[^?#\s]*|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[^?#\s]*)?"
"""What is fetched from it is trusted: behind HTTPS, or on this machine."""
_SECURE_URL_SAID = "an https address, as in https://login.example/realms/soc; http to this machine alone"

Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Http(_Section):
    """Where callers reach the gate."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=1, le=65535)
    workers: int = Field(default_factory=lambda: min(os.cpu_count() or 1, 4), ge=1, le=64)
    public_url: Annotated[
        str,
        AfterValidator(
            spelled(
                r"(https?://[^/?#\s]+[^?#\s]*[^/?#\s])?",
                "an address without a slash at its end, as in https://gate.example",
            )
        ),
    ] = ""
    certificate_file: Path | None = None
    key_file: Path | None = None
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    plain_text_on_network: bool = False
    drain_seconds: Seconds = 20.0

    @field_validator("host")
    @classmethod
    def _is_address(cls, host: str) -> str:
        ip_address(host)
        return host

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together; one of them is missing")
        guarded = self.certificate_file or self.trusted_proxies or self.plain_text_on_network
        if not ip_address(self.host).is_loopback and not guarded:
            raise ValueError(
                f"host {self.host} can be reached from other machines, and auth keys would cross the network readable; "
                "expected certificate_file and key_file, or trusted_proxies, or plain_text_on_network = true to insist"
            )
        return self

    @property
    def base_url(self) -> str:
        """The address to tell people, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"{'https' if self.certificate_file else 'http'}://{host}:{self.port}"


class Database(_Section):
    """An external PostgreSQL by ``url``, or the embedded one."""

    url: Annotated[
        str, AfterValidator(spelled(r"(postgres(ql)?://.*)?", "postgresql://user:password@host/database"))
    ] = Field("", repr=False)
    settings: dict[str, str] = {}
    connections: int = Field(8, ge=2, le=100)


class Writes(_Section):
    """What a write may be."""

    max_body_bytes: Positive = 5 * _MEBIBYTE
    max_inflated_bytes: Positive = 8 * _MEBIBYTE
    max_events: Positive = 5_000
    max_age_days: Positive = 30
    max_ahead_seconds: Positive = 300
    created_back_seconds: Positive = 300
    created_ahead_seconds: Positive = 60
    bodies_in_flight_bytes: Positive = 16 * _MEBIBYTE
    max_backlog_events: Positive = 50_000
    min_free_disk_bytes: Positive = 1 << 30


class Journal(_Section):
    """How events are committed and how long they stay."""

    commit_connections: int = Field(2, ge=1, le=16)
    group_events: int = Field(2_000, ge=1, le=20_000)
    keep_payload_hours: Positive = 7 * 24
    keep_payload_bytes: Positive = 10 << 30
    keep_events_days: Positive = 90
    keep_rejects_days: Positive = 7
    keep_dead_letters_days: Positive = 90


class Search(_Section):
    """Bounds of a search."""

    deadline_seconds: Seconds = 2.0
    connections: int = Field(4, ge=1, le=50)


class Audit(_Section):
    """The log of who changed what."""

    keep_days: Positive = 400


class Sessions(_Section):
    """How long people stay signed in, and the secret that their tokens and second factors hang on."""

    idle_minutes: int = Field(60, ge=5, le=30 * 24 * 60)
    lifetime_hours: int = Field(24, ge=1, le=365 * 24)
    key_file: Path | None = None


class Alarms(_Section):
    """When EventGate alerts of itself."""

    failing_minutes: Seconds = 5.0


class Log(_Section):
    """Structured logs on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    style: Literal["json", "console"] = "json"


class Metrics(_Section):
    """Who may read /metrics: whoever shows the token, and the machine itself on a port of its own."""

    token: str = Field("", repr=False)
    port: int = Field(0, ge=0, le=65535)


class Mail(_Section):
    """The mail server that people's links go through; without a host they are shown to whoever asks for them."""

    host: str = ""
    port: int = Field(587, ge=1, le=65535)
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    ca_file: Path | None = None
    username: str = ""
    password: str = Field("", repr=False)
    sender: Annotated[
        str, AfterValidator(spelled(r"([^\s@<>]+@[^\s@<>]+)?", "an address of mail, as in eventgate@example.org"))
    ] = ""
    timeout_seconds: Seconds = 10.0

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.host and not self.sender:
            raise ValueError("a host needs a sender, the address that mails come from; expected one")
        if bool(self.username) != bool(self.password):
            raise ValueError("username and password belong together; one of them is missing")
        if self.username and self.tls == "none" and self.host not in {"localhost", "127.0.0.1", "::1"}:
            raise ValueError('tls = "none" would send the password readable; expected starttls or implicit')
        return self


class People(_Section):
    """How long the links are good by which people set a password."""

    invitation_hours: Seconds = 7 * 24.0
    reset_hours: Seconds = 1.0


class TokenIssuer(_Section):
    """One issuer of OAuth2 tokens that is trusted; ``access/tokens/issuer.py`` says what the keys mean."""

    url: Annotated[str, AfterValidator(spelled(_SECURE_URL, _SECURE_URL_SAID))]
    audiences: tuple[str, ...] = Field(min_length=1)
    jwks_url: Annotated[str, AfterValidator(spelled(rf"({_SECURE_URL})?", _SECURE_URL_SAID))] = ""
    algorithms: tuple[str, ...] = Field(("ES256", "RS256", "PS256", "EdDSA", "Ed25519"), min_length=1)
    leeway_seconds: int = Field(30, ge=0, le=300)
    scopes_claim: str = Field("scope", min_length=1)
    company_claim: str = ""
    company: str = ""
    user_claim: str = ""
    scopes: dict[str, tuple[str, ...]] = {}
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    proxy: Annotated[
        str, AfterValidator(spelled(r"(http://[^/?#\s]+/?)?", "an address such as http://proxy.example:3128"))
    ] = ""
    private_addresses: bool = False

    @model_validator(mode="after")
    def _says_whose(self) -> Self:
        if bool(self.company) == bool(self.company_claim):
            raise ValueError("expected either company (an id or a name) or company_claim (where the token says it)")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together; one of them is missing")
        return self


class OAuth2(_Section):
    """Whose tokens are taken beside auth keys."""

    issuers: tuple[TokenIssuer, ...] = ()


class Sink(BaseModel):
    """One destination; the keys its transport needs stand beside these and are checked by the transport."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    name: Annotated[
        str,
        AfterValidator(
            spelled(r"[a-z0-9][a-z0-9-]{0,62}", "at most 63 of a to z, 0 to 9 and dashes, the first of them no dash")
        ),
    ]
    transport: str
    format: str = "json"
    filter: tuple[str, ...] = ()
    company: UUID | None = None
    begin: str = "beginning"
    replay_events_per_second: int = Field(5_000, ge=0)

    @field_validator("begin", mode="before")
    @classmethod
    def _may_be_a_date_of_toml(cls, begin: Any) -> Any:
        """Without quotes, TOML makes an object of a date; one without an offset is in UTC, as everywhere."""
        return begin.isoformat(" ") if isinstance(begin, datetime) else begin

    @property
    def options(self) -> Mapping[str, Any]:
        """The keys of its transport."""
        return self.model_extra or {}


class Configuration(_Section):
    """Everything an EventGate is told."""

    data: Path = Path("data")
    http: Http = Http()
    database: Database = Database()
    writes: Writes = Writes()
    journal: Journal = Journal()
    search: Search = Search()
    audit: Audit = Audit()
    sessions: Sessions = Sessions()
    alarms: Alarms = Alarms()
    log: Log = Log()
    metrics: Metrics = Metrics()
    mail: Mail = Mail()
    people: People = People()
    oauth2: OAuth2 = OAuth2()
    sinks: tuple[Sink, ...] = ()

    @property
    def session_key_file(self) -> Path:
        """Where the sessions' secret is kept."""
        return self.sessions.key_file or self.data / "sessions.key"

    @field_validator("sinks")
    @classmethod
    def _have_names_of_their_own(cls, sinks: tuple[Sink, ...]) -> tuple[Sink, ...]:
        names = [sink.name for sink in sinks]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two sinks are called {twice[0]!r}; a sink's cursor is kept under its name")
        return sinks
