"""A file of lines, rotated by size, synced before its events count: for trying things out, and for pipes' ends.

Touches the file system, on a thread: a slow disk holds up this sink and nobody else.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

from pydantic import Field

from eventgate.durable import sync_name
from eventgate.errors import Disconnected
from eventgate.forward.transports import Delivery, Limits, Receipt, Window
from eventgate.forward.transports.settings import Settings
from eventgate.journal.cursors import Standing


class FileSettings(Settings):
    """Keys of transport ``file``."""

    path: Path
    rotate_bytes: Annotated[int, Field(ge=1024)] = 100 << 20
    keep_files: Annotated[int, Field(ge=0, le=1000)] = 10
    """How many rotated files stay beside the current one: ``path.1`` is the newest."""


class LinesFile:
    """One file, open for appending."""

    guarantee = "confirmed"
    limits = Limits(events=2000, bytes=2 << 20)
    keeps_progress = False
    keeper: str | None = None

    def __init__(self, settings: FileSettings) -> None:
        self._settings = settings
        # One thread: a close that comes after a cancelled write waits for it, and never takes its file away.
        self._thread = ThreadPoolExecutor(1, "file-sink")
        self._file: int | None = None
        self._size = 0

    async def open(self, kept: Standing) -> Standing:
        await self._on_disk(self._open)
        return kept

    async def deliver(self, window: Window) -> Delivery:
        lines = b"\n".join([*(outgoing.body for outgoing in window.events), b""])
        await self._on_disk(lambda: self._append(lines))
        # Its path may be another by now: a rotated file is renamed.
        told = {"path": str(self._settings.path), "from": self._size - len(lines), "to": self._size}
        return Delivery(len(window.events), receipt=Receipt(told))

    async def probe(self) -> None:
        directory = self._settings.path.parent
        if not (directory.is_dir() and os.access(directory, os.W_OK)):
            raise Disconnected(f"{directory} is not a directory that may be written to")

    async def close(self) -> None:
        await self._on_disk(self._close)

    async def _on_disk(self, action: Callable[[], None]) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, action)
        except OSError as error:
            # Whose sink it is reads this, and need not know where on the machine its file lies.
            absent = isinstance(error, FileNotFoundError) and not self._settings.path.parent.is_dir()
            reason = "its directory is not there" if absent else error.strerror
            raise Disconnected(f"{self._settings.path.name}: {reason}") from error

    def _close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # what counts was synced before
                os.close(self._file)
            self._file = None

    def _open(self) -> None:
        path = self._settings.path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self._size = os.fstat(self._file).st_size
        self._cut_torn_line()
        sync_name(path)

    def _cut_torn_line(self) -> None:
        """A crash may have left half a line, whose event is still after the cursor and will be written whole."""
        assert self._file is not None
        end = self._size
        while end:
            start = max(0, end - 65_536)
            newline = os.pread(self._file, end - start, start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end != self._size:
            os.ftruncate(self._file, end)
            self._size = end

    def _append(self, lines: bytes) -> None:
        assert self._file is not None, "deliver before open"
        if self._size and self._size + len(lines) > self._settings.rotate_bytes:
            self._rotate()
        left = memoryview(lines)
        while left:
            left = left[os.write(self._file, left) :]
        os.fdatasync(self._file)
        self._size += len(lines)

    def _rotate(self) -> None:
        assert self._file is not None
        path, keep = self._settings.path, self._settings.keep_files
        os.close(self._file)
        self._file = None
        for number in range(keep, 0, -1):
            older = _numbered(path, number)
            newer = _numbered(path, number - 1) if number > 1 else path
            if newer.exists():
                newer.replace(older)
        if keep == 0:
            path.unlink()
        self._open()


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
