"""How a process that events pass through treats memory: it keeps what the next events will need.

Touches the interpreter's collector and the C library's allocator.
"""

import ctypes
import gc

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""


def expect_events() -> None:
    """Spare the work that is in vain while events pass.

    The garbage collector comes more rarely: events are tuples without cycles, and reference counting frees them all the
    same. It costs a quarter of the time otherwise.

    The allocator keeps up to 8 MiB that are free: a window's worth given back to the system with each window comes
    again a page fault at a time, which costs a seventh of the time.
    """
    gc.freeze()
    gc.set_threshold(50_000, 10, 100)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc's
        mallopt(_TRIM_THRESHOLD, 8 << 20)
        mallopt(_MMAP_THRESHOLD, 4 << 20)
