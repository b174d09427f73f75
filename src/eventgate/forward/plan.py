"""A sink's definition, checked and ready to build: which events it wants, as what text, over what.

Touches the certificate and password files that the definition names; connects to nothing. Here stands the table of
transports, what a new one must be added to; that of formats stands in formats.py.
"""

import difflib
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from eventgate.clock import Clock
from eventgate.errors import CallerError, ConfigurationError, FieldError
from eventgate.event import Event, Origin, SensorNames
from eventgate.formats import MEDIA, Format
from eventgate.forward import beginning
from eventgate.forward.formats import FORMAT_KEYS, FORMATS, encoder, text_of
from eventgate.forward.transports import Transport
from eventgate.forward.transports.file import FileSettings, LinesFile
from eventgate.forward.transports.http.bulk import Bulk, BulkSettings
from eventgate.forward.transports.http.hec import Hec, HecSettings
from eventgate.forward.transports.http.settings import HttpSettings
from eventgate.forward.transports.http.webhook import Webhook, WebhookSettings
from eventgate.forward.transports.kafka.settings import KafkaSettings
from eventgate.forward.transports.kafka.transport import Kafka
from eventgate.forward.transports.relp import Relp, RelpSettings
from eventgate.forward.transports.settings import Settings
from eventgate.forward.transports.stream import SecureSettings, SyslogStream, TcpSettings
from eventgate.forward.transports.tls import TlsSettings, client_context
from eventgate.forward.transports.udp import SyslogDatagrams, UdpSettings
from eventgate.query import parse_filters
from eventgate.sinks.definition import SinkDefinition, is_about, reader

_SYSTEM = Origin.SYSTEM  # an attribute of an enumeration costs a quarter of a microsecond


class History(NamedTuple):
    """What a transport that keeps progress must know: the journal's id, and the chain's digest at a position.

    ``kept_by`` is who kept the sink's progress last; None: nobody knows.
    """

    id: UUID
    digest_at: Callable[[int], Awaitable[bytes | None]]
    kept_by: str | None = None


class Surroundings(NamedTuple):
    """What a transport may have to know beside its settings; ``structured``: its format makes JSON objects."""

    sink: str
    structured: bool
    history: History
    clock: Clock


class _Offer(NamedTuple):
    """A transport: the keys it understands, what it promises (which may hang on those), and how it is made."""

    settings: type[Settings]
    guarantee: Callable[[Any], str]
    make: Callable[[Any, Surroundings], Transport]


TRANSPORTS: Mapping[str, _Offer] = {
    "udp": _Offer(UdpSettings, lambda _: SyslogDatagrams.guarantee, lambda settings, _: SyslogDatagrams(settings)),
    "tcp": _Offer(TcpSettings, lambda _: SyslogStream.guarantee, lambda settings, _: SyslogStream(settings)),
    "tls": _Offer(SecureSettings, lambda _: SyslogStream.guarantee, lambda settings, _: SyslogStream(settings)),
    "relp": _Offer(RelpSettings, lambda _: Relp.guarantee, lambda settings, _: Relp(settings)),
    "file": _Offer(FileSettings, lambda _: LinesFile.guarantee, lambda settings, _: LinesFile(settings)),
    "kafka": _Offer(
        KafkaSettings,
        lambda _: Kafka.guarantee,
        lambda settings, around: Kafka(
            settings,
            around.sink,
            around.history.id,
            around.history.digest_at,
            around.clock,
            kept_by=around.history.kept_by,
        ),
    ),
    "hec": _Offer(
        HecSettings,
        lambda settings: settings.guarantee,
        lambda settings, around: Hec(
            settings,
            around.clock,
            channel=uuid5(around.history.id, reader(around.sink)),
            structured=around.structured,
        ),
    ),
    "bulk": _Offer(BulkSettings, lambda _: Bulk.guarantee, lambda settings, around: Bulk(settings, around.clock)),
    "webhook": _Offer(
        WebhookSettings,
        lambda _: Webhook.guarantee,
        lambda settings, around: Webhook(settings, around.clock, structured=around.structured),
    ),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A sink that can be built; ``encode_again`` is for events that were delivered before, and says so in each."""

    definition: SinkDefinition
    guarantee: str
    wants: Callable[[Event, SensorNames], bool]
    encode: Format
    encode_again: Format
    kind: Hashable
    """The same for any two sinks that send the same bytes of the same events."""
    make: Callable[[History, Clock], Transport]
    remarks: Sequence[str]
    """What is allowed but hardly meant, each with its key."""

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def company(self) -> UUID | None:
        """Whose events alone it sees; None: everybody's."""
        return self.definition.company


def plan(definition: SinkDefinition, source: str) -> Plan:
    """Check a definition. Raises ConfigurationError with every mistake, its keys as in the file ``source``."""
    problems: list[FieldError] = []
    where = f"sinks.{definition.name}"

    def chosen(key: str, name: str, table: Mapping[str, Any]) -> Any:
        if name not in table:
            expected = ", ".join(sorted(table))
            problems.append(FieldError(f"{where}.{key}", "unknown", f"expected one of {expected}, found {name!r}"))
        return table.get(name)

    def wrong(problem: FieldError) -> None:
        problems.append(FieldError(f"{where}.{problem.pointer}", problem.code, problem.detail))

    def checked(build: Callable[..., Any], options: Mapping[str, Any]) -> Any:
        try:
            built = build(**options)
            if isinstance(built, TlsSettings) and (built.ca_file or built.certificate_file):
                client_context(built)  # a file that cannot be read is told before anything starts
            if isinstance(built, HttpSettings):
                built.read_files()
        except ValidationError as error:
            problems.extend(_explained(error, where, known))
        except ConfigurationError as error:
            problems.extend(FieldError(f"{where}.{each.pointer}", each.code, each.detail) for each in error.problems)
        else:
            return built
        return None

    offer: _Offer | None = chosen("transport", definition.transport, TRANSPORTS)
    own = FORMAT_KEYS.get(definition.format, frozenset())
    known = [*(offer.settings.model_fields if offer else ()), *sorted(own)]
    encoders: tuple[Format, Format] | None = None
    if chosen("format", definition.format, FORMATS):
        encoders = encoder(definition.transport, definition.format, definition.options, checked, wrong)
    settings = offer and checked(offer.settings, {k: v for k, v in definition.options.items() if k not in own})
    matches = None
    try:
        matches = parse_filters(definition.filters).matcher()
    except CallerError as error:
        problems.extend(
            FieldError(f"{where}.{each.pointer}", each.code, each.detail.removeprefix(f"{each.pointer}, "))
            for each in error.errors
        )
    if fault := beginning.fault_of(definition.begin):
        problems.append(FieldError(f"{where}.begin", "unknown", fault))
    structured = MEDIA.get(definition.format) == "json"
    if problems or offer is None or settings is None or matches is None or encoders is None:
        raise ConfigurationError(source, problems)
    company, made = definition.company, offer.make
    number = None if company is None else company.int  # a UUID compares in Python, slowly

    def wants(event: Event, names: SensorNames) -> bool:
        if event.origin is _SYSTEM and is_about(event, definition.name):
            return False
        return (number is None or event.company.int == number) and matches(event, names)

    return Plan(
        definition,
        offer.guarantee(settings),
        wants,
        *encoders,
        (company, tuple(definition.filters), *text_of(definition.transport, definition.format, definition.options)),
        lambda history, clock: made(settings, Surroundings(definition.name, structured, history, clock)),
        [f"{where}.{remark.key}: {remark.sentence}" for remark in settings.remarks()],
    )


_UNSHOWN = ("token", "password", "secret", "api_key", "url", "proxy")
"""What may hold a secret is not repeated, however wrong it is."""


def _explained(error: ValidationError, where: str, known: Sequence[str]) -> list[FieldError]:
    """Each mistake in words; ``known`` are the keys that would have been right."""
    explained = []
    for each in error.errors(include_url=False):
        keys = [str(part) for part in each["loc"]]
        explained.append(FieldError(".".join([where, *keys]), each["type"], _sentence(each, keys, known)))
    return explained


def _sentence(each: ErrorDetails, keys: Sequence[str], known: Sequence[str]) -> str:
    match each["type"]:
        case "extra_forbidden":
            near = difflib.get_close_matches(keys[-1], known, 1)
            return "there is no such key" + (f"; did you mean {near[0]}?" if near else "")
        case "missing":
            return "expected a value, found none"
        case "tuple_type":
            sentence = "expected a list"
        case _:
            sentence = each["msg"].removeprefix("Value error, ").replace("Input should be", "expected", 1)
    came = each["input"]
    shown = isinstance(came, str | int | float) and not any(word in key for key in keys for word in _UNSHOWN)
    return f"{sentence}, found {came!r}" if shown and keys and "found" not in sentence else sentence
