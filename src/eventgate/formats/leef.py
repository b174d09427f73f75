"""One event in QRadar's Log Event Extended Format (LEEF 2.0, or 1.0): a header, then attributes between delimiters.

Pure. LEEF has no escape: in the header ``|``, in a value the delimiter is replaced; line breaks and other control
characters become pictures, so that no SSID ends a field or begins an attribute.
"""

import re
from importlib.metadata import version
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, NonNegativeInt, field_validator
from pydantic.dataclasses import dataclass
from pydantic_core.core_schema import ValidationInfo

from eventgate.errors import spelled
from eventgate.event import KIND_NAMES, Kind
from eventgate.formats import Format, Sort
from eventgate.formats.own import Own
from eventgate.formats.pairs import Style, pairs_of
from eventgate.formats.severity import severity_of
from eventgate.formats.syslog import Header
from eventgate.formats.text import bare, visible

ATTRIBUTES = {
    "id": "externalId",
    "category": "cat",
    "severity": "sev",
    "timestamp": "devTime",
    "sourceMac": "srcMAC",
    "destinationMac": "dstMAC",
    "alertTitle": "name",
    "message": "msg",
    "serial": "serial",
    "edgeName": "edgeName",
    "edgeId": "edgeId",
    "companyId": "companyId",
    "kind": "kind",
    "origin": "origin",
    "categoryId": "categoryId",
    "receivedAt": "receivedAt",
    "eventId": "eventId",
    "sequence": "sequence",
    "ssid": "ssid",
    "bssid": "bssid",
    "channel": "channel",
    "frequencyMHz": "frequencyMHz",
    "rssi": "rssi",
    "encryption": "encryption",
    "clientMac": "clientMac",
    "data": "data",
    "dataOctets": "dataOctets",
    "replay": "replay",
}
"""The attribute of each field: QRadar's own where it has one, else the field's name."""

ELSEWHERE = {"alertCode": "EventID"}
"""A field of the header. An event that is no alert has its kind there instead."""

_TIME_FORMAT = "yyyy-MM-dd'T'HH:mm:ss.SSSZ"  # of which Z is a zone's offset, such as +0000
_Name = Annotated[
    str,
    AfterValidator(spelled(r"[^|\x00-\x1f\x7f]{1,63}", "1 to 63 characters, none of them | or a control character")),
]
_Delimiter = Annotated[str, AfterValidator(spelled(r"[\t^~;!#$%&*?@]", "a tab or one of ^ ~ ; ! # $ % & * ? @"))]


@dataclass(frozen=True)
class Leef(Own):
    """The format with its settings. ``delimiter`` stands between attributes; 1.0 knows the tab alone."""

    vendor: _Name = "EventGate"
    product: _Name = "EventGate"
    product_version: _Name = version("eventgate")
    leef_version: Literal["2.0", "1.0"] = "2.0"
    delimiter: _Delimiter = "\t"
    data_octets: NonNegativeInt = 4096

    KEYS: ClassVar = ATTRIBUTES
    RESERVED: ClassVar = frozenset({"devTimeFormat"})
    KEY: ClassVar = (re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,62}"), "of letters and digits")

    @field_validator("delimiter")
    @classmethod
    def _old_ones_have_tabs(cls, delimiter: str, info: ValidationInfo) -> str:
        if info.data.get("leef_version") == "1.0" and delimiter != "\t":
            raise ValueError("LEEF 1.0 has no delimiter but the tab")
        return delimiter

    def writer(self) -> Format:
        return self.behind(None)

    def behind(self, header: Header | None) -> Format:
        return pairs_of(self, self._style(), header)

    def _style(self) -> Style:
        delimiter = self.delimiter
        return Style(
            bare(delimiter.encode(), lambda text: text.replace(delimiter, " ")), head=self._header,
            before=delimiter, first=delimiter, thousandth=".{:03d}+0000",
            severity=lambda ours: severity_of(ours).leef, data_octets=self.data_octets,
        )  # fmt: skip

    def _header(self, sort: Sort) -> str:
        kind, _, code, _, _ = sort
        event_id = visible((code if kind is Kind.ALERT else None) or KIND_NAMES[kind]).replace("|", "_")
        fields = [self.vendor, self.product, self.product_version, event_id.replace("\t", " ")]
        if self.leef_version == "2.0":
            fields.append("x09" if self.delimiter == "\t" else self.delimiter)
        return f"LEEF:{self.leef_version}|{'|'.join(fields)}|devTimeFormat={_TIME_FORMAT}"
