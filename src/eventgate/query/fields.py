"""The fields a filter can name: where each is found in memory and in SQL, and which type it has.

Pure. Nine names are published; kind, severity, receivedAt and the paths inside data are ours.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NoReturn

from eventgate.event import KIND_NAMES, Event, SensorNames
from eventgate.query.fieldtypes import Bind, CanonicalJson, EventId, FieldType, Identifier, Number, Text, Words
from eventgate.query.leaf import Leaf
from eventgate.query.literals import Malformed
from eventgate.query.shown import canonical_text, shown_json, shown_text
from eventgate.query.times import EventTime, Instant


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


@dataclass(frozen=True, slots=True)
class Field:
    """A field: ``read`` finds it in memory, ``column`` in SQL.

    ``column`` is None for what people call a sensor: those names live in the registry, not beside the events.
    """

    name: str
    type: FieldType
    read: Callable[[Subject], Any]
    column: str | None
    decodes: bool = False
    """Whether reading it decodes the event's data; such conditions are asked last."""

    def column_sql(self, bind: Bind) -> str:
        """The field as an SQL expression."""
        if isinstance(self.type, Leaf):
            return self.type.column_sql(bind)
        assert self.column is not None, f"{self.name} is resolved to sensors before SQL"
        return self.column


def _shown(text: str | None) -> str | None:
    return None if text is None else shown_text(text)


_KINDS = "(CASE kind " + " ".join(f"WHEN {kind:d} THEN '{name}'" for kind, name in KIND_NAMES.items()) + " END)"

_ALL = (
    Field("id", EventId(), lambda s: s.event.id, "id"),
    Field("categoryId", Number(), lambda s: s.event.category, "category"),
    Field("alertCode", Text(), lambda s: _shown(s.event.code), "code"),
    Field("edgeId", Identifier(), lambda s: s.event.sensor, "sensor"),
    Field("timestamp", EventTime(), lambda s: s.event.timestamp, "id"),
    Field("message", Words(), lambda s: _shown(s.event.message), "message"),
    Field("data", CanonicalJson(), lambda s: canonical_text(s.data), "data::text", decodes=True),
    Field("serial", Text(), lambda s: s.names.serial or None, None),
    Field("edgeName", Text(), lambda s: s.names.name, None),
    Field("severity", Number(), lambda s: s.event.severity, "severity"),
    Field("receivedAt", Instant(), lambda s: s.event.received, "received_at"),
    Field("kind", Text(), lambda s: KIND_NAMES[s.event.kind], _KINDS),
)
FIELDS = {field.name: field for field in _ALL}

_PATH_EXAMPLE = 'data.bssid, or data."a.b" for a key with a dot in it'
_SEGMENT = re.compile(r'"(?:[^"\\]|\\.)*"|[^".][^.]*', re.DOTALL)


def field_named(name: str) -> Field:
    """Find a field by the name a filter gives; raises Malformed."""
    if field := FIELDS.get(name):
        return field
    if name.startswith("data."):
        leaf = Leaf(_path(name))
        return Field(name, leaf, lambda s: leaf.find(s.data), None, decodes=True)
    if close := get_close_matches(name, FIELDS, n=1):
        raise Malformed(0, f"there is no field {name[:40]!r}; did you mean {close[0]}?")
    raise Malformed(
        0, f"there is no field {name[:40]!r}; the fields are {', '.join(FIELDS)}, and paths like {_PATH_EXAMPLE}"
    )


def _path(name: str) -> tuple[str, ...]:
    """Split ``data.a."b.c"`` into its segments; a quoted one is a JSON string."""
    segments: list[str] = []
    at = len("data")
    while at < len(name):
        at += 1  # the dot
        found = _SEGMENT.match(name, at)
        if not found or (found.end() < len(name) and name[found.end()] != "."):
            _no_path(at)
        text = found.group()
        try:
            segment = json.loads(text, strict=False) if text.startswith('"') else text
            segment.encode()
        except ValueError:
            _no_path(at)
        segments.append(shown_text(segment))
        at = found.end()
    return tuple(segments)


def _no_path(at: int) -> NoReturn:
    raise Malformed(at, f"expected a key of data here: {_PATH_EXAMPLE}")
