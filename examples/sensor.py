"""A sensor in a dozen lines: sign an alert, send it, and try again until EventGate has it.

    python examples/sensor.py data/bootstrap.json

The library needs nothing of the server but its own ``eventgate.sdk``.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from eventgate.sdk import CallerError, Client, SigningKey, Unavailable

settings = json.loads(Path(sys.argv[1]).read_text())
signing_key = SigningKey.from_pem(Path(settings["signingKeyFile"]).read_bytes())

alert = {
    "timestamp": datetime.now(UTC).isoformat(),
    "alertCode": "ROGUEAP",
    "message": "Unapproved access point on channel 11",
    "data": {"bssid": "24:5a:4c:8d:1f:fc", "ssid": "free-wifi", "channel": 11, "rssi": -58},
}

with Client(settings["url"], settings["authKey"], signing_key, settings["verifyKeyId"]) as client:
    try:
        answer = client.send([alert])
    except CallerError as refused:  # sending the same again would not help
        sys.exit(f"refused: {refused}")
    except Unavailable as away:  # keep the event and send it later: it is stored once, however often it comes
        sys.exit(f"not now: {away}")

for outcome in answer.events:
    print(outcome.status, outcome.id, outcome.error or "")
