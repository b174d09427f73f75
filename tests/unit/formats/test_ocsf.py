"""Format ocsf is valid against OCSF's own closed schema, in every version that has all that it uses."""

import json
from functools import cache

import jsonschema
import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from eventgate.event import Event
from eventgate.formats.ocsf import VERSION
from tests.unit.formats.every import made
from tests.unit.formats.samples import FULL, NAMES, SAMPLES

EVENTS = {**SAMPLES, "full": FULL}


@cache
def validator(version: str) -> jsonschema.Draft202012Validator:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version)).get_class_schema("detection_finding")
    assert schema["additionalProperties"] is False
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("version", [VERSION, "1.5.0", "1.8.0"])
@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_it_is_valid(event: Event, version: str) -> None:
    format_ = made("ocsf", extra={"environment": "prod"})
    again = json.loads(format_.replayed()(event, NAMES))
    assert [error.message for error in validator(version).iter_errors(again)] == []
    written = json.loads(format_(event, NAMES))
    assert written["metadata"]["version"] == VERSION
    assert [error.message for error in validator(version).iter_errors(written)] == []


@pytest.mark.parametrize(("ours", "theirs"), [(10, 5), (9, 4), (8, 4), (7, 3), (6, 3), (5, 2), (3, 2), (2, 1), (0, 1)])
def test_severities(ours: int, theirs: int) -> None:
    assert json.loads(made("ocsf")(FULL._replace(severity=ours), NAMES))["severity_id"] == theirs
