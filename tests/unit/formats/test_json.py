"""Format json: one line, every member, the sensor's data as it was sent, and the schema tells the truth."""

import json
from pathlib import Path

import jsonschema
import pytest

from eventgate.event import Event, Origin, SensorNames
from eventgate.formats.json import SCHEMA, encode
from tests.unit.formats.samples import ALERT, HOSTILE, HOSTILE_SSID, NAMES, SIGHTING

VECTORS = Path(__file__).parents[2] / "vectors" / "json"
SAMPLES = {"alert": ALERT, "hostile": HOSTILE, "sighting": SIGHTING}


@pytest.mark.parametrize("name", SAMPLES)
def test_golden_bytes(name: str) -> None:
    assert encode(SAMPLES[name], NAMES) == (VECTORS / f"{name}.json").read_bytes().removesuffix(b"\n")


@pytest.mark.parametrize("event", SAMPLES.values(), ids=SAMPLES)
def test_the_schema_accepts_what_is_written_and_nothing_is_missing_from_it(event: Event) -> None:
    strict = {**SCHEMA, "additionalProperties": False}
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(encode(event, NAMES)), strict)
    jsonschema.validate(json.loads(encode(event, SensorNames("EG-0002", None))), strict)


def test_a_line_is_one_line_whatever_the_sensor_sent() -> None:
    line = encode(HOSTILE, NAMES)
    assert b"\n" not in line
    assert b"\r" not in line
    assert json.loads(line)["data"] == {"ssid": HOSTILE_SSID, "n": 100}


def test_numbers_of_data_keep_their_digits() -> None:
    assert b'"frames":1.50}' in encode(ALERT, NAMES)


def test_a_system_alert_says_so() -> None:
    assert json.loads(encode(ALERT._replace(origin=Origin.SYSTEM), NAMES))["origin"] == "system"
