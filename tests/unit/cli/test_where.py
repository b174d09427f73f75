"""The story of an event in lines: left to right, and at each sink in the order of time."""

from typing import Any

from eventgate.cli.where import story, told_receipt

CUSTODY: dict[str, Any] = {
    "id": "0199b0a4-7d3c-7a50-8000-0123456789ab",
    "kind": "alert",
    "alertCode": "DEAUTHFLOOD",
    "timestamp": "2026-11-20T14:00:00.000Z",
    "edgeId": "0199b0a4-0000-7000-8000-000000000001",
    "serial": "EG-0001",
    "signedBy": {"keyId": "k", "verifyKeyId": "v", "contentDigest": "ab" * 32},
    "receivedAt": "2026-11-20T14:00:00.100Z",
    "committed": {"at": "2026-11-20T14:00:00.110Z", "position": 812, "index": 3, "digest": "cd" * 32},
    "sinks": [],
}


def at_sink(**changes: Any) -> dict[str, Any]:
    told = {
        "name": "soc",
        "configured": True,
        "fate": "pending",
        "detail": "It waits.",
        "comesAgain": False,
        "deliveries": [],
        "deaths": [],
    }
    return told | changes


def lines(*sinks: dict[str, Any]) -> list[tuple[str, str, str]]:
    told = list(story({**CUSTODY, "sinks": list(sinks)}))
    return [(where, what, detail) for where, what, _, detail in told][4:]


def test_the_beginning_is_told_from_sensor_to_journal() -> None:
    told = list(story(CUSTODY))
    assert [line[:2] for line in told] == [
        ("sensor", "alert"), ("", "signed"), ("gate", "received"), ("journal", "committed"),
    ]  # fmt: skip
    assert told[0][3] == "DEAUTHFLOOD of EG-0001"
    assert "812.3" in told[3][3]


def test_what_nobody_signed_has_no_signature() -> None:
    unsigned = {**CUSTODY, "signedBy": {**CUSTODY["signedBy"], "keyId": None, "verifyKeyId": None}}
    assert "signed" not in [line[1] for line in story(unsigned)]


def test_deaths_and_deliveries_are_told_in_the_order_of_time() -> None:
    receipt = {"topic": "alerts", "offset": 1882, "partition": 3}
    sink = at_sink(
        fate="delivered",
        deliveries=[{"at": "2026-11-20T15:00:00.000Z", "generation": 1, "lane": "replay", "receipt": receipt}],
        deaths=[{"at": "2026-11-20T14:00:00.000Z", "generation": 0, "reason": "too long", "redrivenIn": 1}],
    )
    assert lines(sink) == [
        ("soc", "dead", "too long; brought again in generation 1"),
        ("", "delivered", "alerts-3 offset 1882, again, in generation 1"),
    ]


def test_a_fate_without_a_receipt_is_a_sentence() -> None:
    assert lines(at_sink(), at_sink(name="siem", comesAgain=True)) == [
        ("soc", "pending", "It waits."), ("siem", "pending", "It waits."),
        ("", "pending", "A replay is on its way to it."),
    ]  # fmt: skip


def test_a_receipt_in_words() -> None:
    assert told_receipt({"to": 9, "path": "/a", "from": 1}) == "path /a, from 1, to 9"
    assert told_receipt({"ackId": 4, "channel": "c", "status": 200}) == "status 200, ackId 4, channel c"
    assert told_receipt({"topic": "t"}) == "topic t"
    assert told_receipt({}) == ""
