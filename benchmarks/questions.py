"""What is asked of a search: each operator on each field, and the SQL that a person would write for it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from benchmarks import corpus

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Question:
    """A filter, and the ways a person would write it in SQL."""

    text: str
    by_hand: tuple[str, ...]
    paired: bool = False
    visit: tuple[str, str, str] | None = None
    """A column, its values and their type, to be visited one by one with LATERAL."""


def questions(some_id: UUID) -> list[Question]:
    """Each operator on each field it fits, common and rare values, with what a person would write."""
    last, next_id = corpus.SENSORS[0][-1], UUID(int=some_id.int + 1)
    three = corpus.SENSORS[0][50:53]
    as_json, as_sql = ",".join(f'"{sensor}"' for sensor in three), ",".join(f"'{sensor}'" for sensor in three)
    tens = ",".join(str(s) for n, s in enumerate(corpus.SENSORS[0]) if "019" in f"EG-{n:04}")
    tail, mac, pair = str(some_id)[-6:], corpus.CLIENTS[123], corpus.BSSIDS[1500]
    common, rare = corpus.COMMONEST, corpus.RAREST
    words, code, whole = (f'lower({column} COLLATE "C")' for column in ("message", "code", "data::text"))
    empty = """('null', '""', '[]', '{}')"""
    minute = f"{MIDNIGHT - timedelta(days=3, hours=5):%Y-%m-%d %H:%M}"
    start, end = f"first_id('{minute}Z')", f"first_id('{minute}Z'::timestamptz + interval '1 minute')"
    return [
        Question(f'id·is·"{some_id}"', (f"id = '{some_id}'",)),
        Question(f'id·isAnyOf·["{some_id}","{next_id}"]', (f"id IN ('{some_id}','{next_id}')",)),
        Question(f'id·not·"{some_id}"', (f"id <> '{some_id}'",)),
        Question(f'id·<·"{some_id}"', (f"id < '{some_id}'",)),
        Question(f'id·>·"{some_id}"', (f"id > '{some_id}'",)),
        Question(f'id·contains·"{tail}"', (f"strpos(id::text, '{tail}') > 0",)),
        Question(f'id·containsAny·["{tail}"]', (f"strpos(id::text, '{tail}') > 0",)),
        Question("id·isNotEmpty", ("true",)),
        Question("categoryId·is·1", ("category = 1",), paired=True),
        Question("categoryId·isAnyOf·[4,5]", ("category IN (4, 5)",)),
        Question("categoryId·not·2", ("category IS DISTINCT FROM 2",)),
        Question("categoryId·>·4", ("category > 4",)),
        Question("categoryId·<·2", ("category < 2",)),
        Question("categoryId·isNotEmpty", ("category IS NOT NULL",)),
        Question(f'alertCode·is·"{common}"', (f"code = '{common}'",), paired=True),
        Question(f'alertCode·is·"{rare}"', (f"code = '{rare}'",), paired=True),
        Question(
            f'alertCode·isAnyOf·["{rare}","DRONE"]',
            (f"code IN ('{rare}', 'DRONE')",),
            visit=("code", f"'{rare}', 'DRONE'", "text"),
        ),
        Question(f'alertCode·not·"{common}"', (f"code IS DISTINCT FROM '{common}'",)),
        Question('alertCode·contains·"flood"', (f"{code} LIKE '%flood%'",)),
        Question('alertCode·containsAny·["canary","zzz"]', (f"{code} LIKE '%canary%' OR {code} LIKE '%zzz%'",)),
        Question('alertCode·>·"W"', ("code > 'W'",)),
        Question('alertCode·<·"B"', ("code < 'B'",)),
        Question("alertCode·isNotEmpty", ("code <> ''",)),
        Question(f'edgeId·is·"{last}"', (f"sensor = '{last}'",), paired=True),
        Question(
            f"edgeId·isAnyOf·[{as_json}]", (f"sensor IN ({as_sql})",), paired=True, visit=("sensor", as_sql, "uuid")
        ),
        Question(f'edgeId·not·"{last}"', (f"sensor <> '{last}'",)),
        Question(f'edgeId·contains·"{str(last)[:6]}"', (f"strpos(sensor::text, '{str(last)[:6]}') > 0",)),
        Question(f'edgeId·>·"{last}"', (f"sensor > '{last}'",)),
        Question('serial·is·"EG-0199"', (f"sensor = '{last}'",)),
        Question('serial·contains·"019"', (f"sensor = ANY('{{{tens}}}')",)),
        Question('serial·not·"EG-0199"', (f"sensor <> '{last}'",)),
        Question('edgeName·is·"Building 9 floor 19"', (f"sensor = '{last}'",), paired=True),
        Question('edgeName·not·"Building 9 floor 19"', (f"sensor <> '{last}'",)),
        Question('edgeName·contains·"BUILDING 9 FLOOR 19"', (f"sensor = '{last}'",)),
        Question(f"timestamp·is·{minute}", (f"id >= {start} AND id < {end}",)),
        Question(f"timestamp·isBefore·{minute}", (f"id < {start}",), paired=True),
        Question(f"timestamp·isOnOrBefore·{minute}", (f"id < first_id('{minute}:00.001Z')",)),
        Question(f"timestamp·isAfter·{minute}", (f"id >= first_id('{minute}:00.001Z')",)),
        Question(f"timestamp·isOnOrAfter·{minute}", (f"id >= {start}",)),
        Question(f"timestamp·not·{minute}", (f"NOT (id >= {start} AND id < {end})",)),
        Question(f"receivedAt·isBefore·{minute}", (f"received_at < '{minute}Z'",)),
        Question("severity·>·8", ("severity > 8",), paired=True),
        Question("severity·is·3", ("severity = 3",)),
        Question("severity·isAnyOf·[0,1]", ("severity IN (0, 1)",)),
        Question('message·contains·"zebedee"', (f"{words} LIKE '%zebedee%'",), paired=True),
        Question(
            'message·contains·"overlong"',
            (f"{words} LIKE '%overlong%'", f"strpos({words}, 'overlong') > 0"),
            paired=True,
        ),
        Question(
            'message·containsAny·["zebedee","not to be found"]',
            (f"{words} LIKE '%zebedee%' OR {words} LIKE '%not to be found%'",),
        ),
        Question(f'message·contains·"{mac}"', (f"{words} LIKE '%{mac}%'", f"strpos({words}, '{mac}') > 0")),
        Question('message·contains·"zz"', (f"{words} LIKE '%zz%'", f"strpos({words}, 'zz') > 0")),
        Question('message·is·"nothing like it"', ("message = 'nothing like it'",)),
        Question('message·not·"nothing like it"', ("message IS DISTINCT FROM 'nothing like it'",)),
        Question("message·isNotEmpty", ("message <> ''",)),
        Question('message·>·"Z"', ("message > 'Z'",)),
        Question(f'data.bssid·is·"{pair}"', (f"""data @> '{{"bssid": "{pair}"}}'""",), paired=True),
        Question(f'data.client·is·"{mac}"', (f"""data @> '{{"client": "{mac}"}}'""",), paired=True),
        Question(
            f'data.client·isAnyOf·["{mac}","{pair}"]',
            (f"""data @> '{{"client": "{mac}"}}' OR data @> '{{"client": "{pair}"}}'""",),
        ),
        Question(
            'data.radio.band·is·"5 GHz"',
            ("""data @> '{"radio": {"band": "5 GHz"}}'""", "data #>> '{radio,band}' = '5 GHz'"),
        ),
        Question("data.channel·is·149", ("""data @> '{"channel": 149}'""", "data -> 'channel' = '149'"), paired=True),
        Question("data.channel·>·140", ("(data -> 'channel')::numeric > 140",)),
        Question("data.frames·>·898", ("(data -> 'frames')::numeric > 898",)),
        Question("data.frames·>·9000", ("(data -> 'frames')::numeric > 9000",)),
        Question(
            f'data.bssid·contains·"{pair[9:]}"',
            (f"strpos(lower((data ->> 'bssid') COLLATE \"C\"), '{pair[9:]}') > 0",),
        ),
        Question("data.missing·isNotEmpty", (f"data -> 'missing' NOT IN {empty}",)),
        Question("data.bssid·isNotEmpty", (f"data -> 'bssid' NOT IN {empty}",)),
        Question('data.bssid·not·"x"', ("data -> 'bssid' IS DISTINCT FROM '\"x\"'",)),
        Question('data·contains·"warehouse"', (f"strpos({whole}, 'warehouse') > 0",)),
        Question('data·contains·"nowhere"', (f"strpos({whole}, 'nowhere') > 0",)),
        Question("data·isNotEmpty", ("data <> '{}'",)),
    ]
