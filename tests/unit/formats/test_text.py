"""Text is written quickly or the long way, and both come to the same."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from eventgate.formats.text import bare, is_visible, on_one_line, quoted, visible

_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_TEXT = st.text(st.sampled_from('a\u00e9\u4f1a\U0001f4a9\u00a3\u201c "\\]=\n\r\t\x00\x7f\x85\u061c\u200e\u202e\u2066'))


def test_whatever_is_hidden_is_found_among_all_characters() -> None:
    for code in range(0x20, 0x110000):
        if 0xD800 <= code < 0xE000:
            continue
        character = chr(code)
        if _HIDDEN.match(character):
            assert not is_visible(f'"{character}"'.encode()), hex(code)
            assert visible(character) != character
        else:
            assert visible(character) == character


def test_most_of_what_people_write_is_found_visible() -> None:
    for text in ("plain", "B\u00fcro", "\u4f1a\u8b70\u5ba4", "\u041f\u0440\u0438\u0432\u0435\u0442", "\U0001f4a9"):
        assert is_visible(text.encode())


@given(text=_TEXT)
def test_bare_text_is_escaped_where_it_must_be(text: str) -> None:
    def escaped(text: str) -> str:
        return text.replace("\\", "\\\\").replace("=", "\\=")

    write = bare(b"\\=", escaped)
    assert write.text(text).decode() == visible(escaped(text))
    sent = json.dumps(text, ensure_ascii=False)
    assert write.json(sent.encode()).decode() == visible(escaped(sent))


@given(text=_TEXT, special=st.sampled_from([b"", b"]"]))
def test_quoted_text_ends_where_it_should(text: str, special: bytes) -> None:
    write = quoted(special)
    shown = write.text(text).decode()
    assert re.fullmatch(r'"(?:[^"\\\]]|\\.)*"' if special else r'"(?:[^"\\]|\\.)*"', shown)
    assert re.sub(r"\\(.)", r"\1", shown[1:-1]) == visible(text)
    sent = json.dumps({"a": text}, ensure_ascii=False, indent=1)
    shown = write.json(sent.encode()).decode()
    assert re.sub(r"\\(.)", r"\1", shown[1:-1]) == visible(on_one_line(sent.encode()).decode())
