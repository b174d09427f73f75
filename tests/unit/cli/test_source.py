"""Events from files: JSON and NDJSON, with the line each stands on, bytes untouched."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventgate.cli.source import read


def _lines(document: bytes) -> list[tuple[int, bytes]]:
    lines = list(read(io.BytesIO(document)))
    assert [line.fault for line in lines if line.fault] == []
    return [(line.number, line.text) for line in lines]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b"", []),
        (b"\n \n", []),
        (b"[]", []),
        (b" [ ]\n", []),
        (b'{"a":1}', [(1, b'{"a":1}')]),
        (b'\r\n{"a": 1.0 }\r\n', [(2, b'{"a": 1.0 }')]),
        (b'{"a":1}\n\n{"a":2}\n', [(1, b'{"a":1}'), (3, b'{"a":2}')]),
        (b'{\n "a": 1\n}\n', [(1, b'{\n "a": 1\n}')]),
        (b'{\n"a":1}\n{\n"a":2}', [(1, b'{\n"a":1}'), (3, b'{\n"a":2}')]),
        (b'[\n{"a":1},\n{"a":\n2} , {"a":3}]', [(2, b'{"a":1}'), (3, b'{"a":\n2}'), (4, b'{"a":3}')]),
        ('[{"a":"é"},\n{}]'.encode(), [(1, '{"a":"é"}'.encode()), (2, b"{}")]),
        (b'{"a":1,"a":2}', [(1, b'{"a":1,"a":2}')]),
    ],
)
def test_events_keep_their_bytes_and_their_line(document: bytes, expected: list[tuple[int, bytes]]) -> None:
    assert _lines(document) == expected


@pytest.mark.parametrize(
    ("document", "faults"),
    [
        (b'{"a":1}\n{bad}\n{"a":2}\n3\nNaN', {2: "not JSON", 4: "expected a JSON object", 5: "NaN is no number"}),
        (b"hello", {1: "not JSON"}),
        (b'{"a":\n1\n', {3: "not JSON"}),
        (b'[{"a":1}\n {"b":2}]', {2: "Expecting ',' or ']'"}),
        (b'[{"a":1},\n]', {2: "not JSON"}),
        (b'[\n{"a":1}', {2: "Expecting ',' or ']'"}),
        (b"[1,\n{},\nnull]", {1: "expected a JSON object", 3: "expected a JSON object"}),
        (b"[{}]\n[{}]", {1: "behind the array"}),
        (b'{"a":1}\n{"a":"\xff"}', {2: "not UTF-8"}),
        (b'["\xff"]', {1: "not UTF-8"}),
        (b"[" * 100_000, {1: "nested too deeply"}),
        (b'{"a":' * 100_000 + b"}", {1: "nested too deeply"}),
    ],
)
def test_what_is_no_event_is_told_with_its_line_and_the_rest_goes_on(document: bytes, faults: dict[int, str]) -> None:
    found = {line.number: line.fault for line in read(io.BytesIO(document)) if line.fault}
    assert list(found) == list(faults)
    for number, fault in faults.items():
        assert fault in found[number]


def test_ndjson_is_handed_on_while_it_still_comes() -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readline(self, _size: int | None = -1) -> bytes:
            return b'{"a":1}\n'

    lines = read(Endless())
    assert [next(lines).number for _ in range(3)] == [1, 2, 3]


_objects = st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=8), max_size=3), max_size=6)


@given(_objects, st.sampled_from([None, 0, 2]))
def test_any_array_and_any_ndjson_is_read_whole(objects: list[dict], indent: int | None) -> None:
    array = json.dumps(objects, indent=indent, ensure_ascii=False).encode()
    ndjson = "\n".join(json.dumps(each, ensure_ascii=False) for each in objects).encode()
    for document in (array, ndjson):
        assert [json.loads(text) for _, text in _lines(document)] == objects


@given(st.binary(max_size=60) | st.text('[]{}":, \n1a', max_size=40).map(str.encode))
def test_any_bytes_are_read_or_told(document: bytes) -> None:
    for line in read(io.BytesIO(document)):
        assert line.fault or isinstance(json.loads(line.text), dict)
