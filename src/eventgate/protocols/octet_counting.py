"""Octet counting (RFC 6587, section 3.4.1; the only framing of RFC 5425): each message behind its length in octets.

Pure. A line break inside a message needs no care, and a connection never mixes this with line framing.
"""

from collections.abc import Iterable


def frame(messages: Iterable[bytes]) -> bytes:
    """The messages as they go on the wire, one behind the other."""
    return b"".join([b"%d %b" % (len(message), message) for message in messages])
