"""Events for the tests of formats: an ordinary alert, and one made by a stranger with bad intentions."""

from uuid import UUID

from eventgate.event import Event, Kind, Origin, SensorNames
from eventgate.ids import uuid7

NAMES = SensorNames("EG-0001", "Lobby, 2nd floor")

ALERT = Event(
    company=UUID("018f0000-0000-7000-8000-000000000001"),
    id=uuid7(1_763_726_400_123, bytes(range(10))),
    kind=Kind.ALERT,
    sensor=UUID("9a90af71-251e-11f0-a7be-3ec870f66d56"),
    timestamp=1_763_726_400_123,
    received=1_763_726_400_456,
    code="DEAUTHFLOOD",
    category=1,
    severity=8,
    message="Deauthentication flood against 02:00:5e:10:00:01",
    data=b'{"bssid":"02:00:5e:10:00:01","channel":6,"frames":1.50}',
    event_id="a-17",
    sequence=17,
    key=UUID("018f0000-0000-7000-8000-00000000000a"),
    verify_key=UUID("018f0000-0000-7000-8000-00000000000b"),
    content_digest=bytes(32),
    origin=Origin.SENSOR,
    raw=b"{}",
)

HOSTILE_SSID = 'a"] b\\ \n<34>1 forged'
HOSTILE = ALERT._replace(
    code='X"] \n[x@1 y="z',
    message="\u0000 caf\u00e9 \n<34>1 2025-01-01T00:00:00Z forged - - - -",
    data=b'{\n "ssid": "a\\"] b\\\\ \\n<34>1 forged",\r\n\t"n": 1e2}',
    event_id='e"]',
)
SIGHTING = ALERT._replace(
    kind=Kind.SIGHTING, code=None, category=None, severity=None, message=None, event_id=None, sequence=None
)
HEARTBEAT = SIGHTING._replace(kind=Kind.HEARTBEAT, data=b"{}", verify_key=None)
SYSTEM = ALERT._replace(
    origin=Origin.SYSTEM,
    code="SENSORSILENT",
    category=5,
    severity=6,
    message="Nothing was heard of EG-0001 for 15 minutes",
    data=b'{"silentMinutes":15}',
    event_id=None,
    sequence=None,
    verify_key=None,
)
SAMPLES = {"alert": ALERT, "sighting": SIGHTING, "heartbeat": HEARTBEAT, "hostile": HOSTILE, "system": SYSTEM}

FULL = ALERT._replace(
    data=(
        b'{"bssid":"02:00:5E:10:00:01","channel":6,"clientMac":"02-00-5e-10-00-02","destinationMac":"ff:ff:ff:ff:ff:ff",'
        b'"encryption":"WPA3-SAE","frequencyMHz":2437,"rssi":-61,"sourceMac":"02005e100003","ssid":"Corp Guest"}'
    )
)
"""An alert with a value for every field."""

VALUES = {
    "id": str(ALERT.id),
    "companyId": str(ALERT.company),
    "edgeId": str(ALERT.sensor),
    "serial": "EG-0001",
    "edgeName": "Lobby, 2nd floor",
    "verifyKeyId": str(ALERT.verify_key),
    "kind": "alert",
    "origin": "sensor",
    "alertCode": "DEAUTHFLOOD",
    "alertTitle": "Deauthentication flood",
    "categoryId": 1,
    "category": "Denial of service",
    "severity": 8,
    "message": ALERT.message,
    "eventId": "a-17",
    "sequence": 17,
    "ssid": "Corp Guest",
    "bssid": "02:00:5e:10:00:01",
    "channel": 6,
    "frequencyMHz": 2437,
    "rssi": -61,
    "encryption": "WPA3-SAE",
    "sourceMac": "02:00:5e:10:00:03",
    "destinationMac": "ff:ff:ff:ff:ff:ff",
    "clientMac": "02:00:5e:10:00:02",
}
"""What a reader of FULL must find in the field of each name; times and ``data`` differ by format."""
