"""Files that are whole after a loss of power, their names as well; those with a secret for their owner alone.

Touches the files that it is told.
"""

import os
from pathlib import Path


def write_private(path: Path, content: bytes, *, anew: bool = False) -> None:
    """Write a file for its owner alone. Its content is on disk when this returns, its name after ``sync_name``.

    ``anew``: FileExistsError where there is such a file, which is left as it is.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_EXCL if anew else os.O_TRUNC), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def sync_name(path: Path) -> None:
    """Make a file's name as durable as its content: after it was made, renamed or linked."""
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
