"""Sample alerts: what Wi-Fi sensors report of an office, made up but plausible in every field.

Pure but for the random source that is handed in. The vendors' prefixes are real, the devices are not.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_ACCESS_POINT_VENDORS = ("00:0b:86", "24:5a:4c", "e0:55:3d", "58:b6:33", "94:b4:0f", "50:c7:bf", "9c:3d:cf")
_CLIENT_VENDORS = ("f0:18:98", "3c:22:fb", "8c:8d:28", "8c:f5:a3", "dc:a6:32", "24:6f:28", "a4:83:e7")
_NETWORKS = ("Corp", "Corp-Guest", "Lobby", "Warehouse-IoT", "Meeting Rooms", "Büro 3. OG", "会議室", "printer-setup")
_NEIGHBOURS = ("FRITZ!Box 7590 KX", "NETGEAR-5G", "TP-Link_A1C4", "iPhone von Anna", "DIRECT-roku-481", "xfinitywifi")
_CHANNELS = {1: 2412, 6: 2437, 11: 2462, 36: 5180, 44: 5220, 52: 5260, 100: 5500, 149: 5745}


@dataclass(frozen=True, slots=True)
class _AccessPoint:
    ssid: str
    bssid: str
    channel: int
    encryption: str


class _Office:
    """The networks that the sensors guard, and the strangers around them."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.ours = [self._access_point(ssid) for ssid in _NETWORKS for _ in range(3)]
        self.clients = [self._mac(_CLIENT_VENDORS) for _ in range(120)]

    def stranger(self, ssid: str | None = None) -> _AccessPoint:
        return self._access_point(ssid or self.chance.choice(_NEIGHBOURS))

    def private_mac(self) -> str:
        """A phone's random address: locally administered, so that no vendor's prefix fits."""
        return f"{self.chance.randrange(64) << 2 | 0b10:02x}:" + self._tail(5)

    def signal(self) -> int:
        """dBm, most often from a few rooms away."""
        return round(min(-28.0, max(-94.0, self.chance.gauss(-63, 11))))

    def _access_point(self, ssid: str) -> _AccessPoint:
        encryption = (
            "open" if "Guest" in ssid or "xfinity" in ssid else self.chance.choice(("WPA2-PSK", "WPA2-EAP", "WPA3-SAE"))
        )
        return _AccessPoint(ssid, self._mac(_ACCESS_POINT_VENDORS), self.chance.choice([*_CHANNELS]), encryption)

    def _mac(self, vendors: tuple[str, ...]) -> str:
        return f"{self.chance.choice(vendors)}:{self._tail(3)}"

    def _tail(self, octets: int) -> str:
        return ":".join(f"{self.chance.randrange(256):02x}" for _ in range(octets))


_Told = tuple[str, int, str, _AccessPoint, dict[str, Any]]
"""Code, severity, message, the access point it is about, and what else is evidence."""


def _deauthentication_flood(office: _Office) -> _Told:
    target, victim, frames = (
        office.chance.choice(office.ours),
        office.chance.choice(office.clients),
        office.chance.randrange(64, 2400),
    )
    evidence = {
        "sourceMac": target.bssid,
        "destinationMac": office.chance.choice((victim, "ff:ff:ff:ff:ff:ff")),
        "reasonCode": office.chance.choice((1, 3, 6, 7)),
        "frames": frames,
        "windowSeconds": 10,
    }
    return "DEAUTHFLOOD", 8, f"Deauthentication flood against {target.ssid}: {frames} frames in 10 s", target, evidence


def _evil_twin(office: _Office) -> _Told:
    twin = office.chance.choice(office.ours)
    fake = office.stranger(twin.ssid)
    evidence = {"expectedBssid": twin.bssid, "expectedEncryption": twin.encryption, "beaconIntervalTu": 100}
    return "APSPOOF", 9, f"{fake.bssid} announces {twin.ssid}, which is not one of its access points", fake, evidence


def _rogue_access_point(office: _Office) -> _Told:
    rogue = office.stranger()
    evidence = {"wired": office.chance.random() < 0.3, "clients": office.chance.randrange(5), "firstSeenMinutes": 3}
    return "ROGUEAP", 6, f"Unapproved access point {rogue.ssid} on channel {rogue.channel}", rogue, evidence


def _karma(office: _Office) -> _Told:
    device = office.stranger(office.chance.choice(_NEIGHBOURS))
    asked = office.chance.sample(_NEIGHBOURS, 3)
    evidence = {"answeredSsids": asked, "sourceMac": device.bssid, "destinationMac": office.private_mac()}
    return (
        "KARMAOUI",
        9,
        f"{device.bssid} answers probes for any network ({len(asked)} in a minute): KARMA",
        device,
        evidence,
    )


def _wps_brute_force(office: _Office) -> _Told:
    target, attempts = office.chance.choice(office.ours), office.chance.randrange(12, 480)
    evidence = {"sourceMac": office.private_mac(), "attempts": attempts, "windowSeconds": 60}
    return "WPSBRUTE", 7, f"{attempts} WPS PIN attempts in a minute on {target.ssid}", target, evidence


def _nonce_reuse(office: _Office) -> _Told:
    target = office.chance.choice(office.ours)
    evidence = {
        "destinationMac": office.chance.choice(office.clients),
        "handshakeMessage": 3,
        "repeats": office.chance.randrange(2, 6),
    }
    return (
        "NONCEREUSE",
        10,
        f"WPA nonce reused in the handshake of {target.ssid}: key reinstallation (KRACK)",
        target,
        evidence,
    )


def _probing_tool(office: _Office) -> _Told:
    seen = office.chance.choice(office.ours)
    evidence = {"sourceMac": office.private_mac(), "probes": office.chance.randrange(20, 200)}
    return "NETSTUMBLER", 3, f"A survey tool probes around {seen.ssid}", seen, evidence


def _channel_change(office: _Office) -> _Told:
    moved = office.chance.choice(office.ours)
    evidence = {"previousChannel": office.chance.choice([*_CHANNELS])}
    return "CHANCHANGE", 4, f"{moved.ssid} moved to channel {moved.channel} outside its plan", moved, evidence


_STORIES: dict[Callable[[_Office], _Told], int] = {
    _deauthentication_flood: 24,
    _rogue_access_point: 22,
    _probing_tool: 18,
    _channel_change: 14,
    _evil_twin: 8,
    _wps_brute_force: 6,
    _karma: 5,
    _nonce_reuse: 3,
}
"""What happens, and how often beside the rest."""


def alerts(count: int, chance: random.Random, now: Callable[[], float]) -> Iterator[dict[str, Any]]:
    """Make ``count`` alerts of one office, each with its own id and time; ``now`` gives seconds since the epoch."""
    office = _Office(chance)
    stories, weights = list(_STORIES), list(_STORIES.values())
    run = f"{chance.getrandbits(40):010x}"
    for number in range(count):
        code, severity, message, seen, evidence = chance.choices(stories, weights)[0](office)
        yield {
            "eventId": f"sample-{run}-{number}",
            "timestamp": datetime.fromtimestamp(now(), UTC).isoformat(timespec="milliseconds"),
            "alertCode": code,
            "severity": severity,
            "message": message,
            "data": {
                "ssid": seen.ssid,
                "bssid": seen.bssid,
                "channel": seen.channel,
                "frequencyMHz": _CHANNELS[seen.channel],
                "rssi": office.signal(),
                "encryption": seen.encryption,
                **evidence,
            },
        }
