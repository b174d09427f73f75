"""The walk of one write, from its caller's authenticated request: admit, verify, decode, append, answer, in this order.

Touches nothing itself; each step belongs to a module or a room below. Nothing is answered before the commit.
"""

import re
from collections.abc import Callable
from time import perf_counter

import orjson
from aiohttp import web

from eventgate.access import Principal
from eventgate.clock import Clock
from eventgate.errors import CallerError, Unavailable
from eventgate.ingest.admission import Admission, Admitted
from eventgate.ingest.answer import answer, conflicts
from eventgate.ingest.budget import ByteBudget, Charge
from eventgate.ingest.decode import Decoder
from eventgate.ingest.disk import Disk
from eventgate.ingest.limits import Limits
from eventgate.ingest.workspace import GROWTH, Workspace
from eventgate.ingest.write import Decoded, Write
from eventgate.journal.appender import Appender
from eventgate.journal.outcome import Appended
from eventgate.journal.rejects import Rejects
from eventgate.sensors import Directory
from eventgate.signing.base import SignedRequest
from eventgate.signing.verify import Freshness, VerifiedBytes, verify
from eventgate.telemetry import EVENTS_ACCEPTED, EVENTS_DUPLICATE, EVENTS_REJECTED, VERIFY_SECONDS, WRITES_REFUSED

_NOTHING = Appended((), None)
_ABSOLUTE = re.compile(r"\Ahttps?://[^/]*", re.IGNORECASE)
"""What stands before the path in a request target in absolute form (RFC 9112, section 3.2.2)."""


class Walk:
    """Takes writes, one call for each. One in each process."""

    def __init__(
        self,
        *,
        origin: Callable[[web.Request], tuple[str, str, str]],
        path_prefix: str,
        directory: Directory,
        defaults: Callable[[str], tuple[int, int]],
        appender: Appender,
        rejects: Rejects,
        disk: Disk,
        clock: Clock,
        freshness: Freshness,
        limits: Limits,
    ) -> None:
        """``origin`` tells the caller's address, and scheme and authority of the gate as the caller sees it.

        ``path_prefix`` is what a proxy takes off the public path, "" where none does; callers sign for the whole.
        ``defaults`` gives an alert code's category and severity.
        """
        self._origin = origin
        self._path_prefix = path_prefix
        self._admission = Admission(limits, disk, lambda: appender.backlog)
        self._budget = ByteBudget(limits.budget_bytes, Workspace(limits.inflated_bytes * GROWTH))
        self._decoder = Decoder(directory, defaults, limits)
        self._appender = appender
        self._rejects = rejects
        self._clock = clock
        self._freshness = freshness

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
        admitted = self._admission.admit(request)
        with self._budget.charge() as charge:
            decoded = await self._receive(request, principal, admitted, charge)
            appended = await self._appender.append(decoded.events) if decoded.events else _NOTHING
            rejects = [*decoded.rejects, *conflicts(decoded, appended)]
            if rejects:
                assert principal.key is not None, "only an API key has verify keys, and this write was verified"
                await self._rejects.keep(principal.company, principal.key, request_id, rejects)
                for reject in rejects:
                    EVENTS_REJECTED.labels(reject.problems[0].code).inc()
            status, members = answer(decoded, appended, rejects)
        EVENTS_ACCEPTED.inc(members["accepted"])
        if members["duplicates"]:
            EVENTS_DUPLICATE.inc(members["duplicates"])
        return web.Response(body=orjson.dumps(members), status=status, content_type="application/json")

    async def _receive(self, request: web.Request, principal: Principal, admitted: Admitted, charge: Charge) -> Decoded:
        """Read, verify, decode. The body itself is let go here: what waits for the commit is its events alone."""
        body = await self._admission.read(request.content, admitted.length, charge)
        now_ms = self._clock.now_ms()
        verified = self._verify(self._as_signed(request, body), principal, now_ms)
        write = Write(verified, admitted.media, admitted.coding, principal, now_ms)
        return await self._decoder.decode(write, charge)

    def _as_signed(self, request: web.Request, body: bytes) -> SignedRequest:
        _, scheme, authority = self._origin(request)
        path = self._path_prefix + _ABSOLUTE.sub("", request.raw_path.partition("?")[0])
        headers = [(name.lower(), value) for name, value in request.headers.items()]
        return SignedRequest(request.method, scheme, authority, path, headers, body)

    def _verify(self, signed: SignedRequest, principal: Principal, now_ms: int) -> VerifiedBytes:
        began = perf_counter()
        verified = verify(signed, principal.verify_keys, now_ms // 1000, self._freshness)
        VERIFY_SECONDS.observe(perf_counter() - began)
        return verified
