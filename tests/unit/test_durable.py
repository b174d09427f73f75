"""Files with a secret: for their owner alone, whatever the umask, and never over another one where that is asked."""

import os
import stat
from pathlib import Path

import pytest

from eventgate.durable import sync_name, write_private


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"a longer one, for everybody")
    path.chmod(0o666)
    write_private(path, b"secret")
    sync_name(path)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"secret", 0o600)


def test_what_is_written_anew_leaves_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_private(path, b"first", anew=True)
    with pytest.raises(FileExistsError):
        write_private(path, b"second", anew=True)
    assert path.read_bytes() == b"first"
