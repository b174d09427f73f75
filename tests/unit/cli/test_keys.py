"""The commands about keys: help that teaches, and what may leave a key file."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eventgate.cli import commands
from eventgate.cli.verify_keys import _public_half
from eventgate.signing.keys import SigningKey

COMMANDS = [
    "list",
    "show",
    "create",
    "update",
    "delete",
    "new-pair",
    *("verify-keys " + w for w in ("list", "add", "delete")),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_by_examples(command: str) -> None:
    shown = CliRunner().invoke(commands.app, ["keys", *command.split(), "--help"])
    assert shown.exit_code == 0
    assert "Example" in shown.output
    assert f"eventgate keys {command}" in shown.output


def test_how_to_change_over_stands_in_the_help() -> None:
    assert "delete the old verify" in " ".join(
        CliRunner().invoke(commands.app, ["keys", "new-pair", "--help"]).output.split()
    )


def test_what_cannot_be_cleared_is_said() -> None:
    done = CliRunner().invoke(commands.app, ["keys", "update", "x", "--clear", "key"])
    assert "--clear takes description, from" in str(done.exception)
    done = CliRunner().invoke(commands.app, ["keys", "update", "x"])
    assert "what to change" in str(done.exception)


def test_only_the_public_half_of_a_key_file_may_leave(tmp_path: Path) -> None:
    made, file = SigningKey.generate(), tmp_path / "key"
    for text in (made.to_pem(), made.verify_key_pem):
        file.write_text(text)
        assert _public_half(file) == made.verify_key_pem
    file.write_text(json.dumps({"kty": "EC", "crv": "P-256", "x": "", "y": "", "d": "secret"}))
    with pytest.raises(ValueError, match="private key") as caught:
        _public_half(file)
    assert "secret" not in str(caught.value)
    file.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(ValueError, match="not a PEM private key without passphrase"):
        _public_half(file)
