"""Short locks between the processes of one machine, each on one byte of a file.

Touches a file's locks. The kernel lets go of them when their holder dies, however it dies.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_PATIENCE = 200
"""Times to ask. Whoever holds a lock needs microseconds, and a turn on a processor."""


class FileLocks:
    """The locks of the file behind ``descriptor``, which is closed with them.

    Nobody waits long: a holder that the system has stopped must not stop the others. They go on without the lock then,
    so what it guards must stand a wrong count.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        os.close(self._descriptor)

    @contextmanager
    def held(self, numbers: Sequence[int]) -> Iterator[None]:
        """Hold some of the locks. They belong to the process (POSIX record locks): threads must not share them."""
        for number in numbers:
            self._ask(number)
        try:
            yield
        finally:
            for number in numbers:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, number)

    def _ask(self, number: int) -> None:
        for _ in range(_PATIENCE):
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            except BlockingIOError:
                os.sched_yield()
            else:
                return
