"""Files that change while a sink runs: taken once they can be used, and not before."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from eventgate.errors import ConfigurationError, FieldError
from eventgate.forward.transports.reread import Reread


class Token:
    """A token as a file holds it; an empty one cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.readings = 0

    def __call__(self) -> list[str]:
        self.readings += 1
        try:
            text = self.path.read_text()
        except OSError as error:
            raise ConfigurationError("sink", [FieldError("token_file", "unreadable", str(error))]) from error
        if not text:
            raise ConfigurationError("sink", [FieldError("token_file", "empty", "expected a token, found none")])
        return [text]


def put(path: Path, text: str) -> None:
    """As every careful tool puts a file in place."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


@pytest.fixture
def token(tmp_path: Path) -> Token:
    put(tmp_path / "token", "first")
    return Token(tmp_path / "token")


def test_it_is_read_once_as_long_as_nothing_changes(token: Token) -> None:
    reread = Reread(token, [token.path, None])
    assert reread.current() == ["first"]
    assert reread.current() is reread.current()
    assert token.readings == 1


def test_a_file_put_in_its_place_is_read(token: Token) -> None:
    reread = Reread(token, [token.path])
    before = reread.current()
    put(token.path, "other")
    with capture_logs() as logs:
        assert reread.current() == ["other"]
        assert reread.current() is not before
    assert [line["event"] for line in logs] == ["changed files read"]
    assert "other" not in str(logs)


def test_a_file_behind_a_link_is_seen_when_the_link_is_moved(tmp_path: Path, token: Token) -> None:
    """As mounted secrets are changed."""
    put(tmp_path / "second", "second")
    link = tmp_path / "link"
    link.symlink_to(token.path)
    reread = Reread(Token(link), [link])
    assert reread.current() == ["first"]
    moved = tmp_path / "moved"
    moved.symlink_to(tmp_path / "second")
    moved.replace(link)
    assert reread.current() == ["second"]


@pytest.mark.parametrize("broken", ["empty", "gone"])
def test_a_file_that_cannot_be_used_leaves_the_old_and_is_said_once(token: Token, broken: str) -> None:
    reread = Reread(token, [token.path])
    if broken == "empty":
        put(token.path, "")
    else:
        token.path.unlink()
    with capture_logs() as logs:
        for _ in range(3):
            assert reread.current() == ["first"]
    assert [(line["log_level"], line["files"]) for line in logs] == [("warning", [str(token.path)])]
    assert token.readings == 2
    put(token.path, "mended")
    assert reread.current() == ["mended"]


def test_what_is_broken_at_the_beginning_is_said_at_once(token: Token) -> None:
    put(token.path, "")
    with pytest.raises(ConfigurationError, match="token_file"):
        Reread(token, [token.path])
