"""Free disk: asked seldom, below the minimum no writes."""

from pathlib import Path

import pytest

from eventgate.clock import ManualClock
from eventgate.errors import Unavailable
from eventgate.ingest.disk import Disk


def test_room_enough(tmp_path: Path) -> None:
    Disk(tmp_path, 1, ManualClock()).check()


def test_too_little_room(tmp_path: Path) -> None:
    disk = Disk(tmp_path, 1 << 62, ManualClock())
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            disk.check()
        assert caught.value.code == "storage-low"


def test_a_database_elsewhere_is_not_watched() -> None:
    Disk(None, 1 << 62, ManualClock()).check()


def test_the_file_system_is_asked_again_after_a_second(tmp_path: Path) -> None:
    clock = ManualClock()
    directory = tmp_path / "journal"
    directory.mkdir()
    disk = Disk(directory, 1, clock)
    disk.check()
    directory.rmdir()
    disk.check()
    clock.advance(1)
    with pytest.raises(FileNotFoundError):
        disk.check()
