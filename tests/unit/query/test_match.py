"""What the operators mean, asked of events in memory."""

from uuid import UUID

import pytest

from eventgate.event import Event, Kind, Origin, SensorNames
from eventgate.ids import first_id, uuid7
from eventgate.query import parse_filters

MINUTE = 1_747_152_660_000  # 2025-05-13 16:11 UTC
NAMES = SensorNames("EG-0001", "Lobby")


def an_event(**changes: object) -> Event:
    timestamp = changes.pop("timestamp", MINUTE)
    assert isinstance(timestamp, int)
    whole = Event(
        company=UUID(int=1),
        id=uuid7(timestamp, bytes(10)),
        kind=Kind.ALERT,
        sensor=UUID("9a90af71-251e-11f0-a7be-3ec870f66d56"),
        timestamp=timestamp,
        received=timestamp,
        code="DEAUTHFLOOD",
        category=1,
        severity=7,
        message="100% of AP_1 lost\0",
        data=b'{"bssid":"AA:BB","a.b":{"c":1.50},"list":[1,{"x":"y"}],"none":null,"empty":{},"nul\\u0000":"\\u0000"}',
        event_id=None,
        sequence=None,
        key=None,
        verify_key=None,
        content_digest=bytes(32),
        origin=Origin.SENSOR,
        raw=b"{}",
    )
    return whole._replace(**changes)


def matches(text: str, **changes: object) -> bool:
    return parse_filters([text]).matcher()(an_event(**changes), NAMES)


@pytest.mark.parametrize(
    ("operator", "selected"),
    [
        ("is", [0, 1, 59_999]),
        ("not", [-1, 60_000]),
        ("isBefore", [-1]),
        ("<", [-1]),
        ("isAfter", [1, 59_999, 60_000]),
        (">", [1, 59_999, 60_000]),
        ("isOnOrBefore", [-1, 0]),
        ("isOnOrAfter", [0, 1, 59_999, 60_000]),
    ],
)
def test_a_minute_is_its_second_0_in_order_and_the_whole_minute_in_equality(operator: str, selected: list[int]) -> None:
    for field in ("timestamp", "receivedAt"):
        found = [
            offset
            for offset in (-1, 0, 1, 59_999, 60_000)
            if matches(f"{field}·{operator}·2025-05-13 16:11", timestamp=MINUTE + offset)
        ]
        assert found == selected


@pytest.mark.parametrize(
    "text",
    [
        'message·contains·"100% OF ap_1"',
        'message·contains·"\ufffd"',
        'message·contains·"\\u0000"',
        'message·containsAny·["nothing","LOST"]',
        'data.bssid·contains·"aa:"',
        'data."a.b".c·is·1.5',
        'data."a.b".c·>·1',
        "data.list.0·is·1",
        'data.list.-1.x·is·"y"',
        "data.none·not·1",
        "data.absent·not·1",
        'data."nul\\u0000"·is·"\\u0000"',
        'data·contains·"{\\"c\\": 1.50}"',
        'edgeId·contains·"251E"',
        'serial·is·"EG-0001"',
        'edgeName·contains·"lob"',
        "severity·>·6.5",
        "severity·isAnyOf·[7,8]",
        'alertCode·>·"DEAUTH"',
        'kind·is·"alert"',
        "data·isNotEmpty",
        "timestamp·isNotEmpty",
    ],
)
def test_selected(text: str) -> None:
    assert matches(text)


@pytest.mark.parametrize(
    "text",
    [
        'message·contains·"100_"',
        'message·contains·"É"',
        'alertCode·is·"deauthflood"',
        'data.bssid·is·"aa:bb"',
        'data."a.b".c·is·"1.5"',
        "data.bssid·>·1",
        "data.none·isNotEmpty",
        "data.empty·isNotEmpty",
        "data.absent·isNotEmpty·",
        'data.list·contains·"1"',
        "data.list.true·is·1",
        "data.list.0·is·true",
    ],
)
def test_not_selected(text: str) -> None:
    assert not matches(text)


def test_not_selects_what_is_missing() -> None:
    assert matches("severity·not·5", severity=None)
    assert matches('message·not·"x"', message=None)
    assert not matches("message·isNotEmpty", message="")
    assert not matches("data·isNotEmpty", data=b"{}")


def test_data_is_decoded_only_when_a_condition_asks_and_the_others_held() -> None:
    matcher = parse_filters(["data.x·is·1", "severity·>·8"]).matcher()
    assert not matcher(an_event(data=b"no JSON at all"), NAMES)


def test_time_and_id_bound_the_ids_to_search() -> None:
    where = parse_filters(["timestamp·isAfter·2025-05-13 16:11", "timestamp·isBefore·2025-05-13 16:12"]).where({})
    assert where.ids == (first_id(MINUTE + 1), first_id(MINUTE + 60_000))
    assert not where.impossible
    assert (
        parse_filters(["timestamp·isBefore·2025-05-13 16:11", "timestamp·isAfter·2025-05-13 16:11"])
        .where({})
        .impossible
    )


def test_names_are_resolved_to_sensors() -> None:
    sensors = {UUID(int=1): SensorNames("EG-0001", "Lobby"), UUID(int=2): SensorNames("EG-0002", None)}
    assert parse_filters(['edgeName·is·"Lobby"']).where(sensors).sensors == (UUID(int=1),)
    assert parse_filters(['serial·contains·"eg-"']).where(sensors).sensors == (UUID(int=1), UUID(int=2))
    unnamed = parse_filters(['edgeName·not·"Lobby"']).where(sensors)
    assert (unnamed.sensors, unnamed.values) == (None, ([UUID(int=1)],))


def test_a_value_is_always_a_parameter() -> None:
    where = parse_filters(['message·is·"\'; DROP TABLE events --"', 'data."\'"·is·"x"']).where({}, first_parameter=3)
    assert "DROP" not in where.text
    assert "'\"" not in where.text
    assert where.text.startswith("message = $3::text AND ")


@pytest.mark.parametrize(
    ("needle", "by_index"),
    [
        ("flood", True),
        ("dc:a6:32", True),
        ("11)", True),
        (" a", True),
        ("zz", False),
        ("5", False),
        ("a.", False),
        ("%_", False),
    ],
)
def test_a_needle_without_a_trigram_keeps_away_from_the_text_index(needle: str, by_index: bool) -> None:
    text = parse_filters([f'message·contains·"{needle}"']).where({}).text
    assert ("LIKE" in text, "strpos" in text) == (by_index, not by_index)
