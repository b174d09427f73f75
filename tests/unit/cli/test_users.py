"""The commands about people: help that teaches, and a way back in for who has nobody's credential."""

import pytest
from typer.testing import CliRunner

from eventgate.cli import commands


@pytest.mark.parametrize("command", ["list", "invite", "update", "delete", "reset-password", "set-password", "recover"])
def test_every_command_teaches_by_examples(command: str) -> None:
    shown = CliRunner().invoke(commands.app, ["users", command, "--help"])
    assert shown.exit_code == 0
    assert "Example" in shown.output
    assert f"eventgate users {command}" in shown.output


def test_recovering_needs_a_data_directory(tmp_path) -> None:
    done = CliRunner().invoke(commands.app, ["users", "recover", "--data", str(tmp_path)])
    assert "there is no EventGate in" in str(done.exception)
