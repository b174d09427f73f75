"""The strict part of Structured Fields that signatures are written in."""

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventgate.signing.fields import Component, FieldSyntax, parse_bytes, parse_lists


def test_a_member_is_taken_apart_and_keeps_its_text() -> None:
    text = 'eg=("@method" "x-a";sf;key="b");created=17;keyid="a\\"b\\\\c";tag=token/x;flag;ratio=-0.5;raw=:AQ==:'
    member = parse_lists(text)["eg"]
    assert member.components == (Component("@method", ""), Component("x-a", ';sf;key="b"'))
    assert member.parameters == {
        "created": 17,
        "keyid": 'a"b\\c',
        "tag": None,
        "flag": None,
        "ratio": None,
        "raw": None,
    }
    assert "eg=" + member.text == text


def test_members_are_apart_by_a_comma_with_blanks() -> None:
    assert list(parse_lists("a=(),b=() ,\tc=();x=1 , d=()")) == ["a", "b", "c", "d"]
    assert parse_bytes("sha-256=:AQ==:, sha-512=:AgM=:;p=1,*x=::") == {"sha-256": b"\1", "sha-512": b"\2\3", "*x": b""}


NOT_LISTS = [
    "", " ", "eg", "eg=", "=()", "eg=(", "eg=)", 'eg=("a"', 'eg=("a"  "b")', 'eg=( "a")', 'eg=("a" )', "eg=(a)",
    'eg=("a""b")', 'eg=("a\tb")', 'eg=("é")', 'eg=("\\n")', "eg=();", "eg=();A=1", "eg=(); a=1", "eg=();a=",
    "eg=();a=01", "eg=();a=-0", "eg=();a=1000000000000000",
    "eg=();a=1.", "eg=();a=1.2345", "eg=();a=?1", 'eg=();a="', "eg=();a=:A",
    "eg=(),", ",eg=()", "eg=() eg2=()", "eg=(), eg=()", "eg=();a=1;a=2", "EG=()", "1g=()", "eg=()\n", "eg=()\0",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_LISTS)
def test_what_is_no_canonical_dictionary_of_lists_is_refused(text: str) -> None:
    with pytest.raises(FieldSyntax):
        parse_lists(text)


NOT_BYTES = [
    "", "a", "a=", "a=:", "a=:=:", "a=:A:", "a=:AA:", "a=:AA=:", "a=:A===:", "a=:AAAA=:", "a=:A-_A:", "a=:A A=:",
    "a=AAAA", 'a="AAAA"', "a=::, a=::", "a=::,", "a=::\n", "a =::", "A=::", "a=(:AAAA:)",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_BYTES)
def test_what_is_no_dictionary_of_bytes_is_refused(text: str) -> None:
    with pytest.raises(FieldSyntax):
        parse_bytes(text)


def test_the_place_of_the_fault_is_named() -> None:
    with pytest.raises(FieldSyntax, match="character 8: expected"):
        parse_lists("eg=(), a(")


_names = st.from_regex(r"[a-z*][a-z0-9_.*-]{0,8}", fullmatch=True)
_bare = st.one_of(
    st.integers(-999_999_999_999_999, 999_999_999_999_999),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12),
    st.binary(max_size=8),
    st.just(True),
)
_components = st.lists(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8), max_size=5)


@given(
    st.dictionaries(_names, st.tuples(_components, st.dictionaries(_names, _bare, max_size=5)), min_size=1, max_size=4)
)
def test_what_another_serialiser_writes_is_read_and_kept_letter_for_letter(value: dict) -> None:
    """An independent implementation of Structured Fields writes; the text that is kept is its canonical one."""
    text = http_sf.ser({name: ([(item, {}) for item in items], params) for name, (items, params) in value.items()})
    members = parse_lists(text)
    assert ", ".join(f"{label}={member.text}" for label, member in members.items()) == text
    for label, (items, params) in value.items():
        assert [component.name for component in members[label].components] == items
        expected = {k: v if isinstance(v, str | int) and v is not True else None for k, v in params.items()}
        assert members[label].parameters == expected


@given(st.dictionaries(_names, st.binary(max_size=70), min_size=1, max_size=4))
def test_bytes_that_another_serialiser_writes_are_read(value: dict[str, bytes]) -> None:
    assert parse_bytes(http_sf.ser(value)) == value


@given(st.one_of(st.text(), st.text('eg=();,":ab1 \\?.-*\t', max_size=60)))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_lists, parse_bytes):
        try:
            parse(text)
        except FieldSyntax:
            continue
        http_sf.parse(text.encode(), tltype="dictionary")  # what we take, a full parser takes


def test_long_hostile_text_is_refused_in_linear_time() -> None:
    for text in ("a=" + "(" * 100_000, 'a=("' + "\\" * 99_999, "a=();" + "a;" * 50_000 + "=", "a=" + ":" * 100_000):
        for parse in (parse_lists, parse_bytes):
            with pytest.raises(FieldSyntax):
                parse(text)
