"""The catalogue: the categories of alerts, and the codes EventGate knows with their usual category and severity.

Pure but for its table, catalogue.toml. A sensor may send other codes; those are Other until it says otherwise.
"""

import tomllib
from importlib.resources import files
from typing import NamedTuple


class Category(NamedTuple):
    """One of the six categories; the number is what travels."""

    id: int
    name: str
    description: str


class AlertCode(NamedTuple):
    """A known code. ``severity`` is 0 to 10, 10 the worst, and stands where a sensor gives none."""

    code: str
    category: int
    severity: int
    title: str
    description: str


OTHER = 6

CATEGORIES = (
    Category(1, "Denial of service", "Somebody keeps clients from using the network."),
    Category(2, "Spoofing", "A device pretends to be another, or a network changes as its owner would not."),
    Category(3, "Probing", "Somebody is looking for networks, clients or weaknesses."),
    Category(4, "Exploit", "Frames that break into, or break, the software that receives them."),
    Category(5, "System", "About the sensors and EventGate themselves."),
    Category(OTHER, "Other", "Whatever its sensor did not sort."),
)

CODES = {
    code: AlertCode(code, **known)
    for code, known in tomllib.loads(files(__package__).joinpath("catalogue.toml").read_text()).items()
}

_UNKNOWN_SEVERITY = 5


def defaults(code: str) -> tuple[int, int]:
    """The category and the severity of an alert whose sensor gives none."""
    known = CODES.get(code)
    return (known.category, known.severity) if known else (OTHER, _UNKNOWN_SEVERITY)
