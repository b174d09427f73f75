"""Every format as the tests build it, and where its table says that each field stands."""

from collections.abc import Mapping
from typing import Any

from eventgate.formats import Catalogue, cef, ecs, json, leef, ocsf, rfc3164, rfc5424
from eventgate.formats.own import Own

CATALOGUE = Catalogue({"DEAUTHFLOOD": "Deauthentication flood"}, {1: "Denial of service", 5: "System"})

FORMATS: Mapping[str, type[Own]] = {
    "json": json.Json,
    "rfc5424": rfc5424.Rfc5424,
    "rfc3164": rfc3164.Rfc3164,
    "cef": cef.Cef,
    "leef": leef.Leef,
    "ocsf": ocsf.Ocsf,
    "ecs": ecs.Ecs,
}
_MODULES = {"json": json, "rfc5424": rfc5424, "rfc3164": rfc3164, "cef": cef, "leef": leef, "ocsf": ocsf, "ecs": ecs}
_NAMESPACES = {"ocsf": "unmapped.", "ecs": "eventgate."}


def made(name: str, **options: Any) -> Own:
    """A format whose bytes hang on no version of EventGate."""
    if name in ("cef", "leef"):
        options = {"product_version": "1", **options}
    if name == "rfc3164":
        options = {"max_octets": 8192, **options}
    return FORMATS[name](catalogue=CATALOGUE, **options)


def places(name: str) -> Mapping[str, str]:
    """Where each field stands in this format, as its reader names it."""
    prefix = _NAMESPACES.get(name, "")
    return {
        **{field: f"{prefix}{key}" for field, key in FORMATS[name].KEYS.items()},
        **_MODULES[name].ELSEWHERE,
    }
