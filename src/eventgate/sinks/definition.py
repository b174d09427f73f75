"""A sink as it is configured, and the states it can be in.

Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from eventgate.event import Event


@dataclass(frozen=True, slots=True)
class SinkDefinition:
    """One destination: which events, as what text, over what.

    ``company`` None: the operator's, sees every company. ``filters`` must all hold; none means every event.
    ``options`` are the keys that belong to its transport, as configured. ``begin`` counts where the sink never ran:
    beginning, now, or a moment. ``replay_events_per_second`` 0: what is delivered again goes as fast as it can.
    """

    name: str
    transport: str
    format: str = "json"
    filters: tuple[str, ...] = ()
    company: UUID | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    begin: str = "beginning"
    replay_events_per_second: int = 5_000

    def seconds_for(self, events: int) -> float | None:
        """How long so many events take at the rate of a replay; None where nothing bounds it."""
        return seconds_at(self.replay_events_per_second, events)


def reader(sink: str) -> str:
    """The name under which the journal keeps a sink's cursor."""
    return f"sink:{sink}"


def is_about(event: Event, sink: str) -> bool:
    """Whether a system event is about this sink, which is never sent it: it would be told of its failing for ever."""
    told = orjson.loads(event.data)
    return isinstance(told, dict) and told.get("sink") == sink


def seconds_at(rate: int, events: int) -> float | None:
    """Seconds that so many events take at so many a second; None at no bound, which is 0."""
    return round(events / rate, 1) if rate else None


class State(StrEnum):
    """What a sink's delivery loop is doing."""

    STARTING = "starting"
    RUNNING = "running"
    RETRYING = "retrying"
    """The receiver does not take anything at the moment; the last error says why."""
    PAUSED = "paused"
    DISABLED = "disabled"
    """Its receiver wants nothing more, ever: it rests until somebody resumes it."""
    CURSOR_LOST = "cursor-lost"
    """Nobody knows any more how far it had come; only a rewind by an operator goes on."""
    STOPPED = "stopped"
