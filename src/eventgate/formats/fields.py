"""The fields that an event has, under the names that every format's table uses.

Pure. What a sensor saw (``data``) is free in form. The members that Wi-Fi sensors commonly send are fields of their own
besides; the same thing goes by several names, and the first that is there counts.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

OF_AN_EVENT = (
    "id", "timestamp", "receivedAt", "companyId", "edgeId", "serial", "edgeName", "verifyKeyId", "kind", "origin",
    "alertCode", "alertTitle", "categoryId", "category", "severity", "message", "eventId", "sequence", "data",
    "dataOctets", "replay",
)  # fmt: skip
"""``alertTitle`` and ``category`` are the catalogue's words for code and number; ``dataOctets`` stands for ``data``
where that is too long; ``replay`` marks an event that goes again."""

SeenType = Literal["text", "number", "mac"]


class Seen(NamedTuple):
    """A field made of a member of ``data``: of what type, and by which names, in order of preference."""

    type: SeenType
    members: tuple[str, ...]


SEEN: Mapping[str, Seen] = {
    "ssid": Seen("text", ("ssid", "essid")),
    "bssid": Seen("mac", ("bssid",)),
    "channel": Seen("number", ("channel",)),
    "frequencyMHz": Seen("number", ("frequencyMHz", "frequencyMhz")),
    "rssi": Seen("number", ("rssi", "signal")),
    "encryption": Seen("text", ("encryption",)),
    "clientMac": Seen("mac", ("clientMac", "client")),
    "sourceMac": Seen("mac", ("sourceMac", "srcMac")),
    "destinationMac": Seen("mac", ("destinationMac", "dstMac")),
}

LONGEST_SEEN = 255
"""Characters of a text that becomes a field of its own; a longer one (an SSID has 32 octets) stays in ``data``."""

LARGEST_SEEN = 1 << 31
"""Numbers below it, either side of zero, become fields of their own: what receivers keep in their columns."""
