"""The configured sinks: checked as a whole, and reached one by one for ``eventgate check --connect``.

Touches the files that sinks name; the network only where asked to.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from eventgate.clock import SystemClock
from eventgate.config import Configuration
from eventgate.errors import ConfigurationError, EventGateError, FieldError
from eventgate.forward.plan import History, Plan, plan
from eventgate.sinks.definition import SinkDefinition

_NOWHERE = UUID(int=0)


class Finding(NamedTuple):
    """What a check says of one sink; ``fault`` None means it answers, or was not asked."""

    name: str
    transport: str
    guarantee: str
    fault: str | None


def definitions(configuration: Configuration) -> list[SinkDefinition]:
    """Every sink as it is configured, unchecked."""
    return [
        SinkDefinition(
            sink.name,
            sink.transport,
            sink.format,
            tuple(sink.filter),
            sink.company,
            sink.options,
            begin=sink.begin,
            replay_events_per_second=sink.replay_events_per_second,
        )
        for sink in configuration.sinks
    ]


def plans(configuration: Configuration, source: str = "configuration") -> list[Plan]:
    """Every sink, ready to build. Raises ConfigurationError with the mistakes of all of them, found in ``source``."""
    good: list[Plan] = []
    problems: list[FieldError] = []
    for definition in definitions(configuration):
        try:
            good.append(plan(definition, source))
        except ConfigurationError as error:
            problems.extend(error.problems)
    problems.extend(_files_of_two(good))
    if problems:
        raise ConfigurationError(source, problems)
    return good


def _files_of_two(good: Sequence[Plan]) -> Iterator[FieldError]:
    """Two sinks in one file would cut off each other's lines, and rotate it away from each other."""
    writers: dict[Path, str] = {}
    for each in good:
        if each.definition.transport == "file":
            path = Path(each.definition.options["path"]).resolve()
            if (first := writers.setdefault(path, each.name)) != each.name:
                yield FieldError(f"sinks.{each.name}.path", "taken", f"sink {first} writes {path} already")


async def check_sinks(checked: Sequence[Plan], *, connect: bool) -> list[Finding]:
    """Say of every sink what it promises and, with ``connect``, whether its receiver answers."""
    return [
        Finding(each.name, each.definition.transport, each.guarantee, await _fault(each) if connect else None)
        for each in checked
    ]


async def _fault(sink: Plan) -> str | None:
    transport = sink.make(History(_NOWHERE, _no_digest), SystemClock())
    try:
        await transport.probe()
    except (EventGateError, OSError) as error:
        return str(error) or type(error).__name__
    finally:
        await transport.close()
    return None


async def _no_digest(_position: int) -> bytes | None:
    return None
