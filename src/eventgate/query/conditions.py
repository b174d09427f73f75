"""A parsed query: conditions, all of which must hold, asked of events in memory or of SQL.

Pure. What a condition says about ids, sensors and codes is kept apart, so that a search can go straight to them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any
from uuid import UUID

from eventgate.event import Event, SensorNames
from eventgate.query.events import Subject
from eventgate.query.fields import Field
from eventgate.query.fieldtypes import EVERY_ID, Bind, IdRange
from eventgate.query.operators import Operator

Matcher = Callable[[Event, SensorNames], bool]


@dataclass(frozen=True)
class Condition:
    """One filter: ``text`` as the caller wrote it."""

    field: Field
    operator: Operator
    values: Sequence[Any]
    text: str

    @cached_property
    def holds(self) -> Callable[[Any], bool]:
        read, test = self.field.read, self.operator.match(self.field.type, self.values)
        return lambda subject: test(read(subject))

    def sql(self, bind: Bind) -> str:
        return self.operator.sql(self.field.type, self.field.column_sql(bind), self.values, bind)

    @property
    def ids(self) -> IdRange:
        """Which ids can match."""
        return self.operator.ids(self.field.type, self.values)

    def split(self, sensors: Mapping[UUID, SensorNames]) -> tuple[list[UUID], list[UUID], bool]:
        """Sort sensors by what they are called: those that pass, the others, and whether one without a name would.

        For the fields that live in the registry and not beside the events.
        """
        test = self.operator.match(self.field.type, self.values)
        passing: list[UUID] = []
        others: list[UUID] = []
        for sensor, (serial, name) in sensors.items():
            (passing if test(serial if self.field.name == "serial" else name) else others).append(sensor)
        return passing, others, test(None)


@dataclass(frozen=True, slots=True)
class Where:
    """A query of events in SQL.

    ``text`` (empty where nothing is left to ask) is true for the rows that match, given that their id lies in ``ids``,
    their sensor is one of ``sensors`` and their code one of ``codes`` (None: any). ``values`` are its parameters.
    """

    text: str
    values: tuple[object, ...]
    ids: IdRange
    sensors: tuple[UUID, ...] | None
    codes: tuple[str, ...] | None

    @property
    def impossible(self) -> bool:
        """Whether it is plain already that nothing matches."""
        low, high = self.ids
        return self.sensors == () or self.codes == () or (low is not None and high is not None and low >= high)


class _Parameters:
    """The values of a statement's parameters, numbered from ``first``."""

    def __init__(self, first: int) -> None:
        self.values: list[object] = []
        self._first = first

    def bind(self, value: object, sql_type: str) -> str:
        self.values.append(value)
        return f"${self._first + len(self.values) - 1}::{sql_type}"


@dataclass(frozen=True)
class Query:
    """Conditions, all of which must hold. Without any, everything matches."""

    conditions: tuple[Condition, ...] = ()

    @property
    def ids(self) -> IdRange:
        """Which ids can match."""
        return reduce(_both, (condition.ids for condition in self.conditions), EVERY_ID)

    def tests(self, first_parameter: int = 1) -> tuple[str, list[object]]:
        """The query in SQL where every field is a column, and its parameters, numbered from ``first_parameter``."""
        parameters = _Parameters(first_parameter)
        tests = [condition.sql(parameters.bind) for condition in self.conditions]
        return " AND ".join(tests) or "true", parameters.values

    def matcher(self) -> Matcher:
        """A predicate for events in memory; it decodes data only where a condition asks, after all others held."""
        tests = [c.holds for c in sorted(self.conditions, key=lambda c: c.field.decodes)]
        if not tests:
            return lambda _event, _names: True

        def matches(event: Event, names: SensorNames) -> bool:
            subject = Subject(event, names)
            return all(test(subject) for test in tests)

        return matches

    def where(self, sensors: Mapping[UUID, SensorNames], first_parameter: int = 1) -> Where:
        """The query in SQL, over the columns of ``events``; its parameters are numbered from ``first_parameter``.

        ``sensors`` are the company's, with the names they carry today.
        """
        parameters = _Parameters(first_parameter)
        tests: list[str] = []
        pinned: dict[str, set[Any]] = {}

        def pin(column: str, allowed: Collection[Any]) -> None:
            pinned[column] = pinned[column].intersection(allowed) if column in pinned else set(allowed)

        for condition in self.conditions:
            field, operator = condition.field, condition.operator
            if field.name in ("serial", "edgeName"):
                passing, others, nameless = condition.split(sensors)
                if nameless:  # a sensor that the registry does not know passes too
                    tests.append(f"sensor <> ALL({parameters.bind(others, 'uuid[]')})")
                else:
                    pin("sensor", passing)
            elif operator.pins and field.name in ("edgeId", "alertCode"):
                pin("sensor" if field.name == "edgeId" else "code", condition.values)
            else:
                tests.append(condition.sql(parameters.bind))
        return Where(
            text=" AND ".join(tests),
            values=tuple(parameters.values),
            ids=self.ids,
            sensors=tuple(sorted(pinned["sensor"])) if "sensor" in pinned else None,
            codes=tuple(sorted(pinned["code"])) if "code" in pinned else None,
        )


def _both(one: IdRange, other: IdRange) -> IdRange:
    lows = [low for low in (one.low, other.low) if low is not None]
    highs = [high for high in (one.high, other.high) if high is not None]
    return IdRange(max(lows, default=None), min(highs, default=None))
