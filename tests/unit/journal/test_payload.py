"""A payload gives back the very events that went in, and says so when it is damaged."""

import pytest

from benchmarks.rows import Site
from eventgate.event import Kind, Origin
from eventgate.journal import payload

MS = 1_763_726_400_000


def test_events_come_back_equal_in_value_and_type() -> None:
    events = Site().write(MS, 50)
    events[0] = events[0]._replace(message="hidden \0 SSID", raw=b'{"message":"hidden \\u0000 SSID"}')
    events[1] = events[1]._replace(
        kind=Kind.HEARTBEAT, origin=Origin.SYSTEM, code=None, category=None, severity=None, message=None,
        event_id=None, sequence=2**63 - 1, key=None, verify_key=None, data=b"{}",
    )  # fmt: skip
    back = payload.decode(payload.encode(events))
    assert back == events
    assert [[type(value) for value in event] for event in back] == [
        [type(value) for value in event] for event in events
    ]


@pytest.mark.parametrize("damage", [b"", b"\x02abc", b"\x01", b"\x01not zstd"])
def test_what_is_no_payload_is_a_value_error(damage: bytes) -> None:
    with pytest.raises(ValueError, match="payload"):
        payload.decode(damage)


def test_a_cut_payload_is_a_value_error() -> None:
    whole = payload.encode(Site().write(MS, 5))
    with pytest.raises(ValueError, match="payload"):
        payload.decode(whole[:-10])
