"""One event as a syslog message of the old kind (RFC 3164): a line of ``name="value"`` pairs behind header and tag.

Pure. Such a message has no year and no zone, so the full time is among the pairs; and no more than 1,024 octets, so
what does not fit is left out, the message cut last, the id and a replay's mark never. A value stands in quotation marks
and every quotation mark inside it behind a backslash, so that no stranger's text ends one.
"""

import re
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints
from pydantic.dataclasses import dataclass

from eventgate.event import Event, SensorNames
from eventgate.formats.own import Own
from eventgate.formats.pairs import Write, pairs_of, quoting
from eventgate.formats.rfc5424 import PARAMETERS, SD_NAME
from eventgate.formats.syslog import Facility, bsd_time, plain_host, sort_of
from eventgate.formats.text import in_quotes

_WRITTEN = (
    "id", "replay", "timestamp", "kind", "origin", "alertCode", "severity", "serial", "edgeName", "eventId", "sequence",
    "ssid", "bssid", "channel", "rssi", "encryption", "sourceMac", "destinationMac", "clientMac", "companyId", "edgeId",
    "categoryId", "frequencyMHz", "receivedAt", "message", "data",
)  # fmt: skip
PAIRS = {name: PARAMETERS.get(name, name) for name in _WRITTEN}
"""The pairs by field. Those of RFC 5424, with the time and the message among them."""

ELSEWHERE: dict[str, str] = {}

_PAIR = re.compile(r' [^ ="]+="(?:[^"\\]|\\.)*"')


@dataclass(frozen=True)
class Rfc3164(Own):
    """The format with its settings. ``tag`` is what receivers take for the program's name.

    ``max_octets`` is the RFC's 1,024; most receivers of today take more.
    """

    facility: Facility = 16
    tag: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,32}$")] = "eventgate"
    max_octets: Annotated[int, Field(ge=480, le=65_000)] = 1024

    KEYS: ClassVar = PAIRS
    KEY: ClassVar = SD_NAME

    @cached_property
    def _pairs(self) -> Write:
        return pairs_of(self, quoting(in_quotes, self.max_octets))

    def __call__(self, event: Event, names: SensorNames) -> bytes:
        pri, _ = sort_of(self.facility, event.kind, event.code, event.severity)
        header = f"{pri}{bsd_time(event.timestamp // 1000)} {plain_host(names.serial)} {self.tag}:"
        line = f"{header}{self._pairs(event, names)}".encode()
        return line if len(line) <= self.max_octets else self._cut(header, event, names)

    def _cut(self, header: str, event: Event, names: SensorNames) -> bytes:
        """The pairs that fit, in their order; of a message as much as fits."""
        line, room = header, self.max_octets - len(header)
        message = f' {self.keys["message"]}="'
        for pair in _PAIR.findall(self._pairs(event, names)):
            octets = len(pair.encode())
            if octets <= room:
                line, room = line + pair, room - octets
            elif pair.startswith(message) and room > len(message) + 1:
                cut = pair.encode()[: room - 1].decode(errors="ignore")
                escapes = len(cut) - len(cut.rstrip("\\"))
                cut = f'{cut[:-1] if escapes % 2 else cut}"'
                line, room = line + cut, room - len(cut.encode())
        return line.encode()
