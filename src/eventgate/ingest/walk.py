"""The walk of one write: authenticate, admit, verify, decode, append, answer, in this order.

Touches nothing itself; each step belongs to a module or a room below. Nothing is answered before the commit.
"""

from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from eventgate.access import Principal
from eventgate.clock import Clock
from eventgate.errors import CallerError, Unavailable
from eventgate.event import Event
from eventgate.ingest.admission import Admission
from eventgate.ingest.answer import answer, conflicts
from eventgate.ingest.budget import ByteBudget
from eventgate.ingest.decode import Decoder
from eventgate.ingest.write import Reject, Write
from eventgate.journal.outcome import Appended
from eventgate.signing.base import SignedRequest
from eventgate.signing.verify import Freshness, VerifiedBytes, verify
from eventgate.telemetry import (
    EVENTS_ACCEPTED,
    EVENTS_DUPLICATE,
    EVENTS_REJECTED,
    VERIFY_SECONDS,
    WRITES_REFUSED,
)

SCOPE = "events:write"
_NOTHING = Appended((), None)


class Walk:
    """Takes writes, one call for each."""

    def __init__(
        self,
        *,
        admission: Admission,
        budget: ByteBudget,
        decoder: Decoder,
        append: Callable[[Sequence[Event]], Awaitable[Appended]],
        keep_rejects: Callable[[Principal, str, Sequence[Reject]], Awaitable[None]],
        clock: Clock,
        freshness: Freshness,
        public_url: str | None,
    ) -> None:
        """``public_url`` is the address that callers sign for, where it is not the one they connect to."""
        self._admission = admission
        self._budget = budget
        self._decoder = decoder
        self._append = append
        self._keep_rejects = keep_rejects
        self._clock = clock
        self._freshness = freshness
        self._public = urlsplit(public_url.rstrip("/")) if public_url else None

    async def write(self, request: web.Request, principal: Principal, request_id: str) -> web.Response:
        """Answer one write of an authenticated caller.

        Raises CallerError, Unavailable: then nothing is acknowledged.
        """
        try:
            return await self._write(request, principal, request_id)
        except (CallerError, Unavailable) as error:
            WRITES_REFUSED.labels(error.code).inc()
            raise

    async def _write(self, request: web.Request, principal: Principal, request_id: str) -> web.Response:
        admitted = self._admission.admit(request, principal)
        with self._budget.charge() as charge:
            body = await self._admission.read(request.content, admitted.length, charge)
            now_ms = self._clock.now_ms()
            verified = self._verify(request, body, principal, now_ms)
            decoded = await self._decoder.decode(
                Write(verified, admitted.media, admitted.coding, principal, now_ms), charge
            )
            appended = await self._append(decoded.events) if decoded.events else _NOTHING
            rejects = [*decoded.rejects, *conflicts(decoded, appended)]
            if rejects:
                for reject in rejects:
                    EVENTS_REJECTED.labels(reject.problems[0].code).inc()
                await self._keep_rejects(principal, request_id, rejects)
            status, members = answer(decoded, appended, rejects)
        EVENTS_ACCEPTED.inc(members["accepted"])
        EVENTS_DUPLICATE.inc(members["duplicates"])
        return web.Response(body=orjson.dumps(members), status=status, content_type="application/json")

    def _verify(self, request: web.Request, body: bytes, principal: Principal, now_ms: int) -> VerifiedBytes:
        started = perf_counter()
        path = request.raw_path.partition("?")[0]
        if self._public is None:
            scheme, authority = request.scheme, request.host
        else:
            scheme, authority, path = self._public.scheme, self._public.netloc, self._public.path + path
        headers = [(name.lower(), value) for name, value in request.headers.items()]
        signed = SignedRequest(request.method, scheme, authority, path, headers, body)
        verified = verify(signed, principal.verify_keys, now_ms // 1000, self._freshness)
        VERIFY_SECONDS.observe(perf_counter() - started)
        return verified
