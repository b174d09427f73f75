"""The gate's own secret: made once, private, and what is sealed with it opens for its owner alone."""

import stat
from uuid import uuid4

import pytest

from eventgate.access.sessions.server_key import load_server_key
from eventgate.errors import ConfigurationError, Unavailable


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sessions.key"


def test_it_is_made_once_and_only_its_owner_reads_it(path):
    first, session = load_server_key(path), uuid4()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["sessions.key"]
    assert load_server_key(path).csrf_token(session) == first.csrf_token(session)


def test_a_token_is_of_one_session_and_one_key(path, tmp_path):
    key, session = load_server_key(path), uuid4()
    assert (
        len({key.csrf_token(session), key.csrf_token(uuid4()), load_server_key(tmp_path / "b").csrf_token(session)})
        == 3
    )


def test_what_is_sealed_opens_for_its_owner_alone(path, tmp_path):
    key, owner = load_server_key(path), uuid4()
    sealed = key.seal(b"secret", owner)
    assert b"secret" not in sealed
    assert key.seal(b"secret", owner) != sealed
    assert key.unseal(sealed, owner) == b"secret"
    for other, somebody in ((key, uuid4()), (load_server_key(tmp_path / "other"), owner)):
        with pytest.raises(Unavailable) as caught:
            other.unseal(sealed, somebody)
        assert caught.value.code == "second-factor-unreadable"


@pytest.mark.parametrize("content", [b"", b"too short"])
def test_a_file_that_is_no_key_is_not_overwritten(path, content):
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="expected 32 bytes"):
        load_server_key(path)
    assert path.read_bytes() == content
