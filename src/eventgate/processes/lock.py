"""The lock on the data directory: one EventGate at a time, and the second is told who has it and where.

Touches the file ``lock`` in the data directory. The kernel lets go of it when its holder dies, however it dies.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from eventgate.errors import EventGateError

_NAME = "lock"


class NobodyRuns(EventGateError):
    """No EventGate has this data directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__(f"no EventGate runs on {directory}; name its data directory with --data")


class AlreadyRunning(EventGateError):
    """Another EventGate has this data directory."""

    def __init__(self, directory: Path, pid: int, address: str) -> None:
        super().__init__(f"EventGate runs already on {directory}: process {pid}, {address}")
        self.pid = pid
        self.address = address


def holder(directory: Path) -> int:
    """The process that has the lock on ``directory``. Raises NobodyRuns."""
    try:
        descriptor = os.open(directory / _NAME, os.O_RDWR)
    except FileNotFoundError:
        raise NobodyRuns(directory) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid, _, _ = os.pread(descriptor, 4096, 0).decode(errors="replace").partition(" ")
        return int(pid)
    else:
        raise NobodyRuns(directory)
    finally:
        os.close(descriptor)


class DataDirectory:
    """Holds ``directory`` while entered, making it if absent; ``address`` is told to whoever comes second.

    Raises AlreadyRunning. Root leaves the directory open to passing, since the database runs as another account;
    every file in it that matters is closed by itself.
    """

    def __init__(self, directory: Path, address: str) -> None:
        self.directory = directory.absolute()
        self._address = address
        self._descriptor = -1

    def __enter__(self) -> Self:
        if not self.directory.exists():
            self.directory.mkdir(parents=True)
            self.directory.chmod(0o711 if os.getuid() == 0 else 0o700)
        self._descriptor = os.open(self.directory / _NAME, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, _, address = os.pread(self._descriptor, 4096, 0).decode(errors="replace").strip().partition(" ")
            os.close(self._descriptor)
            raise AlreadyRunning(self.directory, int(pid or 0), address) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()} {self._address}\n".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)


def last_address(directory: Path) -> str | None:
    """Where the EventGate that has the lock, or had it last, is reached; None where that was something else."""
    try:
        address = (directory / _NAME).read_text(errors="replace").strip().partition(" ")[2]
    except OSError:
        return None
    return address if address.startswith(("http://", "https://")) else None
