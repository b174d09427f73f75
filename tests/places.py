"""Where tests put the databases that they throw away: in memory, where there is plenty of it.

Touches what is asked for. A database is hundreds of files; made on a disk, it can cost twenty times the processor time.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_MEMORY = Path("/dev/shm")
_ENOUGH = 8 << 30  # bytes, for all that several processes keep there at once


@contextmanager
def public_directory(*, in_memory: bool = True) -> Iterator[Path]:
    """A new directory that any account may enter, gone in the end."""
    where = _MEMORY if in_memory and _has_room(_MEMORY) else None
    directory = Path(tempfile.mkdtemp(prefix="eventgate-test-", dir=where))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def _has_room(place: Path) -> bool:
    """Whether programs may be kept and run there, and nobody misses the memory."""
    try:
        found = os.statvfs(place)
    except OSError:
        return False
    free = min(found.f_bavail * found.f_frsize, psutil.virtual_memory().available)
    return free >= _ENOUGH and not found.f_flag & os.ST_NOEXEC and os.access(place, os.W_OK)
