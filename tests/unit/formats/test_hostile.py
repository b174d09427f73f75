"""Whatever a stranger puts into an SSID, a message or a code: no format lets it become a field, a line or a message."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventgate.event import Event, SensorNames
from tests.unit.formats.every import FORMATS, made, places
from tests.unit.formats.readers import READERS
from tests.unit.formats.samples import ALERT, FULL

FORGERIES = [
    'a" severity="10', "a severity=10 cs1=b", "a|b|10|", "a\tsev=10", "a^sev=10", "a\nCEF:0|x|y|z|1|2|10|",
    "a\r\n<0>1 - -",
    'a"] [x@1 y="z', "a\\", "a\\\\", "a\\n", '","severity":10,"x":"', "\u202egnp.exe", "\u2066a\u2069", "\x00" * 32,
    "=", "|",
    'a" replay="true', "a\treplay=true", "a flexNumber2=1 flexNumber2Label=replay", '"},"replay":true,"x":{"',
    " ", "", "a ", "\x7f\x85\u2028", "\ufeff", "caf\u00e9 \U0001f4a9", "a=b\\=c", "\x1b[31m", "LEEF:1.0|", "]",
]  # fmt: skip
_TEXT = st.sampled_from(FORGERIES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def written(name: str, event: Event, names: SensorNames, *, again: bool = False, **options: Any) -> dict[str, Any]:
    format_ = made(name, **options)
    return dict(READERS[name]((format_.replayed() if again else format_)(event, names)))


@pytest.mark.parametrize("again", [False, True], ids=["live", "again"])
@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40, deadline=None)
@given(code=_TEXT, message=_TEXT.filter(bool), serial=_TEXT.filter(bool), edge=_TEXT, event_id=_TEXT, ssid=_TEXT)
def test_no_text_forges_a_field(name: str, again: bool, **said: str) -> None:
    code, message, event_id, ssid = said["code"], said["message"], said["event_id"], said["ssid"]
    serial, edge = said["serial"], said["edge"]
    ordinary = written(name, FULL, SensorNames("EG-0001", "Lobby"), again=again)
    data = json.dumps({**json.loads(FULL.data), "ssid": ssid}, ensure_ascii=False, sort_keys=True).encode()
    event = FULL._replace(code=code, message=message, event_id=event_id, data=data)
    hostile = written(name, event, SensorNames(serial, edge), again=again)
    place = places(name)
    assert hostile.keys() == ordinary.keys()
    assert (place["replay"] in hostile) is again
    fields = {"alertCode", "alertTitle", "message", "serial", "edgeName", "eventId", "ssid", "data"}
    free = {place[field] for field in fields & place.keys()} | {
        "(labels)",
        "(header)",
        "finding_info.analytic.name",
        "rule.id",
    }
    for key in ordinary.keys() - free:
        assert hostile[key] == ordinary[key], key
    assert hostile[place["id"]] == str(FULL.id)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("ssid", FORGERIES)
def test_an_ssid_arrives_as_it_is_or_as_a_picture_of_it(name: str, ssid: str) -> None:
    place = places(name).get("ssid")
    data = json.dumps({"ssid": ssid}, ensure_ascii=False).encode()
    read = written(name, ALERT._replace(data=data), SensorNames("EG-0001", None))
    if place is None:
        assert read["data"]["ssid"] == ssid
    elif name in ("ocsf", "ecs") or ssid.isprintable():
        assert read[place] == ssid
    else:
        assert len(read[place]) == len(ssid)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=30, deadline=None)
@given(
    data=st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | _TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
        max_leaves=8,
    )
)
def test_whatever_the_data_holds_it_stays_data(name: str, data: Any) -> None:
    members = ("ssid", "bssid", "channel", "rssi", "sourceMac", "client", "frequencyMhz", "message", "id", "replay")
    sent = json.dumps({**dict.fromkeys(members, data), "other": [data]}, ensure_ascii=False).encode()
    read = written(name, ALERT._replace(data=sent), SensorNames("EG-0001", "Lobby"))
    assert read[places(name)["id"]] == str(ALERT.id)
    assert read.keys() <= written(name, FULL, SensorNames("EG-0001", "Lobby")).keys() | {"dataOctets"}


@pytest.mark.parametrize("name", FORMATS)
@given(value=_TEXT)
@settings(max_examples=20, deadline=None)
def test_what_a_sink_adds_breaks_no_line_either(name: str, value: str) -> None:
    read = written(name, FULL, SensorNames("EG-0001", "Lobby"), extra={"environment": value, "shift": 3, "drill": True})
    plain = written(name, FULL, SensorNames("EG-0001", "Lobby"))
    if name == "ecs":
        assert read["labels"] == {"environment": value, "shift": 3, "drill": True}
    else:
        prefix = "unmapped." if name == "ocsf" else ""
        assert read.keys() - plain.keys() == {f"{prefix}{key}" for key in ("environment", "shift", "drill")}
        assert str(read[f"{prefix}drill"]).lower() == "true"
