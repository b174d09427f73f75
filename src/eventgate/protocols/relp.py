"""RELP, the client's half, as a state machine: bytes to send, bytes received, outcomes by message number.

Pure. RELP (github.com/rsyslog/librelp, doc/relp.html) acknowledges every message by its transaction number. A client
may have a window of messages (128 by custom) on the way; what is not acknowledged when the connection breaks is sent
again, so a receiver may see it twice, and never loses it unnoticed.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

WINDOW = 128
LARGEST_TXNR = 999_999_999
_LONGEST_HEADER = 9 + 1 + 32 + 1 + 9 + 1
_LONGEST_ANSWER = 1 << 20
_ACCEPTED = re.compile(rb"(\d{1,9}) rsp 6 200 OK\n")  # nearly every answer; the rest is read piece by piece
_HEADER = re.compile(rb"(\d{1,9}) ([A-Za-z]{1,32}) (\d{1,9})([ \n])")
_OFFER = b"relp_version=0\nrelp_software=eventgate\ncommands=syslog"


class ProtocolError(Exception):
    """The other side does not speak RELP as we know it; the connection is of no more use."""


class Refusal(NamedTuple):
    """The receiver will not take a message: its number since the session was opened, and the receiver's words."""

    number: int
    reason: str


class RelpClient:
    """One RELP session from ``open`` to ``close``. Not thread safe, does no input or output."""

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._buffer = bytearray()
        self._txnr = 0
        self._waiting: dict[int, int] = {}
        self._opening: int | None = None
        self.sent = 0
        """How many messages were sent so far: the number of the next."""
        self.ready = False
        """The receiver accepted our offer: messages may be sent."""
        self.closed = False
        """The receiver said that it closes; nothing more will be answered."""

    @property
    def room(self) -> int:
        """How many messages may be sent now."""
        return self._window - len(self._waiting) if self.ready and not self.closed else 0

    @property
    def next_transaction(self) -> int:
        """The transaction number of the next frame."""
        return 1 if self._txnr == LARGEST_TXNR else self._txnr + 1

    @property
    def waiting(self) -> int:
        """How many messages are on the way without an answer."""
        return len(self._waiting)

    def open(self) -> bytes:
        self._opening = self._next()
        return self._frame(self._opening, b"open", _OFFER)

    def send(self, messages: Sequence[bytes]) -> bytes:
        """Frame messages, at most ``room`` of them; they get the next numbers, from 0 on."""
        frames = []
        for message in messages:
            txnr = self._next()
            self._waiting[txnr] = self.sent
            self.sent += 1
            frames.append(b"%d syslog %d %b\n" % (txnr, len(message), message))
        return b"".join(frames)

    def close(self) -> bytes:
        return self._frame(self._next(), b"close", b"")

    @property
    def finished(self) -> int:
        """How many messages were answered without a gap: all with a smaller number were accepted or refused."""
        return next(iter(self._waiting.values()), self.sent)

    def receive(self, received: bytes) -> list[Refusal]:
        """Take what came from the receiver; the messages it refused. Raises ``ProtocolError``."""
        buffer = self._buffer
        buffer += received
        refusals: list[Refusal] = []
        at = 0
        while True:
            while self.ready and (accepted := _ACCEPTED.match(buffer, at)) is not None:
                self._waiting.pop(int(accepted[1]), None)
                at = accepted.end()
            if (header := _HEADER.match(buffer, at)) is None:
                break
            length = int(header[3])
            # Without data the header ends with the trailer itself; some servers send the blank all the same.
            empty = header[4] == b"\n"
            end = header.end() if empty else header.end() + length + 1
            if length > _LONGEST_ANSWER or (empty and length):
                raise ProtocolError(f"a frame of {length} octets that does not hold them")
            if end > len(buffer):
                break
            if buffer[end - 1] != 0x0A:
                raise ProtocolError("a frame does not end with a line feed")
            self._take(int(header[1]), bytes(header[2]), bytes(buffer[header.end() : end - 1]), refusals)
            at = end
        del buffer[:at]
        if header is None and len(buffer) >= _LONGEST_HEADER:
            raise ProtocolError(f"expected a RELP frame, got {bytes(buffer[:40])!r}")
        return refusals

    def _take(self, txnr: int, command: bytes, data: bytes, refusals: list[Refusal]) -> None:
        if command == b"serverclose":
            self.closed = True
            return
        if command != b"rsp":
            raise ProtocolError(f"unexpected command {command.decode()}")
        code, _, words = data.partition(b" ")
        accepted = code == b"200"
        if txnr == self._opening:
            self._opening = None
            if not accepted:
                raise ProtocolError(f"the receiver refused the session: {_shown(data)}")
            self.ready = True
        elif (number := self._waiting.pop(txnr, None)) is not None and not accepted:
            refusals.append(Refusal(number, _shown(words or data)))

    def _next(self) -> int:
        self._txnr = self.next_transaction
        return self._txnr

    @staticmethod
    def _frame(txnr: int, command: bytes, data: bytes) -> bytes:
        return b"%d %b %d%b%b\n" % (txnr, command, len(data), b" " if data else b"", data)


def _shown(data: bytes) -> str:
    return data.decode("utf-8", "replace").strip()[:500]
