"""A sink as it is configured, and the states it can be in.

Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SinkDefinition:
    """One destination: which events, as what text, over what.

    ``company`` None: the operator's, sees every company. ``filters`` must all hold; none means every event.
    ``options`` are the keys that belong to its transport, as configured.
    """

    name: str
    transport: str
    format: str = "json"
    filters: tuple[str, ...] = ()
    company: UUID | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def reader(sink: str) -> str:
    """The name under which the journal keeps a sink's cursor."""
    return f"sink:{sink}"


class State(StrEnum):
    """What a sink's delivery loop is doing."""

    STARTING = "starting"
    RUNNING = "running"
    RETRYING = "retrying"
    """The receiver does not take anything at the moment; the last error says why."""
    PAUSED = "paused"
    CURSOR_LOST = "cursor-lost"
    """Nobody knows any more how far it had come; only a rewind by an operator goes on."""
    STOPPED = "stopped"
