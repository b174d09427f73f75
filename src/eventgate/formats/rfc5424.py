"""One event as a syslog message (RFC 5424): the sensor as host, the alert code as message id, the rest as one element.

Pure. What a sensor relays may be hostile: names lose what their field does not allow, control characters become visible
pictures, and only the three characters that RFC 5424 escapes are escaped.
"""

import re
from typing import ClassVar

from pydantic import NonNegativeInt
from pydantic.dataclasses import dataclass

from eventgate.formats import Format
from eventgate.formats.own import Own
from eventgate.formats.pairs import Style, pairs_of
from eventgate.formats.syslog import AppName, Facility, rfc5424_header
from eventgate.formats.text import bare, quoted

PARAMETERS = {
    "id": "id",
    "companyId": "companyId",
    "edgeId": "edgeId",
    "serial": "serial",
    "edgeName": "edgeName",
    "kind": "kind",
    "receivedAt": "receivedAt",
    "alertCode": "alertCode",
    "categoryId": "categoryId",
    "severity": "severity",
    "origin": "origin",
    "eventId": "eventId",
    "sequence": "sequence",
    "ssid": "ssid",
    "bssid": "bssid",
    "channel": "channel",
    "frequencyMHz": "frequencyMHz",
    "rssi": "rssi",
    "encryption": "encryption",
    "sourceMac": "sourceMac",
    "destinationMac": "destinationMac",
    "clientMac": "clientMac",
    "data": "data",
    "dataOctets": "dataOctets",
    "replay": "replay",
}
"""The parameters of the one structured element (section 6.3), by field."""

ELSEWHERE = {"timestamp": "TIMESTAMP", "message": "MSG"}
"""Fields that stand in the header or behind it. HOSTNAME is the serial too, MSGID the code or the kind."""

SD_NAME = (
    re.compile(r"[!#-<>-\\^-~]{1,32}"),
    "of at most 32 printable ASCII characters, none of them = ] or a quotation mark",
)
_BEFORE_UTF_8 = "] \ufeff".encode()


@dataclass(frozen=True)
class Rfc5424(Own):
    """The format with its settings.

    ``facility`` 16 is local0. ``enterprise`` is the private enterprise number behind the element's name (32473 is the
    one reserved for documentation). ``data`` travels along while its JSON text has at most ``data_octets``; a
    longer one is named by its length alone, since receivers cut long messages where they please.
    """

    facility: Facility = 16
    app_name: AppName = "eventgate"
    enterprise: NonNegativeInt = 32473
    data_octets: NonNegativeInt = 4096

    KEYS: ClassVar = PARAMETERS
    KEY: ClassVar = SD_NAME

    def writer(self) -> Format:
        style = Style(quoted(b"]"), quote='"', tail=_message, data_octets=self.data_octets)
        header = rfc5424_header(self.facility, self.app_name, f"[eventgate@{self.enterprise}")
        return pairs_of(self, style, header)


_shown = bare(b"\\", str).text


def _message(text: str | None) -> bytes:
    """MSG (section 6.4): a byte order mark announces UTF-8; plain ASCII needs none, and many receivers show it."""
    if not text:
        return b"]"
    shown = _shown(text)
    return (b"] " if shown.isascii() else _BEFORE_UTF_8) + shown
