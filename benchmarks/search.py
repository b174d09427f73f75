"""How long the first page of a search takes, against the best SQL by hand for the same rows.

    python -m benchmarks.search                         300,000 alerts, in about two minutes
    python -m benchmarks.search --events 10000000       the full thing; --data DIR keeps the alerts for the next run

Every operator on every field alone, and pairs of them; over all 90 days, a week, a day. By hand means: a person who
knows the tables and their indexes writes one statement for psql, and tries it both with the text index and without;
the better one counts. "total" is what the page costs together with its total, which the API always answers.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import combinations, product
from pathlib import Path
from uuid import UUID

import asyncpg

from benchmarks import corpus
from benchmarks.questions import MIDNIGHT, Question, questions
from eventgate.alerts.meta import AlertMeta
from eventgate.alerts.scope import Scope
from eventgate.alerts.search import ALERTS, DEADLINE_SECONDS, SETTINGS, AlertSearch
from eventgate.alerts.stored import COLUMNS
from eventgate.alerts.windows import Partitions
from eventgate.clock import SystemClock
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.db.migrate import migrate
from eventgate.db.pool import open_pool
from eventgate.event import SensorNames
from eventgate.query import parse_filters
from eventgate.query.paging import PageRequest

OURS = corpus.COMPANIES[0]
HAND_TIMEOUT = 10.0
SLOW = 0.5
"""Seconds; what takes longer is asked only once."""

Ask = Callable[[], Awaitable[object]]
SPANS = {"90 days": None, "week": 7, "day": 1}


@dataclass
class Result:
    """Seconds; ``page`` without and ``whole`` with the total, and the same by hand."""

    span: str
    text: str
    page: float
    whole: float
    hand_page: float
    hand_whole: float
    found: int
    complete: bool

    @property
    def ratio(self) -> float:
        return self.page / self.hand_page


class Contest:
    """Asks both and compares their answers."""

    def __init__(self, pool: asyncpg.Pool, hand: asyncpg.Connection) -> None:
        clock = SystemClock()
        self._names = corpus.names()
        self._search = AlertSearch(pool, _names_of, Partitions(pool, clock), clock)
        self._hand = hand

    async def ask(self, span: str, asked: tuple[Question, ...]) -> Result:
        bounds, days = "", SPANS[span]
        texts = [question.text for question in asked]
        if days is not None:
            since = MIDNIGHT - timedelta(days=days)
            texts.append(f"timestamp·isOnOrAfter·{since:%Y-%m-%d %H:%M}")
            bounds = f" AND id >= first_id('{since:%Y-%m-%d %H:%M}Z')"
        query, request = parse_filters(texts), PageRequest()
        scope = Scope(OURS, query, self._names, ALERTS)
        tests = [""]
        for question in asked:
            tests = [f"{before} AND ({way})" for before in tests for way in question.by_hand]
        where = f"company = '{OURS}' AND kind = 1{bounds}"
        rows = [f"SELECT COLUMNS FROM events WHERE {where}{test} ORDER BY id DESC LIMIT 26" for test in tests]
        for question in asked:
            if question.visit is not None:
                column, values, sql_type = question.visit
                others = "".join(f" AND ({other.by_hand[0]})" for other in asked if other is not question)
                each = f"SELECT * FROM events WHERE {where} AND {column} = v{others} ORDER BY id DESC LIMIT 26"
                rows.append(
                    f"SELECT COLUMNS FROM unnest(ARRAY[{values}]::{sql_type}[]) AS v "
                    f"CROSS JOIN LATERAL ({each}) AS found ORDER BY id DESC LIMIT 26"
                )
        counts = [f"SELECT count(*) FROM (SELECT FROM events WHERE {where}{test} LIMIT 10001) AS n" for test in tests]
        contenders: dict[str, Ask] = {"whole": partial(self._search.page, OURS, query, request)}
        if not scope.where.impossible:
            contenders["page"] = partial(self._search._find, scope, request)
        for statement in (*rows, *counts):
            contenders[statement] = partial(self._by_hand, statement.replace("COLUMNS", COLUMNS))
        seconds = await race(contenders)

        page = await self._search.page(OURS, query, request)
        best = min(rows, key=lambda statement: seconds[statement])
        if page.complete and seconds[best] < HAND_TIMEOUT:
            by_hand = [row["id"] for row in await self._by_hand(best.replace("COLUMNS", "id"))][: request.limit]
            assert [event.id for event in page.items] == by_hand, texts
        return Result(
            span=span,
            text=" & ".join(question.text for question in asked),
            page=seconds.get("page", seconds["whole"]),
            whole=seconds["whole"],
            hand_page=seconds[best],
            hand_whole=seconds[best] + min(seconds[count] for count in counts),
            found=len(page.items),
            complete=page.complete,
        )

    async def _by_hand(self, statement: str) -> list[asyncpg.Record]:
        """As psql does: planned anew every time, every row read."""
        return await self._hand.fetch(statement, timeout=HAND_TIMEOUT)


async def _numbers(pool: asyncpg.Pool, hand: asyncpg.Connection) -> None:
    """What /v2/alerts/meta costs, against one statement that groups the same rows by category, code and severity."""
    clock = SystemClock()
    meta = AlertMeta(pool, _names_of, Partitions(pool, clock), clock)
    print("\n| numbers of | span | EventGate ms | by hand ms | counted |\n|---|---|---|---|---|")
    asked = {"": "true", "severity·>·8": "severity > 8", "data.channel·is·149": "data -> 'channel' = '149'"}
    for (text, test), (span, days) in product(asked.items(), SPANS.items()):
        since = f"{MIDNIGHT - timedelta(days=days or corpus.DAYS):%Y-%m-%d %H:%M}"
        query = parse_filters([*([text] if text else []), f"timestamp·isOnOrAfter·{since}"])
        statement = (
            "SELECT category, code, severity, sensor, count(*), min(id::text), max(id::text) FROM events "
            f"WHERE company = '{OURS}' AND kind = 1 AND id >= first_id('{since}Z') AND {test} GROUP BY 1, 2, 3, 4"
        )
        seconds = await race({"ours": partial(meta.meta, OURS, query), "hand": partial(hand.fetch, statement)})
        counted = await meta.meta(OURS, query)
        found = f"{counted.total}{'' if counted.complete else ', partial'}"
        ours, by_hand = (f"{seconds[who] * 1000:.0f}" for who in ("ours", "hand"))
        print(f"| {text or 'everything'} | {span} | {ours} | {by_hand} | {found} |")


async def _names_of(_company: UUID) -> Mapping[UUID, SensorNames]:
    return corpus.names()


async def race(contenders: Mapping[str, Ask]) -> dict[str, float]:
    """The best of up to six rounds, all in turn, so that whatever else the machine does meets them alike."""
    seconds: dict[str, float] = {}
    for number in range(6):
        for name, ask in contenders.items():
            if number and seconds[name] > SLOW:
                continue
            started = time.perf_counter()
            try:
                await ask()
            except TimeoutError:
                seconds[name] = HAND_TIMEOUT
            else:
                seconds[name] = min(time.perf_counter() - started, seconds.get(name, HAND_TIMEOUT))
    return seconds


def _line(result: Result) -> str:
    found = f"{result.found}{'' if result.complete else ', partial'}"
    text = result.text if len(result.text) <= 90 else result.text[:87] + "…"
    hand = f"{result.hand_page * 1000:.1f}" if result.hand_page < HAND_TIMEOUT else f"over {HAND_TIMEOUT:.0f} s"
    return (
        f"| {text} | {result.span} | {result.page * 1000:.1f} | {hand} | {result.ratio:.2f} "
        f"| {result.whole * 1000:.1f} | {result.hand_whole * 1000:.1f} | {found} |"
    )


def _summary(results: list[Result]) -> None:
    whole = [result for result in results if result.complete]
    stopped = len(results) - len(whole)
    print(f"\n{len(results)} searches, {stopped} of them partial at the deadline of {DEADLINE_SECONDS:g} s.")
    for name, paired in (("alone", False), ("in pairs", True)):
        if among := [result for result in whole if (" & " in result.text) is paired]:
            ratios = sorted(r.ratio for r in among)
            fine = sum(ratio <= 1.3 for ratio in ratios)
            quick = sum(r.page < 0.2 for r in among)
            print(
                f"{name}: median ratio {statistics.median(ratios):.2f}, at most 1.3 in {fine} of {len(ratios)}, "
                f"worst {ratios[-1]:.2f}; first page under 200 ms in {quick} of {len(among)}"
            )
    print("\nBy hand it is quicker here, by more than 1.3 and by more than a millisecond:")
    for result in sorted(whole, key=lambda r: -r.ratio):
        if result.ratio > 1.3 and result.page - result.hand_page > 0.001:
            print(_line(result))


async def run(events: int, data: Path, *, pairs: bool) -> None:
    kept = (data / "made").exists()
    async with EmbeddedPostgres(data / "postgres", settings={"fsync": "off", "max_wal_size": "8GB"}) as postgres:
        if not kept:
            started = time.perf_counter()
            await migrate(postgres.url)
            await corpus.make(postgres.url, events)
            (data / "made").touch()
            print(f"{events} alerts made in {time.perf_counter() - started:.0f} s\n")
        pool = await open_pool(postgres.url, size=4, settings=SETTINGS)
        hand = await asyncpg.connect(postgres.url, statement_cache_size=0)
        some_id = await hand.fetchval(
            "SELECT id FROM events WHERE company = $1 AND id < first_id($2) ORDER BY id DESC LIMIT 1",
            OURS, MIDNIGHT - timedelta(days=2),
        )  # fmt: skip
        contest = Contest(pool, hand)
        asked = [(question,) for question in questions(some_id)]
        paired = list(combinations([q for (q,) in asked if q.paired], 2)) if pairs else []
        print("| filter | span | page ms | by hand ms | ratio | with total ms | by hand ms | found |")
        print("|---|---|---|---|---|---|---|---|")
        results = []
        for these in [*asked, *paired]:
            for span in SPANS:
                results.append(await contest.ask(span, these))
                print(_line(results[-1]), flush=True)
        _summary(results)
        await _numbers(pool, hand)
        await hand.close()
        await pool.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--data", type=Path, help="keep the alerts in this directory")
    parser.add_argument("--no-pairs", action="store_true", help="each operator alone")
    arguments = parser.parse_args()
    if arguments.data is not None:
        arguments.data.mkdir(parents=True, exist_ok=True)
        asyncio.run(run(arguments.events, arguments.data, pairs=not arguments.no_pairs))
        return
    with tempfile.TemporaryDirectory(prefix="eventgate-search-") as directory:
        Path(directory).chmod(0o755)
        asyncio.run(run(arguments.events, Path(directory), pairs=not arguments.no_pairs))


if __name__ == "__main__":
    main()
