"""The garbage collector's manners in a process that events pass through.

Touches the interpreter's collector.
"""

import gc


def calm_collector() -> None:
    """Let the garbage collector come more rarely: events are tuples without cycles, walked in vain while they pass.

    It costs a quarter of the time otherwise. Reference counting frees them all the same.
    """
    gc.freeze()
    gc.set_threshold(50_000, 10, 100)
