"""What strangers broadcast must not speak to the terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventgate.cli import terminal
from eventgate.cli.terminal import defused, severity


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Lobby [bold]", "Lobby [bold]"),
        ("Büro 会議室 📶", "Büro 会議室 📶"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\r\nb\0", "a\\x0d\\x0ab\\x00"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2028\ud800\U000e0001", "\\u2028\\ud800\\U000e0001"),
    ],
)
def test_control_characters_are_written_out(text: str, shown: str) -> None:
    assert defused(text) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_defused_moves_a_cursor(text: str) -> None:
    assert not {unicodedata.category(character) for character in defused(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "as fast as the receiver takes them"),
        (0.2, "in a second or so"),
        (20.1, "in about 20 s at the sink's rate"),
        (5400, "in about 1.5 h at the sink's rate"),
    ],
)
def test_how_long_a_replay_takes(seconds: float | None, said: str) -> None:
    assert terminal.at_the_rate(seconds) == said


def test_one_of_a_thing_and_many() -> None:
    assert terminal.counted(1, "event") == "1 event"
    assert terminal.counted(1_004, "dead letter") == "1,004 dead letters"


def test_severities_redden() -> None:
    assert [str(severity(value).style) for value in (0, 3, 7, 9, 10, None)] == [
        "dim",
        "",
        "yellow",
        "red",
        "bold red",
        "",
    ]


def test_a_table_and_json_write_them_out_too(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b[2J[red]\u202e"
    terminal.table(("Id", "Message"), [("1", hostile)], fold=("Message",))
    terminal.print_json({"message": hostile})
    shown, line = capsys.readouterr().out.split("{")
    assert "\\x1b[2J[red]\\u202e" in shown
    assert line == '"message": "\\u001b[2J[red]\\u202e"}\n'
