"""Loopback ports for tests: no two runs on one machine, and no two processes of one run, are ever given the same.

Touches only sockets it opened: one in Linux's abstract name space for each block of ports that this process deals from,
held while the process lives, and one for an instant to see that a port is free.
"""

import random
import socket
from collections.abc import Iterator

# Below where Linux takes the port of an outgoing connection from (32768 and up, unless somebody moved it): a port that
# was found free there is not gone by the time its program binds it.
_FIRST, _LAST = 10_240, 32_767
_BLOCK = 64
_claims: list[socket.socket] = []


def free_port() -> int:
    """A loopback port that nobody uses now, for TCP and for UDP, and that nobody else is dealt while we live."""
    return next(_dealt)


def _deal() -> Iterator[int]:
    starts = range(_FIRST, _LAST - _BLOCK + 2, _BLOCK)
    for start in random.sample(starts, len(starts)):
        if _claim(start):
            yield from filter(_is_free, range(start, start + _BLOCK))
    raise RuntimeError(f"no loopback port between {_FIRST} and {_LAST} is left")


def _claim(start: int) -> bool:
    """Whether the block is ours from now on. The kernel gives it back when this process ends, however it ends."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0eventgate-tests-ports-{start}")
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        try:
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_dealt = _deal()
