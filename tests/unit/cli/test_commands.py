"""The command line as a whole: help that teaches, errors in one paragraph, exit codes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eventgate.cli import commands
from eventgate.cli.gate import Gate, filter_parameters
from eventgate.errors import CallerError, ConfigurationError, FieldError, Unavailable


@pytest.mark.parametrize(
    "command", ["serve", "check", "migrate", "send", "alerts", "tail", "sinks", "where", "verify", "audit"]
)
def test_every_command_explains_itself(command: str) -> None:
    shown = CliRunner().invoke(commands.app, [command, "--help"])
    assert shown.exit_code == 0
    assert "Usage: eventgate" in shown.output or f"Usage: root {command}" in shown.output


def test_help_breaks_its_lines_where_the_terminal_ends() -> None:
    shown = CliRunner().invoke(commands.app, ["sinks", "list", "--help"], terminal_width=60).output
    told = [line.strip() for line in shown.splitlines() if "A line that begins with" in line]
    assert told
    assert not any(line.endswith("begins with") and len(line) < 50 for line in told), told


@pytest.mark.parametrize("command", ["send", "alerts", "tail", "sinks", "where", "verify", "audit"])
def test_commands_that_are_callers_teach_by_examples(command: str) -> None:
    shown = CliRunner().invoke(commands.app, [command, "--help"]).output
    assert "Examples" in shown
    assert shown.count(f"eventgate {command}") >= 2


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (CallerError(401, "key-unknown", "No such key."), 1, ["No such key. (401 key-unknown)"]),
        (
            CallerError(400, "filter-malformed", "A filter is wrong.", [FieldError("filter[0]", "x", "Say a field.")]),
            1,
            ["A filter is wrong. (400 filter-malformed)", "filter[0]: Say a field."],
        ),
        (Unavailable("busy", "Too much is waiting."), 4, ["Too much is waiting."]),
        (ConnectionError("x cannot be reached: refused"), 4, None),
        (ConfigurationError("a.toml", [FieldError("port", "x", "expected 1")]), 1, ["a.toml: port: expected 1"]),
        (FileNotFoundError(2, "No such file or directory", "a.json"), 2, ["a.json: No such file or directory"]),
        (ValueError("not an address"), 2, ["not an address"]),
    ],
)
def test_an_error_is_a_paragraph_and_an_exit_code(error: Exception, code: int, lines: list[str] | None) -> None:
    assert commands.exit_code(error) == code
    if lines:
        assert commands.explain(error) == lines


def test_a_gate_that_is_not_there_comes_with_what_to_do() -> None:
    assert "eventgate serve" in commands.explain(ConnectionError("x cannot be reached: refused"))[0]


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("severity·>·6", "severity·>·6"),
        ("severity > 6", "severity·>·6"),
        ('message contains "a b  c"', 'message·contains·"a b  c"'),
        ("message isNotEmpty", "message·isNotEmpty"),
        ('message·is·"a > b"', 'message·is·"a > b"'),
    ],
)
def test_blanks_stand_for_the_middle_dots(typed: str, sent: str) -> None:
    assert filter_parameters([typed]) == [("filter", sent)]


def test_settings_come_from_the_data_directory_unless_they_are_typed(tmp_path: Path) -> None:
    (tmp_path / "bootstrap.json").write_text(json.dumps({"url": "http://a", "adminAuthKey": "egk_a"}))
    assert Gate.find(None, None, tmp_path) == Gate("http://a", "egk_a")
    assert Gate.find("http://b", None, tmp_path) == Gate("http://b", "egk_a")
    assert Gate.find("http://b", "egk_b", tmp_path / "nothing") == Gate("http://b", "egk_b")


@pytest.mark.parametrize("content", [None, "nonsense", "{}"])
def test_a_missing_or_strange_bootstrap_file_is_explained(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "bootstrap.json").write_text(content)
    with pytest.raises(ValueError, match=r"bootstrap\.json"):
        Gate.find(None, None, tmp_path)


def test_send_wants_a_file_or_a_sample() -> None:
    for arguments in (["send"], ["send", "x", "--sample", "3"]):
        assert CliRunner().invoke(commands.app, arguments).exit_code == 2
