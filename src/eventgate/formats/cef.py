r"""One event in ArcSight's Common Event Format (CEF:0): seven header fields, then an extension of keys and values.

Pure. In the header ``|`` and ``\\`` are escaped, in a value ``=``, ``\\`` and line breaks, so that no SSID ends a
field or begins a key; other control characters become pictures. Lengths are those of the format's dictionary.
"""

import re
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from importlib.metadata import version
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints
from pydantic.dataclasses import dataclass

from eventgate.event import KIND_NAMES, Event, Kind, SensorNames
from eventgate.formats.own import Own
from eventgate.formats.pairs import Style, Write, pairs_of
from eventgate.formats.severity import severity_of
from eventgate.formats.text import visible

EXTENSION = {
    "id": "externalId",
    "timestamp": "rt",
    "category": "cat",
    "origin": "deviceFacility",
    "serial": "deviceExternalId",
    "edgeName": "dvchost",
    "message": "msg",
    "sourceMac": "smac",
    "destinationMac": "dmac",
    "ssid": "cs1",
    "bssid": "cs2",
    "encryption": "cs3",
    "clientMac": "cs4",
    "edgeId": "cs5",
    "data": "cs6",
    "channel": "cn1",
    "rssi": "cn2",
    "sequence": "cn3",
    "frequencyMHz": "flexNumber1",
    "replay": "flexNumber2",
    "companyId": "flexString1",
    "eventId": "flexString2",
    "receivedAt": "deviceCustomDate1",
}
"""The key of each field in the extension. The custom ones (cs, cn, flex) come with the field's name as their label."""

ELSEWHERE = {"alertCode": "Device Event Class ID", "alertTitle": "Name", "severity": "Severity"}
"""Fields of the header. An event that is no alert has its kind there instead."""

_CUSTOM = re.compile(r"cs[1-6]|cn[1-3]|flexString[12]|flexNumber[12]|deviceCustomDate[12]")
_ALERT = Kind.ALERT
_LONGEST_CLASS, _LONGEST_NAME, _LONGEST_MESSAGE, _LONGEST_CUSTOM = 1023, 512, 1023, 4000


def _escaped(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return text.replace("=", "\\=") if "=" in text else text


def _value(text: str) -> str:
    """A value of the extension."""
    text = _escaped(text)
    return text if text.isprintable() else visible(text.replace("\r", "\\r").replace("\n", "\\n"))


def _header_field(text: str, longest: int) -> str:
    return visible(text[:longest]).replace("\\", "\\\\").replace("|", "\\|")


@dataclass(frozen=True)
class Cef(Own):
    """The format with its settings: how EventGate calls itself in the header, and how much ``data`` travels along."""

    vendor: Annotated[str, StringConstraints(min_length=1, max_length=63)] = "EventGate"
    product: Annotated[str, StringConstraints(min_length=1, max_length=63)] = "EventGate"
    product_version: Annotated[str, StringConstraints(min_length=1, max_length=31)] = version("eventgate")
    data_octets: Annotated[int, Field(ge=0, le=_LONGEST_CUSTOM)] = _LONGEST_CUSTOM

    KEYS: ClassVar = EXTENSION
    MARK: ClassVar = "1"
    KEY: ClassVar = (re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,62}"), "of letters and digits")

    @classmethod
    def brings(cls, key: str) -> Iterable[str]:
        """A custom key comes with its label."""
        return (f"{key}Label",) if _CUSTOM.fullmatch(key) else ()

    @cached_property
    def _pairs(self) -> Write:
        labels = {key: name for name, key in self.keys.items() if _CUSTOM.fullmatch(key)}

        def begin(key: str) -> str:
            return f" {key}Label={labels[key]} {key}=" if key in labels else f" {key}="

        return pairs_of(
            self, Style(begin, "", _value, _escaped, str, lambda _: None, self.data_octets, _LONGEST_MESSAGE)
        )

    @cached_property
    def _header(self) -> Callable[[Kind, str | None, int | None], str]:
        return lru_cache(4096)(self._header_of)

    def _header_of(self, kind: Kind, code: str | None, severity: int | None) -> str:
        of_class = (code if kind is _ALERT else None) or KIND_NAMES[kind]
        name = self.catalogue.titles.get(of_class, of_class)
        fields = [
            *(_header_field(text, 63) for text in (self.vendor, self.product, self.product_version)),
            _header_field(of_class, _LONGEST_CLASS),
            _header_field(name, _LONGEST_NAME),
        ]
        return f"CEF:0|{'|'.join(fields)}|{severity_of(severity).cef}|"

    def __call__(self, event: Event, names: SensorNames) -> bytes:
        header = self._header(event.kind, event.code, event.severity)
        return (header + self._pairs(event, names)[1:]).encode()
