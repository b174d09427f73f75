"""``/healthz`` and ``/readyz`` for whoever watches over EventGate, ``/metrics`` for Prometheus.

Touches the metrics' registry, and what it is handed to ask whether writes can be taken.
"""

import hmac
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from eventgate.access.credentials import unauthenticated
from eventgate.api.answers import REQUEST_ID
from eventgate.api.paging import json_response
from eventgate.api.problem import problem
from eventgate.api.routes import OpenRoute, Operation
from eventgate.api.schemas import answer, closed
from eventgate.errors import Unavailable

Check = Callable[[], Awaitable[str | None]]
"""Answers None while all is well, or a sentence that says what is not."""

_OK = closed({"status": {"const": "ok"}})
_READY = closed({"status": {"const": "ready"}, "checks": {"type": "object", "additionalProperties": {"const": "ok"}}})


class Health:
    """``checks`` are asked by name on each look at ``/readyz``."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks

    def routes(self) -> Sequence[OpenRoute]:
        return (
            OpenRoute(
                "GET", "/healthz", self.alive,
                Operation("Whether this process is alive", "service", {200: answer("Alive", _OK)}),
            ),
            OpenRoute(
                "GET", "/readyz", self.ready,
                Operation("Whether writes can be taken", "service", {200: answer("Ready", _READY)}, problems=(503,)),
            ),
        )  # fmt: skip

    async def alive(self, _request: web.Request) -> web.StreamResponse:
        return json_response({"status": "ok"})

    async def ready(self, request: web.Request) -> web.StreamResponse:
        found = {name: await _asked(check) for name, check in self._checks.items()}
        wrong = [f"{name}: {text}" for name, text in found.items() if text]
        checks = {name: text or "ok" for name, text in found.items()}
        if wrong:
            detail = f"Writes cannot be taken now. {' '.join(wrong)}"
            return problem(
                503, "not-ready", detail, request[REQUEST_ID], headers={"Retry-After": "1"}, members={"checks": checks}
            )
        return json_response({"status": "ready", "checks": checks})


async def _asked(check: Check) -> str | None:
    try:
        return await check()
    except Unavailable as error:
        return error.detail


class Metrics:
    """``token`` is what a caller shows as ``Authorization: Bearer``; None on a listener of the machine's own."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def routes(self) -> Sequence[OpenRoute]:
        text = answer("Metrics", {"type": "string"}, "text/plain")
        operation = Operation("Metrics in Prometheus's text format", "service", {200: text}, problems=(401,))
        return (OpenRoute("GET", "/metrics", self.metrics, operation),)

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        if self._token is not None:
            shown = request.headers.get("Authorization", "").partition(" ")[2].strip()
            if not hmac.compare_digest(shown.encode("utf-8", "replace"), self._token.encode()):
                raise unauthenticated("metrics-token-wrong", "Send the metrics token as Authorization: Bearer ….")
        return web.Response(body=generate_latest(_registry()), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _registry() -> CollectorRegistry:
    """This process's own numbers, or those of all processes where they share a directory."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types here
    return registry
