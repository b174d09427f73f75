"""No program that a test started outlives the run, even where Ctrl-C, pressed twice, cuts the fixtures short.

Touches the processes it was told of.
"""

import atexit
import subprocess
from weakref import WeakSet

_started: WeakSet[subprocess.Popen[bytes]] = WeakSet()


def leave_no_orphan(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Have it killed, at the latest, when we end."""
    _started.add(process)
    return process


@atexit.register
def _end_all() -> None:
    for process in _started:
        if process.poll() is None:
            process.kill()
