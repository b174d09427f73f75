"""Cutting bodies into events: the quick way and the exact one agree, and say where a body stops being JSON."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventgate.errors import CallerError
from eventgate.ingest import split
from eventgate.ingest.examine import Malformed
from eventgate.ingest.split import line_and_column, place, split_json, split_lines


def _run(work):
    try:
        while True:
            next(work)
    except StopIteration as end:
        return end.value


def _split(body: bytes, most: int = 100) -> tuple[bool, list[bytes]]:
    return _run(split_json(body, most))


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "_MOST_COMMAS", -1)


BODIES = {
    b"[]": [],
    b" [ ] ": [],
    b'[{"a":1}]': [b'{"a":1}'],
    b' [ {"a" : [1,2]} ,\n{"b":"],[{\\"\\\\"}\t] \n': [b'{"a" : [1,2]}', b'{"b":"],[{\\"\\\\"}'],
    b'[1,"a,]",null,[[],{}]]': [b"1", b'"a,]"', b"null", b"[[],{}]"],
}


@pytest.mark.parametrize("body", BODIES)
def test_an_array_is_cut_where_its_elements_end(body: bytes) -> None:
    assert _split(body) == (True, BODIES[body])


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("body", BODIES)
def test_the_exact_way_cuts_alike(body: bytes) -> None:
    assert _split(body) == (True, BODIES[body])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(json_values, max_size=6), st.sampled_from([0, orjson.OPT_INDENT_2]))
def test_both_ways_agree_on_any_array(values: list, option: int) -> None:
    body = orjson.dumps(values, option=option)
    spans = [body[begin:end] for span in split._elements(body, 1) if span is not None for begin, end in [span]]
    assert _split(body) == (True, spans)
    assert [orjson.loads(text) for text in spans] == values


def test_an_object_is_one_event() -> None:
    assert _split(b'\n {"a":1} \r\n') == (False, [b'{"a":1}'])


@pytest.mark.parametrize(
    ("body", "offset"),
    [
        (b"", 0),
        (b"  ", 2),
        (b"5", 0),
        (b' "[]"', 1),
        (b"\xef\xbb\xbf[]", 0),
        (b"[", 1),
        (b"[{", 2),
        (b"[}", 1),
        (b"[{]", 2),
        (b"[[}]", 2),
        (b"[,]", 1),
        (b"[1,]", 3),
        (b"[1,,2]", 3),
        (b"[] x", 3),
        (b'["abc]', 6),
        (b"[" * 200_000, 10_001),
        (b'["' + b"\\\\" * 100_000, 200_002),
        (b'["' + b"a" * 300_000 + b"\\", 300_003),
    ],
)
def test_what_is_no_array_says_where(body: bytes, offset: int) -> None:
    with pytest.raises(Malformed) as caught:
        _split(body)
    assert caught.value.offset == offset


def test_a_deep_element_does_not_take_the_others_along() -> None:
    deep = b"[" * 5_000 + b"]" * 5_000
    assert _split(b"[1," + deep + b",2]") == (True, [b"1", deep, b"2"])


def test_a_lone_surrogate_does_not_take_the_others_along() -> None:
    assert _split(b'[1,"\\ud800",2]') == (True, [b"1", b'"\\ud800"', b"2"])


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("inside", [b"a" * 400_000, b"\\n" * 200_000, b"a" + b'\\"' * 200_000])
def test_strings_longer_than_a_window_are_passed_over(inside: bytes) -> None:
    assert _split(b'["' + inside + b'",{"a":"' + inside + b'"}]')[1] == [
        b'"' + inside + b'"',
        b'{"a":"' + inside + b'"}',
    ]


@pytest.mark.usefixtures("exact")
def test_numbers_longer_than_a_window_are_passed_over() -> None:
    assert _split(b"[" + b"1" * 300_000 + b",2]")[1] == [b"1" * 300_000, b"2"]


@pytest.mark.parametrize("body", [b"[1,2,3]", b"[" + b"1," * 300_000 + b"1]"])
def test_too_many_events_are_refused(body: bytes) -> None:
    with pytest.raises(CallerError) as caught:
        _split(body, 2)
    assert (caught.value.status, caught.value.code) == (413, "too-many-events")


def test_lines_that_are_not_blank_are_events() -> None:
    assert split_lines(b'{"a":1}\n\n \t\r\n{"b":2}\r\n{"c":3}', 3) == [b'{"a":1}', b'{"b":2}', b'{"c":3}']


@pytest.mark.parametrize("body", [b"1\n2\n3", b"\n" * 10])
def test_too_many_lines_are_refused(body: bytes) -> None:
    with pytest.raises(CallerError, match="too-many-events"):
        split_lines(body, 2)


def test_a_place_in_an_event_is_found_in_the_body() -> None:
    body = b'\n[ {"a":1},\n {"b":tru} ]'
    assert _run(place(body, True, 1, 7)) == body.index(b"u}")
    assert line_and_column(body, body.index(b"tru")) == (3, 7)
    assert _run(place(b'  {"a":tru}', False, 0, 5)) == 7


def test_columns_count_characters() -> None:
    assert line_and_column("[\n ééß".encode(), 8) == (2, 5)
