r"""One event in ArcSight's Common Event Format (CEF:0): seven header fields, then an extension of keys and values.

Pure. In the header ``|`` and ``\\`` are escaped, in a value ``=``, ``\\`` and line breaks, so that no SSID ends a
field or begins a key; other control characters become pictures. Lengths are those of the format's dictionary.
"""

import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints
from pydantic.dataclasses import dataclass

from eventgate.event import KIND_NAMES, Kind
from eventgate.formats import Format, Sort
from eventgate.formats.own import Own
from eventgate.formats.pairs import Style, pairs_of
from eventgate.formats.severity import severity_of
from eventgate.formats.syslog import Header
from eventgate.formats.text import bare, visible

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
_LONGEST_CLASS, _LONGEST_NAME, _LONGEST_MESSAGE, _LONGEST_CUSTOM = 1023, 512, 1023, 4000


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("=", "\\=")


def _shown(text: str) -> str:
    return visible(text.replace("\r", "\\r").replace("\n", "\\n"))


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

    def writer(self) -> Format:
        return self.behind(None)

    def behind(self, header: Header | None) -> Format:
        return pairs_of(self, self._style(), header)

    def _style(self) -> Style:
        labels = {key: name for name, key in self.keys.items() if _CUSTOM.fullmatch(key)}

        def begin(key: str) -> str:
            return f"{key}Label={labels[key]} {key}=" if key in labels else f"{key}="

        return Style(
            bare(b"\\=", _escaped, _shown), head=self._header, first="", begin=begin, second=str, thousandth="{:03d}",
            severity=lambda _: None, data_octets=self.data_octets, message_characters=_LONGEST_MESSAGE,
        )  # fmt: skip

    def _header(self, sort: Sort) -> str:
        kind, _, code, _, severity = sort
        of_class = (code if kind is Kind.ALERT else None) or KIND_NAMES[kind]
        fields = [
            *(_header_field(text, 63) for text in (self.vendor, self.product, self.product_version)),
            _header_field(of_class, _LONGEST_CLASS),
            _header_field(self.catalogue.title(of_class), _LONGEST_NAME),
        ]
        return f"CEF:0|{'|'.join(fields)}|{severity_of(severity).cef}|"
