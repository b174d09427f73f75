"""What to type next, in words that can be pasted."""

import shlex
from pathlib import Path

import pytest

from eventgate.config import Configuration
from eventgate.processes.welcome import welcome


@pytest.fixture(autouse=True)
def _called_by_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / ".venv" / "bin" / "eventgate"
    script.parent.mkdir(parents=True)
    script.touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(script)])
    monkeypatch.setenv("PATH", "/nonexistent")


def test_the_next_three_things_are_send_look_and_follow() -> None:
    lines = welcome(Configuration()).splitlines()
    assert [line.strip() for line in lines if line.startswith("  ")] == [
        ".venv/bin/eventgate send --sample 1000",
        ".venv/bin/eventgate alerts --filter 'severity·>·6'",
        ".venv/bin/eventgate tail",
    ]
    assert "EventGate listens on http://127.0.0.1:8080" in lines


def test_another_data_directory_is_named_and_quoted() -> None:
    commands = [line for line in welcome(Configuration(data=Path("my data"))).splitlines() if line.startswith("  ")]
    assert [shlex.split(command)[-2:] for command in commands] == [["--data", "my data"]] * 3
