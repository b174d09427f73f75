"""Format json: every member, the sensor's data as it was sent, and the published schema tells the truth."""

import json
from pathlib import Path

import jsonschema
import pytest

from eventgate.event import Event, SensorNames
from eventgate.formats.json import SCHEMA, VERSION, Json
from tests.unit.formats.samples import ALERT, HOSTILE, HOSTILE_SSID, NAMES, SAMPLES

PUBLISHED = Path(__file__).parents[3] / "docs" / "schemas" / f"event-v{VERSION}.json"
encode = Json()


@pytest.mark.parametrize("event", SAMPLES.values(), ids=SAMPLES)
def test_the_schema_accepts_what_is_written_and_nothing_is_missing_from_it(event: Event) -> None:
    strict = {**SCHEMA, "additionalProperties": False}
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(encode(event, NAMES)), strict)
    jsonschema.validate(json.loads(encode(event, SensorNames("EG-0002", None))), strict)
    jsonschema.validate(json.loads(encode.replayed()(event, NAMES)), strict)
    assert SCHEMA["required"] == list(json.loads(encode(event, NAMES)))


def test_the_published_schema_is_this_one() -> None:
    assert json.loads(PUBLISHED.read_text("utf-8")) == SCHEMA
    assert SCHEMA["$id"].endswith(f":{VERSION}")
    assert json.loads(encode(ALERT, NAMES))["schemaVersion"] == VERSION


def test_a_line_is_one_line_whatever_the_sensor_sent() -> None:
    assert json.loads(encode(HOSTILE, NAMES))["data"] == {"ssid": HOSTILE_SSID, "n": 100}


def test_numbers_of_data_keep_their_digits() -> None:
    assert b'"frames":1.50}' in encode(ALERT, NAMES)


def test_members_are_renamed_and_added() -> None:
    own = Json(rename={"alertCode": "signature"}, extra={"environment": "prod", "site": 3})
    read = json.loads(own(ALERT, NAMES))
    assert read["signature"] == "DEAUTHFLOOD"
    assert "alertCode" not in read
    assert (read["environment"], read["site"]) == ("prod", 3)
