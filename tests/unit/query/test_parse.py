"""Filters are read as published, and mistakes teach."""

import pytest

from eventgate.errors import CallerError
from eventgate.query import EVENTS, OPERATORS, Takes, parse_filters
from eventgate.query.instants import Span

THREE_EDGES = (
    'edgeId·isAnyOf·["9a90af71-251e-11f0-a7be-3ec870f66d56",'
    '"9a90ac8f-251e-11f0-a7be-3ec870f66d56","9a90ac6f-251e-11f0-a7be-3ec870f66d56"]'
)


@pytest.mark.parametrize(
    "filters",
    [
        ["timestamp·isBefore·2025-05-13 16:11"],
        ["timestamp·isAfter·2025-05-13 16:11", "categoryId·is·5"],
        [THREE_EDGES],
        ["message·isNotEmpty"],
        ["message·isNotEmpty·"],
        ['message·contains·"a · b"'],
        ['data."a.b".c·is·"x"'],
        ["data.channel·>·6"],
        ["data.hidden·is·true"],
    ],
)
def test_published_and_legal_filters_are_read(filters: list[str]) -> None:
    assert [c.text for c in parse_filters(filters).conditions] == filters


def test_three_edges_are_three_sensors() -> None:
    assert len(parse_filters([THREE_EDGES]).where({}).sensors or ()) == 3


@pytest.mark.parametrize(
    ("text", "at", "teaches"),
    [
        ("severity", 9, "field·operator·value"),
        ("severty·is·5", 1, "did you mean severity?"),
        ("colour·is·5", 1, "the fields are id, categoryId"),
        ("severity·gt·5", 10, "severity takes is, isAnyOf, not"),
        ("message·contain·5", 9, "did you mean contains?"),
        ("severity·isBefore·5", 10, "does not fit severity, a number"),
        ("severity·is", 12, "is takes one value"),
        ("severity·is·", 13, "expected a value after the second ·"),
        ('severity·is·"5"', 13, "expected a number: 5"),
        ("alertCode·is·5", 14, 'expected a string in double quotes: "5"'),
        ("severity·>·high", 12, "expected a number, like 5"),
        ("alertCode·is·DEAUTHFLOOD", 14, 'expected a string in double quotes: "DEAUTHFLOOD"'),
        ("alertCode·is·null", 14, "to find what is missing"),
        ("alertCode·is·{}", 14, "not an object"),
        ('alertCode·isAnyOf·"A"', 19, 'expected a JSON array: ["A"]'),
        ("alertCode·isAnyOf·[]", 19, "an array of 1 to 100 values; this one has 0"),
        ('alertCode·isAnyOf·["A",["B"]]', 19, "value 1 of the array is an array"),
        ('alertCode·isAnyOf·["A"', 23, "expected a JSON value"),
        ('message·contains·"C:\\x"', 21, "a backslash is written \\\\"),
        ('message·contains·"\\ud800"', 18, "surrogate"),
        ('timestamp·isBefore·"2025-05-13 16:11"', 20, "stands without quotes: 2025-05-13 16:11"),
        ("timestamp·isBefore·2025-05-13", 20, "expected a date like 2025-05-13 16:11"),
        ("timestamp·isBefore·2025-02-30 16:11", 20, "expected a date like"),
        ("timestamp·isBefore·2025-05-13 16:11:61", 20, "or 2025-05-13 16:11:30.5 (UTC), or RFC 3339 like"),
        ("timestamp·isBefore·2025-05-13 16:11:00.", 20, "expected a date like"),
        ('edgeId·is·"9a90"', 11, "expected a UUID in double quotes"),
        ("message·isNotEmpty·5", 20, "isNotEmpty takes no value"),
        ("data.·is·5", 6, "expected a key of data here"),
        ('data."a·is·5', 6, "expected a key of data here"),
        ('data."a"b·is·5', 6, "expected a key of data here"),
        ("data.x·is·1e999", 11, "beyond what a number"),
        ("data.x·is·" + "9" * 5000, 11, "beyond what a number"),
        ("data.x·is·0e-9999999", 11, "beyond what a number"),
        ("data.x·is·NaN", 11, "no number"),
        ("data.x·is·" + "[" * 100_000, 11, "nested too deeply"),
        ("severity·is·true", 13, "expected a number"),
    ],
)
def test_a_mistake_says_where_and_what_would_have_been_right(text: str, at: int, teaches: str) -> None:
    with pytest.raises(CallerError) as caught:
        parse_filters(["severity·>·5", text])
    assert (caught.value.status, caught.value.code) == (400, "filter-malformed")
    [error] = caught.value.errors
    assert error.pointer == "filter[1]"
    assert f"filter[1], character {at}: " in error.detail
    assert teaches in error.detail


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(CallerError) as caught:
        parse_filters(["a·is·1", "severity·>·5", "b·is·1"])
    assert [error.pointer for error in caught.value.errors] == ["filter[0]", "filter[2]"]


def test_arrays_hold_up_to_a_hundred_values() -> None:
    def some(count: int) -> str:
        return "severity·isAnyOf·[" + ",".join(["1"] * count) + "]"

    assert parse_filters([some(100)])
    with pytest.raises(CallerError):
        parse_filters([some(101)])


@pytest.mark.parametrize(
    ("written", "start", "end"),
    [
        ("2025-05-13 16:11", 1_747_152_660_000, 1_747_152_720_000),
        ("2025-05-13 16:11:00", 1_747_152_660_000, 1_747_152_661_000),
        ("2025-05-13 16:11:59", 1_747_152_719_000, 1_747_152_720_000),
        ("2025-05-13 16:11:00.5", 1_747_152_660_500, 1_747_152_660_600),
        ("2025-05-13 16:11:00.1239", 1_747_152_660_123, 1_747_152_660_124),
        ("2016-12-31 23:59:60", 1_483_228_800_000, 1_483_228_801_000),
        ("2025-05-13T16:11:00Z", 1_747_152_660_000, 1_747_152_660_001),
        ("2025-05-13t16:11:00.1239z", 1_747_152_660_123, 1_747_152_660_124),
        ("2025-05-13T18:11:00+02:00", 1_747_152_660_000, 1_747_152_660_001),
        ("2025-05-13T18:11:00 02:00", 1_747_152_660_000, 1_747_152_660_001),
        ("2025-05-13 14:11:00-02:00", 1_747_152_660_000, 1_747_152_660_001),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000, 1_483_228_800_001),
    ],
)
def test_moments(written: str, start: int, end: int) -> None:
    [condition] = parse_filters([f"timestamp·is·{written}"]).conditions
    assert list(condition.values) == [Span(start, end)]


def test_every_operator_fits_some_field_and_every_field_takes_some_operator() -> None:
    assert all(any(o.fits_type(f.type) for f in EVENTS.fields.values()) for o in OPERATORS.values())
    assert all(any(o.fits_type(f.type) for o in OPERATORS.values()) for f in EVENTS.fields.values())
    assert {o.name for o in OPERATORS.values() if o.takes is Takes.MANY} == {"isAnyOf", "containsAny"}
