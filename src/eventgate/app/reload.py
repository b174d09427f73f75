"""What a configuration that was read again means for an EventGate that runs: which sinks move, what must wait.

Pure but for the random source behind a salt.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from eventgate.app.sinks import definitions
from eventgate.config import Configuration
from eventgate.sinks.definition import SinkDefinition
from eventgate.sinks.shown import changed, members


class Moves(NamedTuple):
    """The sinks that a reload starts, starts anew from their cursor, and stops, by name. The others go on."""

    added: Sequence[str]
    changed: Mapping[str, Sequence[str]]
    """With the keys that differ."""
    removed: Sequence[str]
    unchanged: Sequence[str]

    @property
    def any(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def sink_moves(running: Mapping[str, Mapping[str, Any]], told: Sequence[SinkDefinition]) -> Moves:
    """From the definitions that run, by name, as ``sinks.shown`` tells them in full or veiled."""
    differing = {each.name: changed(running[each.name], each) for each in told if each.name in running}
    names = [each.name for each in told]
    return Moves(
        added=[name for name in names if name not in running],
        changed={name: keys for name, keys in differing.items() if keys},
        removed=[name for name in running if name not in names],
        unchanged=[name for name, keys in differing.items() if not keys],
    )


def members_of(configuration: Configuration) -> dict[str, dict[str, Any]]:
    """The definitions of a configuration in full, by name."""
    return {each.name: members(each) for each in definitions(configuration)}


def what_needs_a_restart(running: Configuration, told: Configuration) -> list[str]:
    """The keys that differ and that only a start reads, as in the file: ``http.port``."""
    return _differing(_keys(running), _keys(told))


def fingerprints(configuration: Configuration, salt: str = "") -> dict[str, str]:
    """A salted hash of each key that only a start reads, and the salt, so that nobody need keep the values."""
    salt = salt or os.urandom(16).hex()
    hashes = {
        key: hashlib.scrypt(orjson.dumps(value, default=str), salt=salt.encode(), n=1 << 10, r=8, p=1, dklen=16).hex()
        for key, value in _keys(configuration).items()
    }
    return {"salt": salt, **hashes}


def restart_keys(running: Mapping[str, str], told: Configuration) -> list[str]:
    """As ``what_needs_a_restart``, from the ``fingerprints`` of what runs."""
    return _differing(running, fingerprints(told, running["salt"]))


def _differing(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return sorted(key for key in {*before, *after} if before.get(key) != after.get(key))


def _keys(configuration: Configuration) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, section in configuration.model_dump(mode="json", exclude={"sinks"}).items():
        if isinstance(section, dict):
            found |= {f"{name}.{key}": value for key, value in section.items()}
        else:
            found[name] = section
    return found
