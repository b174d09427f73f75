"""Alerts and events as the HTTP interface prints them, wherever they come from: a search, or the journal.

Pure.
"""

from typing import Any

import orjson

from eventgate.alerts.stored import StoredEvent
from eventgate.event import KIND_NAMES, Event, Origin, SensorNames
from eventgate.formats.times import rfc3339
from eventgate.query.shown import shown_data, shown_text


def alert(stored: StoredEvent) -> dict[str, Any]:
    """An alert: the nine published members, and severity, receivedAt and companyId."""
    return {
        "id": stored.id,
        "categoryId": stored.category,
        "alertCode": stored.code,
        "edgeId": stored.sensor,
        "timestamp": rfc3339(stored.timestamp),
        "message": stored.message,
        "data": orjson.Fragment(stored.data),
        "serial": stored.serial,
        "edgeName": stored.edge_name,
        "severity": stored.severity,
        "receivedAt": rfc3339(stored.received),
        "companyId": stored.company,
    }


def event(stored: StoredEvent) -> dict[str, Any]:
    """An event of any kind: an alert's members and what else is stored of it."""
    return {
        **alert(stored),
        "kind": KIND_NAMES[stored.kind],
        "origin": "system" if stored.origin is Origin.SYSTEM else "sensor",
        "eventId": stored.event_id,
        "sequence": stored.sequence,
        "keyId": stored.key,
        "verifyKeyId": stored.verify_key,
        "contentDigest": stored.content_digest.hex(),
    }


def alert_of_journal(found: Event, names: SensorNames) -> dict[str, Any]:
    """An alert as ``alert`` prints it, read from the journal."""
    return {
        "id": found.id,
        "categoryId": found.category,
        "alertCode": found.code,
        "edgeId": found.sensor,
        "timestamp": rfc3339(found.timestamp),
        "message": None if found.message is None else shown_text(found.message),
        "data": orjson.Fragment(shown_data(found.data)),
        "serial": names.serial,
        "edgeName": names.name,
        "severity": found.severity,
        "receivedAt": rfc3339(found.received),
        "companyId": found.company,
    }
