"""Line framing (RFC 6587, section 3.4.2): each message ends with a line feed.

Pure. A message that holds a line feed itself would become two, the second one of its sender's making; so it has no
frame here. A connection never mixes this with octet counting.
"""

from collections.abc import Iterable

_END = b"\n"


def fits(message: bytes) -> bool:
    """Whether a message can be framed at all."""
    return _END not in message


def frame(messages: Iterable[bytes]) -> bytes:
    """The messages, each of which ``fits``, as they go on the wire."""
    return b"".join([message + _END for message in messages])
