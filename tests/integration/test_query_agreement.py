"""The in-memory match and the SQL of a query select the same rows, hostile text and numbers at their edges included."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from eventgate.alerts.scope import Scope
from eventgate.alerts.windows import Window
from eventgate.event import Event, Kind, Origin, SensorNames
from eventgate.ids import first_id, uuid7
from eventgate.journal.rows import COLUMNS, copy_body, pack
from eventgate.query import EVENTS, OPERATORS, Takes, parse_filters
from eventgate.query.shown import canonical_text, shown_json

COMPANY = UUID(int=7)
DAY = datetime(2025, 11, 21, tzinfo=UTC)
START = int(DAY.timestamp() * 1000) + 12 * 3_600_000
TODAY = Window(first_id(int(DAY.timestamp() * 1000)), first_id(int((DAY + timedelta(days=1)).timestamp() * 1000)))
SENSORS = [UUID(int=number << 64 | number) for number in range(1, 5)]
NAMES = {
    SENSORS[0]: SensorNames("EG-0001", "Lobby"),
    SENSORS[1]: SensorNames("EG-0002", None),
    SENSORS[2]: SensorNames("eg_0003", "lobby % 2"),
}  # the fourth is not in the registry
UNKNOWN = SensorNames("", None)

PIECES = [
    "a", "A", "b", "Z", "%", "_", "\\", '"', "'", ":", ".", "·", "\0", "\ufffd", "\n", "é", "É", "ß", "İ",
    "\U0001d538", "\u2028", " ", "10",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=5).map("".join)
NUMBERS = [
    "0", "-0", "-0.0", "1", "1.0", "1.50", "1e2", "100", "1E-7", "0.1", "-1", "9223372036854775807",
    "-9223372036854775808", "18446744073709551615", "1.7976931348623157e308", "5e-324", "123456789.123456789123456789",
    "0.30000000000000004", "0e5",
]  # fmt: skip
numbers = st.sampled_from(NUMBERS)
KEYS = ["a", "b", "A", "a.b", "0", "-1", " 1", "+1", "é", "", "\0", "\ufffd", "long key", "·"]
keys = st.sampled_from(KEYS)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def json_object(members: dict[str, str]) -> str:
    return "{" + ",".join(f"{quoted(key)}:{value}" for key, value in members.items()) + "}"


def json_array(elements: list[str]) -> str:
    return "[" + ", ".join(elements) + "]"


json_texts = st.recursive(
    st.one_of(texts.map(quoted), numbers, st.sampled_from(["null", "true", "false"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(json_array), st.dictionaries(keys, inner, max_size=3).map(json_object)
    ),
    max_leaves=6,
)
data_texts = st.dictionaries(keys, json_texts, max_size=4).map(json_object)
moments = st.one_of(st.integers(0, 300_000), st.sampled_from([0, 59_999, 60_000, 60_001])).map(lambda ms: START + ms)


@st.composite
def stored_events(draw: st.DrawFn) -> Event:
    kind = draw(st.sampled_from(Kind))
    alert = kind is Kind.ALERT
    timestamp = draw(moments)
    return Event(
        company=COMPANY,
        id=uuid7(timestamp, draw(st.binary(min_size=10, max_size=10))),
        kind=kind,
        sensor=draw(st.sampled_from(SENSORS)),
        timestamp=timestamp,
        received=timestamp + draw(st.integers(0, 3)),
        code=draw(st.sampled_from(["DEAUTHFLOOD", "deauthflood", "é", ""])) if alert else None,
        category=draw(st.integers(1, 6)) if alert else None,
        severity=draw(st.integers(0, 10)) if alert else None,
        message=draw(st.one_of(st.none(), texts)),
        data=draw(data_texts).encode(),
        event_id=None,
        sequence=None,
        key=None,
        verify_key=None,
        content_digest=sha256().digest(),
        origin=Origin.SENSOR,
        raw=b"{}",
    )


def written_moment(ms: int) -> st.SearchStrategy[str]:
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    there = moment + timedelta(hours=2)
    return st.sampled_from(
        [
            moment.strftime("%Y-%m-%d %H:%M"),
            moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            there.strftime("%Y-%m-%dT%H:%M:%S 02:00"),
        ]
    )


far_moments = st.sampled_from(["0001-01-01T00:00:00+23:59", "9999-12-31 23:59", "1969-12-31 23:59"])
paths = st.lists(keys.map(quoted) | st.sampled_from(["a", "b", "0", "-1"]), min_size=1, max_size=3).map(
    lambda segments: "data." + ".".join(segments).replace("·", "\\u00b7")
)


def values_for(name: str, operator: str, known: list[Event]) -> st.SearchStrategy[str]:
    """Values that fit a field; half of them are found in some event."""
    of_text = operator in {"contains", "containsAny"}
    if name in {"timestamp", "receivedAt"}:
        return st.one_of(moments.flatmap(written_moment), far_moments)
    if name in {"categoryId", "severity"}:
        return st.sampled_from(["0", "1", "5", "5.0", "5.5", "-1", "1e300", "40000", "10"])
    if name in {"id", "edgeId"}:
        found = st.sampled_from([str(e.id if name == "id" else e.sensor) for e in known] + [str(UUID(int=2**128 - 1))])
        return (found.map(lambda t: quoted(t[5:12].upper())) if of_text else found.map(quoted)) | (
            texts.map(quoted) if of_text else found.map(str.upper).map(quoted)
        )
    if name.startswith("data."):
        return (
            texts.map(quoted) if of_text else st.one_of(texts.map(quoted), numbers, st.sampled_from(["true", "false"]))
        )
    if name == "data" and not of_text:
        return st.sampled_from([quoted(canonical_text(shown_json(e.data))) for e in known]) | texts.map(quoted)
    samples = [e.message for e in known if e.message is not None] + [n for names in NAMES.values() for n in names if n]
    samples += ["DEAUTHFLOOD", "alert", "sighting", ""]
    whole = st.sampled_from(samples) | texts
    return (whole.map(lambda t: t[1:4].swapcase()) if of_text else whole).map(quoted)


@st.composite
def filters(draw: st.DrawFn, known: list[Event]) -> str:
    name = draw(st.sampled_from(list(EVENTS.fields)) | paths)
    fitting = [o.name for o in OPERATORS.values() if o.fits_type(EVENTS.named(name).type)]
    operator = OPERATORS[draw(st.sampled_from(fitting))]
    values = values_for(name, operator.name, known)
    match operator.takes:
        case Takes.NOTHING:
            return f"{name}·{operator.name}" + draw(st.sampled_from(["", "·"]))
        case Takes.ONE:
            return f"{name}·{operator.name}·{draw(values)}"
        case Takes.MANY:
            several = draw(st.lists(values, min_size=1, max_size=3))
            return f"{name}·{operator.name}·" + json_array(
                [v if v[:1] == '"' or not re.search(r"\d[-:]", v) else quoted(v) for v in several]
            )


@st.composite
def trials(draw: st.DrawFn) -> tuple[list[Event], list[list[str]]]:
    known = draw(st.lists(stored_events(), min_size=1, max_size=12, unique_by=lambda e: e.id))
    return known, draw(st.lists(st.lists(filters(known), min_size=1, max_size=2), min_size=1, max_size=25))


@pytest.fixture
def database(database_url: str) -> Iterator[tuple[asyncio.Runner, asyncpg.Connection]]:
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(database_url))
        runner.run(connection.execute("SELECT ensure_event_days($1, $1)", DAY.date()))
        yield runner, connection
        runner.run(connection.close())


async def rows_by_sql(connection: asyncpg.Connection, known: list[Event], queries: list[list[str]]) -> list[set[UUID]]:
    """Store the events as the journal does and ask every query, counted and in order."""
    await connection.execute("DELETE FROM events")
    await connection.copy_to_table(
        "events", source=BytesIO(copy_body(1, pack(known))), columns=COLUMNS.split(", "), format="binary"
    )
    found: list[set[UUID]] = []
    for texts_of_query in queries:
        scope = Scope(COMPANY, parse_filters(texts_of_query), NAMES)
        low, high = scope.where.ids
        window = Window(max(low or TODAY.low, TODAY.low), min(high or TODAY.high, TODAY.high))
        if scope.where.impossible or window.low >= window.high:
            found.append(set())
            continue
        parameters = scope.parameters(window)
        newest_first = await connection.fetch(scope.ordered("id", newest_first=True), *parameters, 1000)
        oldest_first = await connection.fetch(scope.ordered("id", newest_first=False), *parameters, 1000)
        counted = await connection.fetchval(f"SELECT count(*) FROM events WHERE {scope.conditions}", *parameters)
        ids = [row["id"] for row in newest_first]
        assert ids == sorted(ids, reverse=True) == [row["id"] for row in reversed(oldest_first)]
        assert counted == len(ids)
        found.append(set(ids))
    return found


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(trial=trials())
def test_match_in_memory_and_sql_select_the_same_rows(
    database: tuple[asyncio.Runner, asyncpg.Connection], trial: tuple[list[Event], list[list[str]]]
) -> None:
    runner, connection = database
    known, queries = trial
    by_sql = runner.run(rows_by_sql(connection, known, queries))
    for query, expected in zip(queries, by_sql, strict=True):
        matches = parse_filters(query).matcher()
        in_memory = {e.id for e in known if matches(e, NAMES.get(e.sensor, UNKNOWN))}
        event("some match" if expected else "none match")
        assert in_memory == expected, f"{query}: in memory {in_memory}, by SQL {expected}"
