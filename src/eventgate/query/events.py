"""The fields of events: what a search, a sink's filter and a live stream can ask.

Pure. Nine names are published; kind, severity, receivedAt and the paths inside data are ours.
"""

from typing import Any

from eventgate.event import KIND_NAMES, Event, SensorNames
from eventgate.query.fields import Field, FieldTable
from eventgate.query.fieldtypes import CanonicalJson, Identifier, Number, OwnId, Text, Words
from eventgate.query.shown import canonical_text, shown_json, shown_text
from eventgate.query.times import Instant, OwnTime


class Subject:
    """An event under question; its data is decoded when first looked at, and once."""

    __slots__ = ("_data", "event", "names")

    def __init__(self, event: Event, names: SensorNames) -> None:
        self.event = event
        self.names = names
        self._data: Any = None

    @property
    def data(self) -> Any:
        if self._data is None:
            self._data = shown_json(self.event.data)
        return self._data


def _shown(text: str | None) -> str | None:
    return None if text is None else shown_text(text)


_KINDS = "(CASE kind " + " ".join(f"WHEN {kind:d} THEN '{name}'" for kind, name in KIND_NAMES.items()) + " END)"

EVENTS = FieldTable(
    (
        Field("id", OwnId(), lambda s: s.event.id, "id"),
        Field("categoryId", Number(), lambda s: s.event.category, "category"),
        Field("alertCode", Text(), lambda s: _shown(s.event.code), "code"),
        Field("edgeId", Identifier(), lambda s: s.event.sensor, "sensor"),
        Field("timestamp", OwnTime(), lambda s: s.event.timestamp, "id"),
        Field("message", Words(), lambda s: _shown(s.event.message), "message"),
        Field("data", CanonicalJson(), lambda s: canonical_text(s.data), "data::text", decodes=True),
        Field("serial", Text(), lambda s: s.names.serial or None, None),
        Field("edgeName", Text(), lambda s: s.names.name, None),
        Field("severity", Number(), lambda s: s.event.severity, "severity"),
        Field("receivedAt", Instant(), lambda s: s.event.received, "received_at"),
        Field("kind", Text(), lambda s: KIND_NAMES[s.event.kind], _KINDS),
    ),
    documents={"data": lambda s: s.data},
    example_key="bssid",
)
