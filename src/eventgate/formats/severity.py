"""Our severity in the words of others: one table, a column for each scale.

Pure. Ours runs from 0 to 10, and 10 is the worst; syslog's runs the other way. Events without one (sightings,
heartbeats) are informational.
"""

from typing import NamedTuple


class Severity(NamedTuple):
    """One of ours as syslog (RFC 5424, section 6.2.1), CEF, LEEF and OCSF say it."""

    syslog: int
    cef: int
    leef: int
    ocsf: int
    ocsf_name: str


_TABLE = (
    Severity(6, 0, 1, 1, "Informational"),
    Severity(6, 1, 1, 1, "Informational"),
    Severity(6, 2, 2, 1, "Informational"),
    Severity(5, 3, 3, 2, "Low"),
    Severity(5, 4, 4, 2, "Low"),
    Severity(5, 5, 5, 2, "Low"),
    Severity(4, 6, 6, 3, "Medium"),
    Severity(3, 7, 7, 3, "Medium"),
    Severity(2, 8, 8, 4, "High"),
    Severity(2, 9, 9, 4, "High"),
    Severity(1, 10, 10, 5, "Critical"),
)


def severity_of(ours: int | None) -> Severity:
    return _TABLE[ours or 0]
