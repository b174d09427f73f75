"""Hostile text: each oddity is named with its place, and the cheap tests never clear what the exact one would catch."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventgate.ingest.examine import Malformed, examine, is_plain, is_shallow, same_members, skeleton
from eventgate.ingest.limits import NESTING
from eventgate.journal.content import canonical


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'{"a":1,"a":2}', [("/a", "duplicate-key")]),
        (b'{"a":{"b":1, "\\u0062" :2}}', [("/a/b", "duplicate-key")]),
        (b'{"a":["x","\\ud800"]}', [("/a/1", "surrogate-lone")]),
        (b'{"\\udc00":1}', [("/\ufffd", "surrogate-lone")]),
        (b'{"a":"\xff"}', [("/a", "utf8-malformed")]),
        (b'{"a":"\xed\xa0\x80"}', [("/a", "utf8-malformed")]),
        (b'{"a":"\xc0\x80"}', [("/a", "utf8-malformed")]),
        (b'{"a":1e400}', [("/a", "number-out-of-range")]),
        (b'{"a":-1e400}', [("/a", "number-out-of-range")]),
        (b'{"a":' + b"9" * 400 + b".5}", [("/a", "number-out-of-range")]),
        (b'{"a":18446744073709551616}', [("/a", "number-out-of-range")]),
        (b'{"a":-9223372036854775809}', [("/a", "number-out-of-range")]),
        (b'{"a":' + b"9" * 10_000 + b"}", [("/a", "number-out-of-range")]),
        (b'{"x/y~":{"\\u0000":1e999}}', [("/x~1y~0/\ufffd", "number-out-of-range")]),
        (b'{"a":' + b"[" * NESTING + b"]" * NESTING + b"}", [("", "nesting-too-deep")]),
        (b'{"a":1e400,"b":"\\ud800","a":0}', [
            ("/a", "number-out-of-range"), ("/b", "surrogate-lone"), ("/a", "duplicate-key"),
        ]),
    ],
)  # fmt: skip
def test_what_is_odd_is_named(text: bytes, found: list[tuple[str, str]]) -> None:
    assert [(problem.pointer, problem.code) for problem in examine(text)] == found


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b'{"a":"\\u0000\\u001f\x7f","b":"\\ud83d\\ude00"}',
        b'{"a":18446744073709551615,"b":-9223372036854775808,"c":1.7976931348623157e308,"d":1e-400}',
        b'{"a":' + b"[" * (NESTING - 1) + b"]" * (NESTING - 1) + b"}",
        b'{"a":"' + b"[" * 100 + b'","b":[{},{},[[],[]]]}',
    ],
)
def test_what_is_merely_strange_passes(text: bytes) -> None:
    assert examine(text) == []


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        (b"", 0),
        (b'{"a":tru}', 5),
        (b'{"a":NaN}', 5),
        (b'{"NaN":-Infinity}', 7),
        (b'{"\xc3\xa9":01}', 7),
        (b'{"a":1} {}', 8),
        (b'{"a":"\x01"}', 6),
        (b"[" * 100_000, 100_000),
    ],
)
def test_what_is_not_json_says_where(text: bytes, offset: int) -> None:
    with pytest.raises(Malformed) as caught:
        examine(text)
    assert caught.value.offset == offset


_names = st.text(alphabet='ab:"\\\u0000é', max_size=3)
_values = st.recursive(
    st.integers(-(2**70), 2**70)
    | st.text(alphabet='ab:"\\\u0000é{[', max_size=6)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(_names, inner), max_size=4).map(tuple),
    max_leaves=10,
)


def _write(value, ascii_only: bool, blank: str) -> str:
    """JSON text of a value in which a tuple stands for an object, whose names may repeat."""
    if isinstance(value, tuple):
        inside = (
            f"{json.dumps(name, ensure_ascii=ascii_only)}{blank}:{_write(item, ascii_only, blank)}"
            for name, item in value
        )
        return "{" + ",".join(inside) + "}"
    if isinstance(value, list):
        return "[" + f",{blank}".join(_write(item, ascii_only, blank) for item in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


@given(_values, st.booleans(), st.sampled_from(["", " ", "\n", "\t", "\r"]))
def test_what_the_cheap_tests_clear_is_clear(value, ascii_only: bool, blank: str) -> None:
    text = ('{"v":' + _write(value, ascii_only, blank) + "}").encode()
    try:
        members = orjson.loads(text)
    except orjson.JSONDecodeError:
        assert examine(text)
        return
    if is_plain(text) and is_shallow(skeleton(text)) and same_members(skeleton(text), canonical(members)):
        assert examine(text) == []


def test_the_cheap_tests_clear_an_ordinary_event() -> None:
    text = b'{"timestamp": "2026-01-01T00:00:00Z", "message": "02:00:00:00:00:01 \\"x\\": 5", "data": {"n": [1, 2]}}'
    assert is_plain(text)
    assert is_shallow(skeleton(text))
    assert same_members(skeleton(text), canonical(orjson.loads(text)))
