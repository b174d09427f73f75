"""The filter language field·operator·value: parsed once, asked of SQL and of events in memory alike.

Pure.
"""

from eventgate.query.conditions import Condition, Matcher, Query, Where
from eventgate.query.events import EVENTS
from eventgate.query.fields import Field, FieldTable
from eventgate.query.operators import OPERATORS, Takes
from eventgate.query.parse import CODE, SEPARATOR, parse_filters

__all__ = [
    "CODE",
    "EVENTS",
    "OPERATORS",
    "SEPARATOR",
    "Condition",
    "Field",
    "FieldTable",
    "Matcher",
    "Query",
    "Takes",
    "Where",
    "parse_filters",
]
