"""``/v2/alerts/export``: everything a query selects, as NDJSON or CSV, streamed.

Touches HTTP and the export it is handed. A spreadsheet must not run what a stranger broadcast: CSV cells that would be
taken for a formula are defused.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any

import orjson
import structlog
from aiohttp import web

from eventgate.alerts.export import Export
from eventgate.alerts.stored import StoredEvent
from eventgate.api import shown
from eventgate.api.answers import stamp
from eventgate.api.filters import FILTER
from eventgate.api.parameters import Parameter, one_of
from eventgate.api.routes import CUSTOMER, Call, Operation, Route
from eventgate.errors import CallerError, Unavailable
from eventgate.query import parse_filters

_MEDIA = {"ndjson": "application/x-ndjson", "csv": "text/csv"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula, or for one after it has trimmed the cell."""

_FORMAT = Parameter("format", "What to write.", {"type": "string", "enum": list(_MEDIA)}, one_of(_MEDIA))
_DESCRIPTION = """\
`format=ndjson` (the default) writes one alert a line, as `/v2/alerts` prints it. `format=csv` writes a line of names
and then one line an alert, `data` as JSON; what a spreadsheet would take for a formula gets an apostrophe in front.
A connection that ends before the last chunk says that the export is not whole.
"""
_COLUMNS = (
    "id", "timestamp", "receivedAt", "severity", "categoryId", "alertCode",
    "edgeId", "serial", "edgeName", "message", "data", "companyId",
)  # fmt: skip

_log = structlog.get_logger()


class ExportAlerts:
    """The address of the export."""

    def __init__(self, export: Export) -> None:
        self._export = export

    def routes(self) -> Sequence[Route]:
        content = {media: {"schema": {"type": "string"}} for media in _MEDIA.values()}
        operation = Operation(
            "Every alert that matches, newest first", "alerts",
            {200: {"description": "Everything, streamed", "content": content}}, description=_DESCRIPTION,
        )  # fmt: skip
        return (
            Route(
                "GET", "/v2/alerts/export", "alerts:read", self.export, operation, (FILTER, _FORMAT, CUSTOMER),
                aliases=("/alerts/export",), streamed=True,
            ),
        )  # fmt: skip

    async def export(self, call: Call) -> web.StreamResponse:
        query = parse_filters(call.parameters["filter"])
        name = call.parameters.get(_FORMAT.name, "ndjson")
        pages = self._export.pages(call.principal.company, query)
        # What fails at once is still a problem document. A list: Python 3.11 cannot hand a tuple out of anext.
        first: Sequence[StoredEvent] = await anext(pages, [])
        response = web.StreamResponse(
            headers={
                "Content-Type": f"{_MEDIA[name]}; charset=utf-8",
                "Content-Disposition": f'attachment; filename="alerts.{name}"',
            }
        )
        write = _csv if name == "csv" else _ndjson
        stamp(call.request, response)
        await response.prepare(call.request)
        try:
            await response.write((_header() if name == "csv" else b"") + write(first))
            async for page in pages:
                await call.check_again()
                await response.write(write(page))
        except (CallerError, Unavailable) as error:
            # The status is said already. A chunked answer without its last chunk is how HTTP says that it is not whole.
            _log.warning("export broken off", code=error.code)
            raise ConnectionResetError from error
        return response


def _ndjson(page: Sequence[StoredEvent]) -> bytes:
    return b"".join(orjson.dumps(shown.alert(stored)) + b"\n" for stored in page)


def _csv(page: Sequence[StoredEvent]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    for stored in page:
        alert = shown.alert(stored) | {"data": stored.data}
        writer.writerow([_defused(alert[name]) for name in _COLUMNS])
    return text.getvalue().encode()


def _header() -> bytes:
    return (",".join(_COLUMNS) + "\r\n").encode()


def _defused(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.lstrip().startswith(_FORMULA) else value
