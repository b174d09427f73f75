"""The walk of one write: authenticate, admit, verify, decode, append, answer, in this order.

Touches nothing itself; each step belongs to a module or a room below. Nothing is answered before the commit.
"""

from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Any

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
Authenticate = Callable[[Any, str, str], Awaitable[Principal]]
"""(headers, raw query string, the caller's address) -> who is asking."""

_NOTHING = Appended((), None)


class Walk:
    """Takes writes, one call for each."""

    def __init__(
        self,
        *,
        authenticate: Authenticate,
        origin: Callable[[web.Request], tuple[str, str, str]],
        admission: Admission,
        budget: ByteBudget,
        decoder: Decoder,
        append: Callable[[Sequence[Event]], Awaitable[Appended]],
        keep_rejects: Callable[[Principal, str, Sequence[Reject]], Awaitable[None]],
        clock: Clock,
        freshness: Freshness,
        path_prefix: str = "",
    ) -> None:
        """``origin`` tells the caller's address, and scheme and authority of the gate as the caller sees it.

        ``path_prefix`` is what a proxy takes off the public path; callers sign for it.
        """
        self._authenticate = authenticate
        self._origin = origin
        self._admission = admission
        self._budget = budget
        self._decoder = decoder
        self._append = append
        self._keep_rejects = keep_rejects
        self._clock = clock
        self._freshness = freshness
        self._path_prefix = path_prefix

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one write. Raises CallerError, Unavailable: then nothing is acknowledged."""
        try:
            return await self._handle(request)
        except (CallerError, Unavailable) as error:
            WRITES_REFUSED.labels(error.code).inc()
            raise

    async def _handle(self, request: web.Request) -> web.Response:
        remote, scheme, authority = self._origin(request)
        principal = await self._authenticate(request.headers, request.rel_url.raw_query_string, remote)
        principal.require(SCOPE)
        admitted = self._admission.admit(request, principal)
        with self._budget.charge() as charge:
            body = await self._admission.read(request.content, admitted.length, charge)
            now_ms = self._clock.now_ms()
            headers = [(name.lower(), value) for name, value in request.headers.items()]
            path = self._path_prefix + request.raw_path
            signed = SignedRequest(request.method, scheme, authority, path, headers, body)
            verified = self._verify(signed, principal, now_ms)
            write = Write(verified, admitted.media, admitted.coding, principal, now_ms)
            decoded = await self._decoder.decode(write, charge)
            appended = await self._append(decoded.events) if decoded.events else _NOTHING
            rejects = [*decoded.rejects, *conflicts(decoded, appended)]
            if rejects:
                await self._keep_rejects(principal, request["request_id"], rejects)
                _count(rejects)
            status, members = answer(decoded, appended, rejects)
        EVENTS_ACCEPTED.inc(members["accepted"])
        EVENTS_DUPLICATE.inc(members["duplicates"])
        return web.Response(body=orjson.dumps(members), status=status, content_type="application/json")

    def _verify(self, signed: SignedRequest, principal: Principal, now_ms: int) -> VerifiedBytes:
        began = perf_counter()
        verified = verify(signed, principal.verify_keys, now_ms // 1000, self._freshness)
        VERIFY_SECONDS.observe(perf_counter() - began)
        return verified


def _count(rejects: Sequence[Reject]) -> None:
    for reject in rejects:
        EVENTS_REJECTED.labels(reject.problems[0].code).inc()
