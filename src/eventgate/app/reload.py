"""What a configuration that was read again means for an EventGate that runs: which sinks move, what must wait.

Pure but for the salt of a secret's hash.
"""

from collections.abc import Sequence
from typing import NamedTuple

from eventgate.app.sinks import definitions
from eventgate.config import Configuration
from eventgate.sinks.shown import changed, members


class Moves(NamedTuple):
    """The sinks that a reload starts, starts anew from their cursor, and stops, by name. The others go on."""

    added: Sequence[str]
    changed: Sequence[str]
    removed: Sequence[str]


def sink_moves(running: Configuration, told: Configuration) -> Moves:
    before = {each.name: each for each in definitions(running)}
    after = {each.name: each for each in definitions(told)}
    return Moves(
        [name for name in after if name not in before],
        [name for name, each in after.items() if name in before and changed(members(before[name]), each)],
        [name for name in before if name not in after],
    )


def what_needs_a_restart(running: Configuration, told: Configuration) -> list[str]:
    """The keys that differ and that only a start reads, as in the file: ``http.port``."""
    before, after = _keys(running), _keys(told)
    return sorted(key for key in {*before, *after} if before.get(key) != after.get(key))


def _keys(configuration: Configuration) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, section in configuration.model_dump(exclude={"sinks"}).items():
        if isinstance(section, dict):
            found |= {f"{name}.{key}": value for key, value in section.items()}
        else:
            found[name] = section
    return found
