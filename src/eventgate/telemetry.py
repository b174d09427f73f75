"""Logs and metrics: every metric of EventGate is declared here, once, with its kind and its sentence.

Touches standard error and the metrics registry; never sees a secret or an event's body.
"""

import json
import logging
import os
import sys
from typing import Literal, TextIO

import orjson
import structlog
from prometheus_client import Counter, Gauge, Histogram, values

Format = Literal["json", "console"]

if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    # Ours are programs started afresh, never forks: the kernel need not be asked at each step which process this is.
    _PID = os.getpid()
    values.ValueClass = values.MultiProcessValue(lambda: _PID)  # type: ignore[no-untyped-call]  # it has no types

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS = Counter("eventgate_http_requests_total", "HTTP answers, by route and status.", ["route", "status"])
REQUEST_SECONDS = Histogram("eventgate_http_request_seconds", "Time to answer, by route.", ["route"], buckets=_SECONDS)
REQUESTS_LIMITED = Counter(
    "eventgate_requests_limited_total", "Requests refused by a rate limit, by whose it is: key or company.", ["limit"]
)
MAILS = Counter("eventgate_mails_total", "Mails to people that came to an end, by which.", ["outcome"])
EVENTS_ACCEPTED = Counter("eventgate_events_accepted_total", "Events committed and acknowledged.")
EVENTS_DUPLICATE = Counter("eventgate_events_duplicate_total", "Events that were stored already and answered as such.")
EVENTS_REJECTED = Counter(
    "eventgate_events_rejected_total", "Events of a verified write not accepted, by code.", ["code"]
)
WRITES_REFUSED = Counter("eventgate_writes_refused_total", "Writes refused whole, by problem code.", ["code"])
SIGN_INS = Counter("eventgate_sign_ins_total", "Attempts to sign in, by what came of them.", ["outcome"])
VERIFY_SECONDS = Histogram(
    "eventgate_verify_seconds", "Time to check one write's digest and signature.", buckets=_SECONDS
)
COMMIT_SECONDS = Histogram("eventgate_commit_seconds", "Time of one group commit.", buckets=_SECONDS)
COMMIT_EVENTS = Histogram(
    "eventgate_commit_events",
    "Events in one group commit.",
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000),
)
BODIES_IN_FLIGHT = Gauge(
    "eventgate_bodies_in_flight_bytes", "Bytes of request bodies charged to the budget.", multiprocess_mode="livesum"
)
JOURNAL_HEAD = Gauge("eventgate_journal_head_position", "Newest committed position.", multiprocess_mode="livemax")
JOURNAL_BACKLOG = Gauge(
    "eventgate_journal_backlog_events", "Events waiting for their commit.", multiprocess_mode="livesum"
)
DISK_FREE = Gauge(
    "eventgate_disk_free_bytes", "Free space where the journal lives.", multiprocess_mode="livemostrecent"
)
SINK_STATE = Gauge(
    "eventgate_sink_state", "1 for the state a sink is in.", ["sink", "state"], multiprocess_mode="livemax"
)
SINK_LAG_EVENTS = Gauge(
    "eventgate_sink_lag_events", "Events stored but not finished by a sink.", ["sink"], multiprocess_mode="livemax"
)
SINK_LAG_SECONDS = Gauge(
    "eventgate_sink_lag_seconds",
    "Age of the oldest event a sink has not finished.",
    ["sink"],
    multiprocess_mode="livemax",
)
SINK_DELIVERED = Counter("eventgate_sink_delivered_total", "Events a sink delivered.", ["sink", "lane"])
SINK_FILTERED = Counter("eventgate_sink_filtered_total", "Events a sink's filter left out.", ["sink", "lane"])
SINK_DEFERRED = Counter("eventgate_sink_deferred_total", "Windows a receiver asked to retry later.", ["sink"])
SINK_DEAD = Counter("eventgate_sink_dead_total", "Events a sink put to its dead letters.", ["sink", "lane"])
SINK_DEAD_FORGOTTEN = Counter(
    "eventgate_sink_dead_forgotten_total", "Dead letters deleted because they were too old.", ["sink"]
)
SINK_EXPIRED = Counter(
    "eventgate_sink_expired_total", "Events gone before a sink could deliver them.", ["sink", "lane"]
)

SINK_FOREIGN = Counter(
    "eventgate_sink_foreign_total", "Other companies' events that a company's sink passed over.", ["sink", "lane"]
)
SINK_LEDGER = Gauge(
    "eventgate_sink_ledger_events",
    "A sink's ledger: stored, before, delivered, filtered, dead, expired, pending, foreign.",
    ["sink", "part"],
    multiprocess_mode="livemostrecent",
)
SINK_IMBALANCE = Gauge(
    "eventgate_sink_ledger_imbalance",
    "Events stored that no part of a sink's ledger accounts for; below 0: accounted for and never stored.",
    ["sink"],
    multiprocess_mode="livemostrecent",
)
SINK_ALARM = Gauge(
    "eventgate_sink_alarm",
    "1 while something is wrong with a sink, by the code of its system alert.",
    ["sink", "code"],
    multiprocess_mode="livemostrecent",
)
SYSTEM_ALERTS = Counter("eventgate_system_alerts_total", "System alerts appended to the journal, by code.", ["code"])


def _render_json(_logger: object, _name: str, event: structlog.typing.EventDict) -> str:
    try:
        return orjson.dumps(event, default=str).decode()
    except TypeError:  # what went wrong quotes bytes that are not UTF-8; a line that fails would hide it
        return json.dumps(event, default=str)


def configure_logging(level: str = "info", style: Format = "json", stream: TextIO | None = None) -> None:
    """Send structured logs to ``stream`` (standard error by default): one JSON object a line, or coloured text."""
    stream = stream or sys.stderr
    last: structlog.typing.Processor = (
        _render_json
        if style == "json"
        else structlog.dev.ConsoleRenderer(
            colors=stream.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # the default shows local variables: keys, bodies
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if style == "json" else structlog.processors.UnicodeDecoder(),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=stream, format="%(name)s: %(message)s")
    # A broker that is away is said once, by its sink's state; the library would say it forty times a second.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
