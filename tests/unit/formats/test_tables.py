"""The table of each format tells the truth: what it says stands there, read back by an independent reader."""

import json
from pathlib import Path
from typing import Any

import pytest

from eventgate.event import Event
from eventgate.formats import MEDIA
from eventgate.formats.fields import OF_AN_EVENT, SEEN
from tests.unit.formats.every import FORMATS, made, places
from tests.unit.formats.readers import READERS
from tests.unit.formats.samples import ALERT, FULL, NAMES, SAMPLES, VALUES

VECTORS = Path(__file__).parents[2] / "vectors"

TIMES = {
    "cef": ("1763726400123", "1763726400456"),
    "leef": ("2025-11-21T12:00:00.123+0000", "2025-11-21T12:00:00.456+0000"),
    "ocsf": (1763726400123, 1763726400456),
}
VALUES_OF_THE_MARK = {"cef": "1"}


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("name", FORMATS)
def test_golden_bytes(name: str, sample: str) -> None:
    path = VECTORS / name / f"{sample}.{'json' if MEDIA[name] == 'json' else 'txt'}"
    assert made(name)(SAMPLES[sample], NAMES) == path.read_bytes().removesuffix(b"\n")


@pytest.mark.parametrize("name", FORMATS)
def test_golden_bytes_of_what_goes_again(name: str) -> None:
    path = VECTORS / name / f"replay.{'json' if MEDIA[name] == 'json' else 'txt'}"
    assert made(name).replayed()(ALERT, NAMES) == path.read_bytes().removesuffix(b"\n")


@pytest.mark.parametrize("options", [{}, {"rename": {"replay": "again"}, "extra": {"environment": "prod"}}])
@pytest.mark.parametrize("event", [*SAMPLES.values(), FULL], ids=[*SAMPLES, "full"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_mark_is_all_that_sets_an_event_that_goes_again_apart(
    name: str, event: Event, options: dict[str, Any]
) -> None:
    format_ = made(name, **options)
    live = READERS[name](format_(event, NAMES))
    again = dict(READERS[name](format_.replayed()(event, NAMES)))
    place = places(name)["replay"]
    place = place.removesuffix(place.rpartition(".")[2]) + "again" if options else place
    assert str(again.pop(place)).lower() == VALUES_OF_THE_MARK.get(name, "true")
    if "(labels)" in again and not options:
        again["(labels)"] -= {"replay"}
    assert again == live


@pytest.mark.parametrize("name", FORMATS)
def test_every_field_stands_where_the_table_says(name: str) -> None:
    read = READERS[name](made(name).replayed()(FULL, NAMES))
    for field, place in places(name).items():
        if field in ("dataOctets", "replay"):
            continue
        found = read[place]
        if field == "data":
            assert (json.loads(found) if isinstance(found, str) else found) == json.loads(FULL.data)
        elif field in ("timestamp", "receivedAt"):
            usual = ("2025-11-21T12:00:00.123Z", "2025-11-21T12:00:00.456Z")
            assert found == TIMES.get(name, usual)[field == "receivedAt"]
        else:
            assert str(found) == str(_expected(name, field)), field


def _expected(name: str, field: str) -> Any:
    value = VALUES[field]
    if name == "ecs" and field.lower().endswith(("mac", "bssid")):
        return str(value).upper().replace(":", "-")
    return value


@pytest.mark.parametrize("name", FORMATS)
def test_every_field_is_known_by_one_name(name: str) -> None:
    assert places(name).keys() <= {*OF_AN_EVENT, *SEEN}
    assert {"id", "timestamp", "receivedAt", "serial", "edgeId", "alertCode", "severity", "data"} <= places(name).keys()


@pytest.mark.parametrize("name", FORMATS)
def test_what_the_sensor_saw_is_sorted_by_type_and_by_name(name: str) -> None:
    """The better name wins, and what is of another type than its field is none."""

    def read(data: bytes) -> Any:
        return READERS[name](made(name)(ALERT._replace(data=data), NAMES))

    place = places(name)
    if "ssid" not in FORMATS[name].KEYS:
        pytest.skip("its data is not taken apart")
    both = read(b'{"client":"02:00:5e:10:00:09","clientMac":"02:00:5e:10:00:02","essid":"b","ssid":"a"}')
    assert both[place["ssid"]] == "a"
    assert str(both[place["clientMac"]]).lower().replace("-", ":") == "02:00:5e:10:00:02"
    assert read(b'{"essid":"b"}')[place["ssid"]] == "b"
    wrong = read(
        b'{"bssid":"x","channel":"6","encryption":null,"frequencyMHz":1e99,"rssi":[],"sourceMac":{"a":1},"ssid":7}'
    )
    for field in ("bssid", "channel", "encryption", "frequencyMHz", "rssi", "sourceMac", "ssid"):
        assert place[field] not in wrong
    assert place["ssid"] not in read(b'{"ssid":"' + b"a" * 256 + b'"}')
    assert str(read(b'{"rssi":-61.0}')[place["rssi"]]) == "-61"


@pytest.mark.parametrize("name", FORMATS)
def test_many_values_are_forgotten_and_written_again(name: str) -> None:
    write = made(name)
    first: Event = ALERT._replace(data=b'{"ssid":"0"}')
    before = write(first, NAMES)
    for number in range(10_000):
        write(ALERT._replace(data=b'{"ssid":"%d"}' % number), NAMES)
    assert write(first, NAMES) == before
