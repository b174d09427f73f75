"""How a process that events pass through treats memory: it keeps what the next events will need.

Touches the interpreter's collector and the C library's allocator.
"""

import ctypes
import gc

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""


def expect_events() -> None:
    """Let the garbage collector come more rarely: events are tuples without cycles, walked in vain while they pass.

    It costs a quarter of the time otherwise. Reference counting frees them all the same.
    """
    gc.freeze()
    gc.set_threshold(50_000, 10, 100)


def expect_windows() -> None:
    """For the forward process: as ``expect_events``, and the allocator keeps up to 8 MiB that are free.

    A window's worth given back to the system with each window comes again a page fault at a time, which costs a seventh
    of the time. Workers go without: the large bodies that they hold for a moment go back at once
    (``processes/parent.py``).
    """
    expect_events()
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc's
        mallopt(_TRIM_THRESHOLD, 8 << 20)
        mallopt(_MMAP_THRESHOLD, 4 << 20)
