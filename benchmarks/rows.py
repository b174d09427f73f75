"""Realistic events for the benchmarks: Wi-Fi alerts of some companies and sensors, the same for the same seed."""

import json
import random
from collections.abc import Iterator
from uuid import UUID

import orjson

from eventgate.event import Event, Kind, Origin
from eventgate.ids import uuid7
from eventgate.journal.content import canonical, content_digest

CODES = (
    ("DEAUTHFLOOD", 1, 7, "Deauthentication flood: {count} frames in 10 s from {bssid} against {client}"),
    ("APSPOOF", 2, 9, "Evil twin: {bssid} announces {ssid} on channel {channel}, not on its own"),
    ("KARMAOUI", 3, 8, "Access point {bssid} answers to every name that {client} probes for, {ssid} among them"),
    ("WPSBRUTE", 4, 8, "{count} failed WPS exchanges against {bssid} by {client}"),
    ("NONCEREUSE", 4, 10, "Key reinstallation: {client} reused a nonce with {bssid} on channel {channel}"),
    ("CRYPTODROP", 2, 6, "{ssid} at {bssid} has turned its encryption off"),
    ("DEVICEFOUND", 5, 2, "New device {client} seen on channel {channel}"),
)  # fmt: skip
NETWORKS = ("Staff", "Guest", "Warehouse 3", "Café-Gäste", "printers", "iot-lab", "Board room")


class Site:
    """Where the events come from: so many companies, each with so many sensors and one key."""

    def __init__(self, companies: int = 2, sensors: int = 50, seed: int = 802) -> None:
        self._random = random.Random(seed)
        self.companies = [self._uuid() for _ in range(companies)]
        self.sensors = {company: [self._uuid() for _ in range(sensors)] for company in self.companies}
        self.keys = {company: (self._uuid(), self._uuid()) for company in self.companies}

    def write(self, start_ms: int, count: int, step_ms: int = 1) -> list[Event]:
        """One write: ``count`` events of one company, ``step_ms`` apart."""
        company = self._random.choice(self.companies)
        return [self._event(company, start_ms + step_ms * number) for number in range(count)]

    def writes(self, start_ms: int, count: int, size: int) -> Iterator[list[Event]]:
        """So many writes of ``size`` events, one after the other in time."""
        for number in range(count):
            yield self.write(start_ms + number * size, size)

    def _uuid(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def _mac(self) -> str:
        return ":".join(f"{self._random.getrandbits(8):02x}" for _ in range(6))

    def _event(self, company: UUID, ms: int) -> Event:
        pick = self._random
        code, category, severity, text = pick.choice(CODES)
        seen = {
            "bssid": self._mac(), "client": self._mac(), "ssid": pick.choice(NETWORKS),
            "channel": pick.choice((1, 6, 11, 36, 44, 149)), "rssi": -pick.randrange(30, 92),
            "count": pick.randrange(20, 900), "encryption": pick.choice(("WPA2", "WPA3", "open")),
            "frequencyMhz": pick.choice((2412, 2437, 2462, 5180)),
        }  # fmt: skip
        message = text.format(**seen)
        data = json.dumps(seen, ensure_ascii=False, separators=(",", ":")).encode()
        sensor = pick.choice(self.sensors[company])
        raw = (
            f'{{"eventId":"{pick.getrandbits(64):016x}","timestamp":{ms},"edgeId":"{sensor}","alertCode":"{code}",'
            f'"severity":{severity},"message":{json.dumps(message, ensure_ascii=False)},"data":{data.decode()}}}'
        ).encode()
        key, verify_key = self.keys[company]
        return Event(
            company=company, id=uuid7(ms, pick.randbytes(10)), kind=Kind.ALERT, sensor=sensor, timestamp=ms,
            received=ms + 40, code=code, category=category, severity=severity, message=message, data=data,
            event_id=raw[12:28].decode(), sequence=None, key=key, verify_key=verify_key,
            content_digest=content_digest(sensor, canonical(orjson.loads(raw))), origin=Origin.SENSOR, raw=raw,
        )  # fmt: skip
