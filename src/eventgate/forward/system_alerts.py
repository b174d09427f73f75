"""EventGate's own alerts, appended to the journal like any other event: searchable, chained, and delivered by sinks.

Touches the table of alerts that wait. An alert is made of its row alone, so one that is appended twice is stored once.
"""

from collections.abc import Awaitable, Callable, Sequence

import orjson
import structlog

from eventgate.errors import CallerError
from eventgate.event import GATE, Event, Kind, Origin
from eventgate.formats.times import rfc3339
from eventgate.journal.content import canonical, content_digest
from eventgate.journal.outcome import Appended
from eventgate.sinks.alarms import Alarms, WaitingAlert
from eventgate.telemetry import SYSTEM_ALERTS

_log = structlog.get_logger()


class SystemAlerts:
    """``append`` is the journal's; ``defaults`` tells a code's category and severity, as the catalogue has them."""

    def __init__(
        self,
        alarms: Alarms,
        append: Callable[[Sequence[Event]], Awaitable[Appended]],
        defaults: Callable[[str], tuple[int, int]],
    ) -> None:
        self._alarms = alarms
        self._append = append
        self._defaults = defaults

    async def append_waiting(self) -> None:
        """Append what waits, one write each. Raises Unavailable: then the rest waits on."""
        for alert in await self._alarms.waiting():
            try:
                await self._append([system_alert(alert, *self._defaults(alert.code))])
            except CallerError as error:  # the database will never hold it: not worth trying for ever
                _log.error("system alert dropped", code=alert.code, message=alert.message, error=str(error))
            else:
                SYSTEM_ALERTS.labels(alert.code).inc()
            await self._alarms.told([alert.id])


def system_alert(alert: WaitingAlert, category: int, severity: int) -> Event:
    """The event of an alert: the same row gives the same event."""
    members = {
        "kind": "alert",
        "code": alert.code,
        "timestamp": rfc3339(alert.at),
        "category": category,
        "severity": severity,
        "message": alert.message,
        "data": orjson.loads(alert.data),
    }
    content = canonical(members)
    return Event(
        company=alert.company,
        id=alert.id,
        kind=Kind.ALERT,
        sensor=GATE,
        timestamp=alert.at,
        received=alert.at,
        code=alert.code,
        category=category,
        severity=severity,
        message=alert.message,
        data=alert.data,
        event_id=None,
        sequence=None,
        key=None,
        verify_key=None,
        content_digest=content_digest(GATE, content),
        origin=Origin.SYSTEM,
        raw=content,
    )
