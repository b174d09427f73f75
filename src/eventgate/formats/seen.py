"""What a sensor saw, as fields: members of ``data`` found by name, checked by type, written once and kept.

Pure. Anything may stand in ``data``. A member of another type than expected is no field; it stays in ``data`` alone.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import astuple

from eventgate.formats.fields import LARGEST_SEEN, LONGEST_SEEN, SEEN, SeenType
from eventgate.formats.kept import Kept


class Saw(msgspec.Struct, gc=False):
    """The members that are looked for, in the order of canonical JSON: so each is found where it is expected."""

    # As sensors write them. A name of our own (N815) would have to be translated for each.
    bssid: Any = None
    channel: Any = None
    client: Any = None
    clientMac: Any = None  # noqa: N815
    destinationMac: Any = None  # noqa: N815
    dstMac: Any = None  # noqa: N815
    encryption: Any = None
    essid: Any = None
    frequencyMHz: Any = None  # noqa: N815
    frequencyMhz: Any = None  # noqa: N815
    rssi: Any = None
    signal: Any = None
    sourceMac: Any = None  # noqa: N815
    srcMac: Any = None  # noqa: N815
    ssid: Any = None


_decode = msgspec.json.Decoder(Saw).decode  # what is no member of it is skipped, not built
_encode = msgspec.json.encode

Write = Callable[[Any], bytes]


class _Column(Kept[Any, bytes]):
    """The values of one field as a format writes them. What fits no field is not kept: it may be of any length."""

    def __init__(self, type_: SeenType, write: Write) -> None:
        super().__init__(write)
        self._fit = _text if type_ == "text" else _number

    def __missing__(self, value: Any) -> bytes:
        if value is None:
            return self.keep(None, b"")
        fit = self._fit(value)
        return b"" if fit is None else self.keep(value, self._make(fit))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) <= LONGEST_SEEN else None


def _number(value: object) -> int | None:
    """A float that is a whole number is one: 6.0 and 6 are the same."""
    if not isinstance(value, int | float) or not -LARGEST_SEEN < value < LARGEST_SEEN:
        return None
    return number if (number := int(value)) == value else None


def _plain(value: object) -> object:
    """A value in the place of another that no field takes, and that no field takes either."""
    return value if value is None or isinstance(value, str) or _number(value) is not None else LARGEST_SEEN


def seen_by(write: Callable[[str, SeenType], Write]) -> Callable[[bytes], tuple[bytes, bytes, bytes]]:
    """The function that finds the fields of ``SEEN`` in ``data`` and writes them: who sent and who was meant apart.

    ``write`` makes of a field's name and type the function that writes a value, or whatever claims to be an address.
    """
    how = {name: write(name, field.type) for name, field in SEEN.items()}
    ssid, channel, frequency, rssi, encryption = (
        _Column(field.type, how[name]) for name, field in SEEN.items() if field.type != "mac"
    )
    bssid, client, source, destination = (how[name] for name, field in SEEN.items() if field.type == "mac")
    join = b"".join

    def seen(data: bytes) -> tuple[bytes, bytes, bytes]:
        """Of two members that mean the same field, the one that ``SEEN`` prefers."""
        saw = _decode(data)
        who = saw.client if saw.clientMac is None else saw.clientMac
        whose = saw.srcMac if saw.sourceMac is None else saw.sourceMac
        whom = saw.dstMac if saw.destinationMac is None else saw.destinationMac
        try:
            fields = join(
                (
                    ssid[saw.essid if saw.ssid is None else saw.ssid],
                    b"" if saw.bssid is None else bssid(saw.bssid),
                    channel[saw.channel],
                    frequency[saw.frequencyMhz if saw.frequencyMHz is None else saw.frequencyMHz],
                    rssi[saw.signal if saw.rssi is None else saw.rssi],
                    encryption[saw.encryption],
                    b"" if who is None else client(who),
                )
            )
        except TypeError:  # an array or an object, which is nobody's key
            return seen(_encode(Saw(*map(_plain, astuple(saw)))))
        return fields, b"" if whose is None else source(whose), b"" if whom is None else destination(whom)

    return seen
