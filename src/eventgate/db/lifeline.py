"""A child process that cannot outlive the process that started it (Linux, prctl PR_SET_PDEATHSIG).

Touches the calling process's own attributes, between fork and exec.
"""

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None, use_errno=True).prctl


def dies_with_parent(death: signal.Signals) -> Callable[[], None]:
    """Make a ``preexec_fn``: the kernel sends ``death`` to the child when the thread that started it ends.

    To be started from the main thread, therefore. The kernel forgets the wish when a process changes its user,
    and ``subprocess`` calls a ``preexec_fn`` after it has done so.
    """
    parent = os.getpid()
    number = int(death)

    def ask() -> None:
        _prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died between our fork and our wish
            os._exit(1)

    return ask
