"""Every format by its name, its keys in a sink's table, and which of them makes sense over which transport.

Pure. A new format is added to ``FORMATS`` here; a new transport that cannot carry every format, to ``REFUSED``.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from eventgate.alerts.catalogue import CATEGORIES, CODES
from eventgate.errors import FieldError
from eventgate.formats import MEDIA, Catalogue, Format
from eventgate.formats.cef import Cef
from eventgate.formats.ecs import Ecs
from eventgate.formats.json import Json
from eventgate.formats.leef import Leef
from eventgate.formats.ocsf import Ocsf
from eventgate.formats.own import Own, option_names
from eventgate.formats.rfc3164 import Rfc3164
from eventgate.formats.rfc5424 import Rfc5424
from eventgate.formats.syslog import HeaderName, SyslogHeader

CATALOGUE = Catalogue(
    {known.code: known.title for known in CODES.values()}, {category.id: category.name for category in CATEGORIES}
)

FORMATS: Mapping[str, type[Own]] = {
    "json": Json,
    "rfc5424": Rfc5424,
    "rfc3164": Rfc3164,
    "cef": Cef,
    "leef": Leef,
    "ocsf": Ocsf,
    "ecs": Ecs,
}

SYSLOG = frozenset({"udp", "tcp", "tls", "relp"})
"""Transports whose receivers expect a syslog message: what is none gets a header."""

USUAL_HEADER: Mapping[str, HeaderName] = {
    "cef": "rfc3164",
    "leef": "rfc3164",
    "json": "rfc5424",
    "ocsf": "rfc5424",
    "ecs": "rfc5424",
}
"""The header before a format that has none: the one that its receivers know best."""

HEADER_KEYS = frozenset(each.name for each in fields(SyslogHeader))
FORMAT_KEYS: Mapping[str, frozenset[str]] = {
    name: option_names(format_)
    | (HEADER_KEYS if name in USUAL_HEADER else {"header"})  # which is refused with a reason
    for name, format_ in FORMATS.items()
}

REFUSED: Mapping[str, Mapping[str, str]] = {
    "bulk": {name: "an index takes JSON documents" for name, media in MEDIA.items() if media == "text"},
}
"""Which formats a transport does not carry, and why. Files, Kafka, webhooks and Splunk take any line; what the syslog
transports carry is made a syslog message."""


def encoder(
    transport: str,
    name: str,
    options: Mapping[str, Any],
    checked: Callable[[Callable[..., Any], Mapping[str, Any]], Any],
    wrong: Callable[[FieldError], None],
) -> tuple[Format, Format] | None:
    """The format with a sink's own options, ready for its transport, and the same as it marks events that go again.

    None, and said to ``wrong``, where it is none.
    ``checked`` builds a thing from options and explains what is wrong with them.
    """
    if reason := REFUSED.get(transport, {}).get(name):
        others = ", ".join(sorted(FORMATS.keys() - REFUSED[transport].keys()))
        wrong(FieldError("format", "unsuitable", f"{reason}; expected one of {others}, found {name!r}"))
    own = {key: value for key, value in options.items() if key in option_names(FORMATS[name])}
    made: Own | None = checked(lambda **given: FORMATS[name](**given, catalogue=CATALOGUE), own)
    header: SyslogHeader | None = SyslogHeader("none")
    if name not in USUAL_HEADER:
        if "header" in options:
            wrong(FieldError("header", "unsuitable", f"{name} has a syslog header of its own"))
    else:
        given = {key: value for key, value in options.items() if key in HEADER_KEYS}
        if transport in SYSLOG:
            header = checked(SyslogHeader, {"header": USUAL_HEADER[name], **given})
        else:
            for key in sorted(given):
                carriers = ", ".join(sorted(SYSLOG))
                wrong(FieldError(key, "unsuitable", f"a syslog header stands before {name} over {carriers} alone"))
    if made is None or header is None:
        return None
    return made.behind(header.pieces()), made.replayed().behind(header.pieces())


def text_of(transport: str, name: str, options: Mapping[str, Any]) -> tuple[str, str, str]:
    """What decides the bytes of an event: the same for two sinks whose encoders write the same."""
    own = {key: options[key] for key in sorted(FORMAT_KEYS[name] & options.keys())}
    return name, repr(own), "syslog" if transport in SYSLOG else ""
