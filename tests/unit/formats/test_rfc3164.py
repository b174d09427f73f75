"""Format rfc3164: what does not fit into its 1,024 octets is left out; the id and a replay's mark never are, and no
value is left open.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from eventgate.event import SensorNames
from eventgate.formats.rfc3164 import Rfc3164
from tests.unit.formats.readers import rfc3164
from tests.unit.formats.samples import ALERT, FULL, NAMES


def test_the_day_is_padded_with_a_blank_and_the_host_is_a_name() -> None:
    first = ALERT._replace(timestamp=1_762_001_100_000)
    line = Rfc3164(facility=4, tag="gate")(first, SensorNames("E/G 1:", None))
    assert line.startswith(b"<34>Nov  1 12:45:00 E_G_1_ gate: id=")
    assert rfc3164(line)["timestamp"] == "2025-11-01T12:45:00.000Z"


@settings(max_examples=150, deadline=None)
@given(
    message=st.text(st.sampled_from('a"\\\u00e9\U0001f4a9\n ='), max_size=900),
    octets=st.integers(480, 1100),
    name=st.text(st.sampled_from('b"\\\u00e9'), max_size=300),
)
def test_a_cut_message_is_whole(message: str, octets: int, name: str) -> None:
    format_, event, names = Rfc3164(max_octets=octets), FULL._replace(message=message), SensorNames("EG-0001", name)
    line = format_(event, names)
    assert len(line) <= octets
    read = rfc3164(line)
    assert read["id"] == str(FULL.id)
    again = format_.replayed()(event, names)
    assert len(again) <= octets
    assert rfc3164(again)["replay"] == "true"
    if "message" in read:
        assert message.replace("\n", "\u240a").startswith(read["message"])


def test_a_short_one_has_everything() -> None:
    assert rfc3164(Rfc3164(max_octets=4096).replayed()(FULL, NAMES)).keys() == Rfc3164.KEYS.keys()


def test_the_longest_names_leave_room_for_the_id_and_the_mark() -> None:
    rename = {"id": "i" * 32, "timestamp": "t" * 32, "replay": "r" * 32}
    format_ = Rfc3164(tag="e" * 32, facility=23, max_octets=480, rename=rename)
    read = rfc3164(format_.replayed()(FULL, SensorNames("E" * 300, None)))
    assert (read["i" * 32], read["r" * 32]) == (str(FULL.id), "true")
