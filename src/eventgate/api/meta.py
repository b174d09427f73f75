"""``/v2/alerts/meta``: what a query selects, in numbers.

Touches HTTP and the counting it is handed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from aiohttp import web

from eventgate.alerts.meta import AlertMeta, Meta
from eventgate.api.filters import FILTER
from eventgate.api.paging import json_response
from eventgate.api.routes import CUSTOMER, Call, Operation, Route
from eventgate.api.schemas import one
from eventgate.formats.times import rfc3339
from eventgate.query import parse_filters

_DESCRIPTION = """\
Counts by category, code, severity and sensor, and over time. Where `complete` is false the deadline came first:
everything is then about the alerts from `countedFrom` on.
"""

Counted = TypeVar("Counted")


class MetaOfAlerts:
    """The address of the numbers."""

    def __init__(self, meta: AlertMeta) -> None:
        self._meta = meta

    def routes(self) -> Sequence[Route]:
        operation = Operation(
            "What a query selects, in numbers", "alerts", {200: one("AlertMeta")}, description=_DESCRIPTION
        )
        return (
            Route(
                "GET", "/v2/alerts/meta", "alerts:read", self.count, operation, (FILTER, CUSTOMER),
                aliases=("/alerts/meta",),
            ),
        )  # fmt: skip

    async def count(self, call: Call) -> web.StreamResponse:
        query = parse_filters(call.parameters["filter"])
        return json_response(_shown(await self._meta.meta(call.principal.company, query)))


def _shown(meta: Meta) -> dict[str, Any]:
    return {
        "total": meta.total,
        "totalRelation": "exact" if meta.complete else "atLeast",
        "complete": meta.complete,
        "countedFrom": _time(meta.counted_from),
        "firstTimestamp": _time(meta.first),
        "lastTimestamp": _time(meta.last),
        "byCategory": [{"categoryId": category, "count": n} for category, n in _most_first(meta.by_category)],
        "byCode": [{"alertCode": code, "count": n} for code, n in _most_first(meta.by_code)],
        "bySeverity": [{"severity": severity, "count": n} for severity, n in sorted(meta.by_severity.items())],
        "byEdge": [
            {
                "edgeId": sensor,
                "serial": meta.names[sensor].serial if sensor in meta.names else None,
                "edgeName": meta.names[sensor].name if sensor in meta.names else None,
                "count": n,
            }
            for sensor, n in _most_first(meta.by_sensor)
        ],
        "histogram": {
            "bucketSeconds": meta.bucket_ms // 1000,
            "buckets": [{"from": rfc3339(at), "count": n} for at, n in sorted(meta.histogram.items())],
        },
    }


def _most_first(counts: Mapping[Counted, int]) -> list[tuple[Counted, int]]:
    return sorted(counts.items(), key=lambda counted: -counted[1])


def _time(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms)
