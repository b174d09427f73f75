"""What the programs share that play receivers over HTTP: a server, settings changed from outside, scripted answers.

Each is run as its own process, so that it can be killed. What it took for good stands in a file of JSON lines.
``/-/set`` takes settings, ``/-/script`` the answers to the next requests instead of the usual ones.
"""

import argparse
import asyncio
import json
import ssl
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web


class Receiver(ABC):
    """One program; ``settings`` begin as the subclass says and are changed by the test."""

    settings: dict[str, Any]

    def __init__(self, output: Path) -> None:
        self._output = output.open("ab", buffering=0)
        if written := output.read_bytes():  # a line that a kill cut short was never taken
            self._output.truncate(written.rfind(b"\n") + 1)
        self._script: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []

    def keep(self, taken: list[Any]) -> None:
        """These are in, whatever happens to this process."""
        self._output.write(b"".join([json.dumps(each).encode() + b"\n" for each in taken]))

    @abstractmethod
    async def answer(self, request: web.Request, body: bytes) -> web.Response:
        """The usual answer."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if request.path.startswith("/-/"):
            return self._told(request.path, json.loads(body or b"null"))
        told = self._script.pop(0) if self._script and request.method == "POST" and self.scripted(request) else None
        if self.settings.get("seconds"):
            await asyncio.sleep(self.settings["seconds"])
        if told is None:
            return await self.answer(request, body)
        if told.get("take"):
            await self.answer(request, body)
        await asyncio.sleep(told.get("seconds", 0))
        if told.get("drop"):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=told["status"], headers=told.get("headers"), body=told.get("body", "").encode())

    def scripted(self, request: web.Request) -> bool:
        """Whether a scripted answer may be the answer to this request."""
        return True

    def _told(self, path: str, told: Any) -> web.Response:
        if path == "/-/set":
            self.settings |= told
        elif path == "/-/script":
            self._script += told
        return web.json_response({"requests": self.requests, "scripted": len(self._script)})


def run(receiver: type[Receiver]) -> None:
    """Serve until killed: port, file, and with TLS certificate, key and the clients' authority."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("output", type=Path)
    parser.add_argument("settings", type=json.loads)
    parser.add_argument("tls", nargs="*", type=Path)
    told = parser.parse_args()
    context = None
    if told.tls:
        certificate, key, *authority = told.tls
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        if authority:
            context.load_verify_locations(authority[0])
            context.verify_mode = ssl.CERT_REQUIRED
    uvloop.run(_serve(receiver(told.output), told.settings, told.port, context))


async def _serve(receiver: Receiver, settings: dict[str, Any], port: int, context: ssl.SSLContext | None) -> None:
    receiver.settings = {**receiver.settings, **settings}
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, access_log=None, auto_decompress=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    await asyncio.Event().wait()
