"""The file sink: whole lines, synced, rotated by size, mended after a crash."""

from pathlib import Path

import pytest

from eventgate.errors import Disconnected
from eventgate.formats.json import encode
from eventgate.forward.transports import Outgoing, Window
from eventgate.forward.transports.file import FileSettings, LinesFile
from eventgate.journal.cursors import START, Cursor
from tests.unit.formats.samples import ALERT, NAMES

LINE = encode(ALERT, NAMES)


def window(count: int) -> Window:
    return Window([Outgoing(ALERT, NAMES, Cursor(1, n), LINE) for n in range(count)], START)


async def written(path: Path, *counts: int, **settings: int) -> None:
    sink = LinesFile(FileSettings(path=path, **settings))
    await sink.open(START)
    for count in counts:
        assert (await sink.deliver(window(count))).finished == count
    await sink.close()


async def test_one_event_a_line_and_a_restart_appends(tmp_path: Path) -> None:
    await written(tmp_path / "out", 2)
    await written(tmp_path / "out", 1)
    assert (tmp_path / "out").read_bytes() == (LINE + b"\n") * 3


@pytest.mark.parametrize("torn", [b'{"id":', b'{"x' * 50_000], ids=["short", "longer than a block"])
async def test_half_a_line_left_by_a_crash_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / "out").write_bytes(b"whole\n" + torn)
    await written(tmp_path / "out", 1)
    assert (tmp_path / "out").read_bytes() == b"whole\n" + LINE + b"\n"


async def test_it_rotates_before_it_outgrows_its_size_and_keeps_so_many(tmp_path: Path) -> None:
    await written(tmp_path / "out", *[2] * 5, rotate_bytes=2 * len(LINE) + 100, keep_files=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.1", "out.2"]
    assert all(path.read_bytes() == (LINE + b"\n") * 2 for path in tmp_path.iterdir())


async def test_it_may_keep_no_rotated_file(tmp_path: Path) -> None:
    await written(tmp_path / "out", *[2] * 3, rotate_bytes=1024, keep_files=0)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


async def test_a_directory_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    sink = LinesFile(FileSettings(path=tmp_path / "no" / "out"))
    with pytest.raises(Disconnected, match="out: its directory is not there"):
        await sink.open(START)
    with pytest.raises(Disconnected, match="not a directory"):
        await sink.probe()
    await sink.close()
