"""A proxy between EventGate and a receiver that misbehaves as told: honest until its fault strikes, and again later.

Touches loopback alone. "Sent" is what EventGate sends towards the receiver, "answered" what comes back.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.services.ports import free_port

_BUFFER = 32 << 10
"""What a connection that nobody reads may hold; the system's own buffers would hide a stall."""


class Fault:
    """Strikes a connection once ``sent`` bytes went to the receiver, or ``answered`` bytes came back from it.

    What was before is passed on. Or it strikes before a piece of what is sent of which ``sending`` is true.
    ``destroys`` says whether bytes that EventGate's kernel got rid of may be lost.
    """

    destroys = True

    def __init__(
        self,
        *,
        sent: int | None = None,
        answered: int | None = None,
        sending: Callable[[bytes], bool] | None = None,
    ) -> None:
        self._after = {"sent": sent, "answered": answered}
        self._sending = sending

    def begins(self, way: str, passed: int, data: bytes) -> int | None:
        """How much of a piece is passed on before the strike; None: it is not yet time."""
        if way == "sent" and self._sending is not None and self._sending(data):
            return 0
        after = self._after[way]
        return after - passed if after is not None and passed + len(data) > after else None

    async def strike(self, link: "Link") -> None:
        """Once, when its time has come."""

    async def send(self, link: "Link", data: bytes) -> None:
        """After the strike, for what EventGate sends."""
        await link.to_receiver(data)

    async def answer(self, link: "Link", data: bytes) -> None:
        """After the strike, for what the receiver says."""
        await link.to_gate(data)


class Reset(Fault):
    """RST, both ways."""

    async def strike(self, link: "Link") -> None:
        link.reset()


class Close(Fault):
    """The connection ends in good order, both ways."""

    async def strike(self, link: "Link") -> None:
        link.close()


class HalfClose(Fault):
    """The receiver's side says that it says no more, but still takes what comes."""

    destroys = False

    async def strike(self, link: "Link") -> None:
        with contextlib.suppress(OSError, RuntimeError):
            link.gate.write_eof()

    async def answer(self, link: "Link", data: bytes) -> None:
        pass


class Stall(Fault):
    """Nobody reads what EventGate sends, and nobody says anything."""

    async def strike(self, link: "Link") -> None:
        await link.over.wait()

    async def answer(self, link: "Link", data: bytes) -> None:
        await link.over.wait()


class Slow(Fault):
    """A trickle of so many bytes a second, for some seconds; then everything."""

    destroys = False

    def __init__(self, *, sent: int, rate: int, seconds: float) -> None:
        super().__init__(sent=sent)
        self._rate, self._left = rate, seconds

    async def send(self, link: "Link", data: bytes) -> None:
        step = max(1, self._rate // 50)
        while self._left > 0 and data:
            await link.to_receiver(data[:step])
            data = data[step:]
            self._left -= 0.02
            await asyncio.sleep(0.02)
        await link.to_receiver(data)


class Corrupt(Fault):
    """The next ``count`` bytes of what the receiver says have bits turned over."""

    destroys = False

    def __init__(
        self, *, answered: int | None = None, sent: int | None = None, mask: int = 0xFF, count: int = 8
    ) -> None:
        super().__init__(answered=answered, sent=sent)
        self._mask, self._left = mask, count

    async def answer(self, link: "Link", data: bytes) -> None:
        turned = bytes(byte ^ self._mask for byte in data[: self._left])
        self._left -= len(turned)
        await link.to_gate(turned + data[len(turned) :])


class Swallow(Fault):
    """The receiver takes everything and answers, but its answers never come; then the connection ends."""

    destroys = False

    async def strike(self, link: "Link") -> None:
        link.close_when_quiet(0.1)

    async def answer(self, link: "Link", data: bytes) -> None:
        pass


class Devour(Fault):
    """The receiver takes everything and it is gone; then the connection ends."""

    async def strike(self, link: "Link") -> None:
        link.close_when_quiet(0.1)

    async def send(self, link: "Link", data: bytes) -> None:
        pass


class Link:
    """One connection through the proxy."""

    def __init__(
        self,
        proxy: "FaultProxy",
        fault: Fault | None,
        gate: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        receiver: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._proxy, self._fault = proxy, fault
        self._from_gate, self.gate = gate
        self._from_receiver, self.receiver = receiver
        self.over = asyncio.Event()
        self._struck = False
        self._moved = 0
        self._watching: asyncio.Task[None] | None = None

    async def run(self) -> None:
        pumps = [asyncio.create_task(self._pump(way)) for way in ("sent", "answered")]
        await self.over.wait()
        for task in (*pumps, *filter(None, [self._watching])):
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for writer in (self.gate, self.receiver):
            writer.close()

    async def to_receiver(self, data: bytes) -> None:
        self._moved += len(data)
        await _write(self.receiver, data)

    async def to_gate(self, data: bytes) -> None:
        await _write(self.gate, data)

    def reset(self) -> None:
        for writer in (self.gate, self.receiver):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self.over.set()

    def close(self) -> None:
        self.over.set()

    def close_when_quiet(self, seconds: float) -> None:
        async def watch() -> None:
            moved = -1
            while moved != (moved := self._moved):
                await asyncio.sleep(seconds)
            self.close()

        self._watching = asyncio.create_task(watch())

    async def _pump(self, way: str) -> None:
        source, honest = (self._from_gate, self.to_receiver) if way == "sent" else (self._from_receiver, self.to_gate)
        fault, passed = self._fault, 0
        try:
            while data := await source.read(_BUFFER):
                if fault is not None and not self._struck:
                    before = fault.begins(way, passed, data)
                    if before is not None and self._proxy.strikes():
                        await honest(data[:before])
                        data = data[before:]
                        self._struck = True
                        await fault.strike(self)
                passed += len(data)
                if self._struck and fault is not None:
                    await (fault.send if way == "sent" else fault.answer)(self, data)
                else:
                    await honest(data)
        except OSError:
            pass
        self.over.set()


class FaultProxy:
    """An async context manager. ``port`` is where it listens; it serves again on the same port after ``refuse``."""

    def __init__(self, upstream: int, port: int | None = None) -> None:
        self._upstream = upstream
        self.port = port or free_port()
        self._server: asyncio.Server | None = None
        self._links: set[Link] = set()
        self._make: Callable[[], Fault] | None = None
        self._left = 0
        self.struck = 0
        self.accepted = 0

    def afflict(self, make: Callable[[], Fault], times: int = 1) -> None:
        """From the next connection on there is a fault, until it has struck so many times."""
        self._make, self._left = make, times

    def strikes(self) -> bool:
        """Whether the fault strikes once more."""
        if self._left == 0:
            return False
        self._left -= 1
        self.struck += 1
        return True

    async def refuse(self) -> None:
        """Nobody listens any more, and every connection is reset."""
        assert self._server is not None
        self._server.close()
        for link in list(self._links):
            link.reset()
        await asyncio.sleep(0)

    async def listen(self) -> None:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)  # what is accepted inherits it
        listening.bind(("127.0.0.1", self.port))
        self._server = await asyncio.start_server(self._serve, sock=listening, limit=_BUFFER)

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for link in list(self._links):
            link.close()
        await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            receiver = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.transport.abort()
            return
        fault = self._make() if self._make is not None and self._left else None
        link = Link(self, fault, (reader, writer), receiver)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    if data:
        writer.write(data)
        await writer.drain()
