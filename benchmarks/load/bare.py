"""What signed writes are measured against: an aiohttp handler that reads the body and does one bare P-256 verify."""

import asyncio
import sys

import uvloop
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_ECDSA = ec.ECDSA(hashes.SHA256())


async def _serve(port: int) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    message = b"m" * 300
    signature, public = key.sign(message, _ECDSA), key.public_key()

    async def write(request: web.Request) -> web.Response:
        await request.read()
        public.verify(signature, message, _ECDSA)
        return web.Response(body=b"{}", status=201, content_type="application/json")

    application = web.Application()
    application.router.add_post("/v2/events", write)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
