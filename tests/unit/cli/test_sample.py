"""Sample alerts are plausible in every field, and never twice the same."""

import json
import random
import re
from datetime import datetime

from eventgate.cli.sample import alerts

MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def _make(count: int, seed: int = 1) -> list[dict]:
    return list(alerts(count, random.Random(seed), lambda: 1_763_726_400.25))


def test_every_field_is_plausible() -> None:
    made = _make(2000)
    for alert in made:
        assert datetime.fromisoformat(alert["timestamp"]).timestamp() == 1_763_726_400.25
        assert 0 <= alert["severity"] <= 10
        assert alert["message"]
        assert -94 <= alert["data"]["rssi"] <= -28
        assert 2400 < alert["data"]["frequencyMHz"] < 5900
        for name in ("bssid", "sourceMac", "destinationMac", "expectedBssid"):
            assert MAC.fullmatch(alert["data"].get(name, "00:00:00:00:00:00"))
        json.dumps(alert)
    assert {alert["alertCode"] for alert in made} >= {
        "DEAUTHFLOOD", "APSPOOF", "ROGUEAP", "KARMAOUI", "WPSBRUTE", "NONCEREUSE",
    }  # fmt: skip


def test_no_two_have_one_event_id_even_of_two_runs() -> None:
    ids = [alert["eventId"] for seed in (1, 2) for alert in _make(500, seed)]
    assert len(set(ids)) == 1000


def test_an_evil_twin_has_the_name_but_not_the_address() -> None:
    twins = [alert["data"] for alert in _make(2000) if alert["alertCode"] == "APSPOOF"]
    assert twins
    assert all(twin["bssid"] != twin["expectedBssid"] for twin in twins)


def test_a_phones_random_address_is_locally_administered() -> None:
    macs = [alert["data"]["sourceMac"] for alert in _make(2000) if alert["alertCode"] == "WPSBRUTE"]
    assert macs
    assert all(int(mac[:2], 16) & 0b11 == 0b10 for mac in macs)
