"""The members of an event: what each may be, all mistakes at once, and time to the millisecond."""

from typing import Any

import pytest

from eventgate.ingest.fields import EXPECTED, Report, milliseconds, read
from tests.unit.ingest.house import NOW, NOW_TEXT, report

WRONG: list[tuple[str, Any]] = [
    ("timestamp", 5),
    ("timestamp", ""),
    ("timestamp", "2025-11-21"),
    ("timestamp", "2025-11-21T12:00:00"),
    ("timestamp", "2025-02-30T12:00:00Z"),
    ("timestamp", "2025-11-21T25:00:00Z"),
    ("id", "x"),
    ("eventId", ""),
    ("eventId", "x" * 129),
    ("eventId", "a\nb"),
    ("eventId", 7),
    ("kind", "alarm"),
    ("kind", "Alert"),
    ("edgeId", "EG-0001"),
    ("serial", "\x00"),
    ("alertCode", "x" * 65),
    ("alertCode", "A\x7f"),
    ("categoryId", 0),
    ("categoryId", 7),
    ("categoryId", True),
    ("categoryId", "1"),
    ("severity", -1),
    ("severity", 11),
    ("severity", 5.5),
    ("message", "x" * 4097),
    ("message", ["x"]),
    ("sequence", -1),
    ("sequence", 2**63),
    ("data", []),
    ("data", "{}"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_member_is_named(name: str, value: object) -> None:
    problems = read(report(**{name: value}))
    assert isinstance(problems, list)
    assert [(problem.pointer, problem.code) for problem in problems] == [(f"/{name}", "field-invalid")]
    assert EXPECTED[name] in problems[0].detail


def test_every_member_can_be_wrong_and_says_what_it_should_be() -> None:
    assert {name for name, _ in WRONG} == set(EXPECTED) == set(Report.__struct_fields__)


def test_all_mistakes_are_told_at_once() -> None:
    problems = read({"severity": 11, "message": 1})
    assert isinstance(problems, list)
    assert [(problem.pointer, problem.code) for problem in problems] == [
        ("/timestamp", "field-missing"),
        ("/severity", "field-invalid"),
        ("/message", "field-invalid"),
    ]


def test_null_counts_as_left_out() -> None:
    members = dict.fromkeys(EXPECTED) | {"timestamp": NOW_TEXT}
    assert read(members) == read({"timestamp": NOW_TEXT})


def test_members_nobody_knows_are_let_through() -> None:
    assert isinstance(read(report(firmware="1.2")), Report)


def test_longest_and_strangest_legal_values() -> None:
    members = report(
        eventId="é" * 128,
        serial="a\u2028\ue000",
        alertCode="x" * 64,
        message="\x00" * 4096,
        severity=0,
        categoryId=6,
        sequence=2**63 - 1,
    )
    assert isinstance(read(members), Report)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NOW_TEXT, NOW),
        ("2025-11-21T12:00:00Z", NOW),
        ("2025-11-21t13:00:00+01:00", NOW),
        ("2025-11-21T06:30:00.000-05:30", NOW),
        ("2025-11-21T12:00:00.0019Z", NOW + 1),
        ("2025-11-21T12:00:00.123999999Z", NOW + 123),
        ("2025-11-21T12:00:00.999999999999Z", NOW + 999),
        ("2025-11-21T13:00:00.0009999999+01:00", NOW),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_time_is_cut_to_milliseconds(text: str, expected: int) -> None:
    members = report(timestamp=text)
    read_report = read(members)
    assert isinstance(read_report, Report)
    assert milliseconds(read_report, members) == expected
