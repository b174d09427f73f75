"""One event as a syslog message of the old kind (RFC 3164): a line of ``name="value"`` pairs behind header and tag.

Pure. Such a message has no year and no zone, so the full time is among the pairs; and no more than 1,024 octets, so
what does not fit is left out, the message cut last, the id and a replay's mark never. A value stands in quotation marks
and every quotation mark inside it behind a backslash, so that no stranger's text ends one.
"""

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from eventgate.errors import spelled
from eventgate.formats import Format
from eventgate.formats.own import Own
from eventgate.formats.pairs import Style, pairs_of
from eventgate.formats.rfc5424 import PARAMETERS, SD_NAME
from eventgate.formats.syslog import Facility, rfc3164_header
from eventgate.formats.text import quoted

_WRITTEN = (
    "id", "replay", "timestamp", "kind", "origin", "alertCode", "severity", "serial", "edgeName", "eventId", "sequence",
    "ssid", "bssid", "channel", "rssi", "encryption", "sourceMac", "destinationMac", "clientMac", "companyId", "edgeId",
    "categoryId", "frequencyMHz", "receivedAt", "message", "data",
)  # fmt: skip
PAIRS = {name: PARAMETERS.get(name, name) for name in _WRITTEN}
"""The pairs by field. Those of RFC 5424, with the time and the message among them."""

ELSEWHERE: dict[str, str] = {}

_PAIR = re.compile(rb' [^ ="]+="(?:[^"\\]|\\.)*"')


@dataclass(frozen=True)
class Rfc3164(Own):
    """The format with its settings. ``tag`` is what receivers take for the program's name.

    ``max_octets`` is the RFC's 1,024; most receivers of today take more.
    """

    facility: Facility = 16
    tag: Annotated[str, AfterValidator(spelled(r"[A-Za-z0-9]{1,32}", "1 to 32 letters and digits"))] = "eventgate"
    max_octets: Annotated[int, Field(ge=480, le=65_000)] = 1024

    KEYS: ClassVar = PAIRS
    KEY: ClassVar = SD_NAME

    def writer(self) -> Format:
        most = self.max_octets
        style = Style(quoted(), quote='"', data_octets=most, longest=most, cut=self._cut)
        return pairs_of(self, style, rfc3164_header(self.facility, f"{self.tag}:"))

    def _cut(self, line: bytes) -> bytes:
        """The header and the pairs that fit, in their order; of a message as much as fits."""
        header, message = line[: line.index(self._before("id"))], self._before("message")
        fit, room = header, self.max_octets - len(header)
        for pair in _PAIR.findall(line):
            if len(pair) <= room:
                fit, room = fit + pair, room - len(pair)
            elif pair.startswith(message) and room > len(message) + 1:
                cut = pair[: room - 1].decode(errors="ignore").encode()
                escapes = len(cut) - len(cut.rstrip(b"\\"))
                cut = (cut[:-1] if escapes % 2 else cut) + b'"'
                fit, room = fit + cut, room - len(cut)
        return fit

    def _before(self, name: str) -> bytes:
        return f' {self.keys[name]}="'.encode()
