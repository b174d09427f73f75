"""What the client library tells its log and nobody else: why each broker did not let us in.

Touches the library's logger, which is heard here alone.
"""

import logging
from collections import deque
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager
from contextvars import ContextVar

_MOST = 3  # of a cluster where all are away, three say enough; tasks that a client begins keep the list
_OF_A_BROKER = 'Unable connect to "%s:%s"'
_heard: ContextVar[MutableSequence[str] | None] = ContextVar("heard", default=None)


class _Ear(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        heard = _heard.get()
        if heard is not None and str(record.msg).startswith(_OF_A_BROKER) and isinstance(record.args, tuple):
            host, port, error = record.args
            heard.append(f"{host}:{port}: {error}")


_EAR = _Ear(logging.ERROR)


@contextmanager
def overheard() -> Iterator[MutableSequence[str]]:
    """What is said of brokers meanwhile, in this task alone: each as ``host:port: error``, the last three."""
    logger = logging.getLogger("aiokafka")
    if _EAR not in logger.handlers:
        logger.addHandler(_EAR)
        logger.setLevel(logging.ERROR)
        logger.propagate = False
    said: MutableSequence[str] = deque(maxlen=_MOST)
    before = _heard.set(said)
    try:
        yield said
    finally:
        _heard.reset(before)
