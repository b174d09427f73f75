"""Whether the files that sinks name can still be used after they have changed.

Touches those files: a look at each every few seconds, and a reading where one has changed.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from eventgate.errors import ConfigurationError
from eventgate.forward.plan import plan
from eventgate.forward.transports.reread import Mark, mark
from eventgate.sinks.alarms import CERTIFICATE
from eventgate.sinks.definition import SinkDefinition

_Marks = tuple[Mark, ...]


class SinkFiles:
    """Remembers the files of each sink as they were at the last look."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[SinkDefinition, _Marks, str | None]] = {}

    async def faults(self, sinks: Sequence[SinkDefinition]) -> Mapping[str, Mapping[str, str]]:
        """What is wrong, as code and sentence, by sink."""
        return await asyncio.to_thread(self._faults, sinks)

    def _faults(self, sinks: Sequence[SinkDefinition]) -> Mapping[str, Mapping[str, str]]:
        self._known = {sink.name: self._look(sink) for sink in sinks if _files(sink)}
        return {name: {CERTIFICATE: fault} for name, (_, _, fault) in self._known.items() if fault is not None}

    def _look(self, sink: SinkDefinition) -> tuple[SinkDefinition, _Marks, str | None]:
        marks = tuple(mark(file) for file in _files(sink))
        known = self._known.get(sink.name)
        if known is not None and known[:2] == (sink, marks):
            return known
        return sink, marks, _fault(sink)


def _files(sink: SinkDefinition) -> list[Path]:
    return [Path(value) for key, value in sorted(sink.options.items()) if key.endswith("_file") and value]


def _fault(sink: SinkDefinition) -> str | None:
    try:
        plan(sink, "its files")
    except ConfigurationError as error:
        return f"a file that it names cannot be used any more, and it goes on with what it read before: {error}"
    return None
