"""A RELP receiver in the test's own process that refuses the events it is told to: rsyslog refuses none by its id."""

import asyncio
import json
from types import TracebackType
from typing import Self


class RelpReceiver:
    """Takes JSON events on ``port``. ``taken`` are the ids it has, in order; those in ``refuse`` it will not have."""

    def __init__(self) -> None:
        self.port = 0
        self.taken: list[str] = []
        self.refuse: set[str] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                number, command = await reader.readuntil(b" "), (await reader.readuntil(b" ")).strip()
                size = int(await reader.readuntil(b" ")) if command != b"close" else 0
                data = (await reader.readexactly(size + 1))[:-1] if size else b""
                answer = self._answer(command, data)
                writer.write(b"%s%s %d %s\n" % (number, b"rsp", len(answer), answer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, command: bytes, data: bytes) -> bytes:
        if command != b"syslog":
            return b"200 OK\n" + data
        event = json.loads(data)["id"]
        if event in self.refuse:
            return b"500 not this one"
        self.taken.append(event)
        return b"200 OK"
