"""docs/field-mapping.md and the code say the same."""

import re
from pathlib import Path

import pytest

from eventgate.formats.fields import OF_AN_EVENT, SEEN
from eventgate.formats.severity import severity_of
from tests.unit.formats.every import FORMATS, places

TEXT = (Path(__file__).parents[3] / "docs" / "field-mapping.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("|")]
HEADERS = [row for row in ROWS if row[0] == "field" and "`json`" in row]


@pytest.mark.parametrize("name", FORMATS)
def test_every_field_is_where_the_page_says(name: str) -> None:
    column = HEADERS[0].index(f"`{name}`")
    assert HEADERS[1].index(f"`{name}`") == column
    told = {row[0].strip("*"): row[column].strip("`") for row in ROWS if row[0].startswith("**") and len(row) > 4}
    assert told.keys() == {*OF_AN_EVENT, *SEEN}
    assert {field: place for field, place in told.items() if place} == places(name)


def test_the_members_of_data_are_those_of_the_page() -> None:
    told = {
        row[0].strip("*"): (row[2], re.findall(r"`(\w+)`", row[1])) for row in ROWS if len(row) == 3 and "**" in row[0]
    }
    assert told == {name: (field.type, list(field.members)) for name, field in SEEN.items()}


def test_severities_are_those_of_the_page() -> None:
    told = [row for row in ROWS if row[0].isdigit()]
    assert len(told) == 11
    for ours, syslog, cef, leef, ocsf in told:
        assert severity_of(int(ours))[:3] == (int(syslog), int(cef), int(leef))
        assert ocsf == f"{severity_of(int(ours)).ocsf} {severity_of(int(ours)).ocsf_name}"
