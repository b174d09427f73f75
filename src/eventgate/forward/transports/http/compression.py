"""A request's body, compressed where the sink says so, off the event loop.

Touches nothing.
"""

import asyncio
import gzip

_LEVEL = 1


async def packed(body: bytes, *, compress: bool) -> tuple[bytes, dict[str, str]]:
    """The body as it is sent, and the header that says so."""
    if not compress:
        return body, {}
    return await asyncio.to_thread(gzip.compress, body, _LEVEL, mtime=0), {"Content-Encoding": "gzip"}
