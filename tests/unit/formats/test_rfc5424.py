"""Format rfc5424, read back by a strict parser of the RFC's grammar (section 6)."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventgate.event import Event, Origin, SensorNames
from eventgate.formats.rfc5424 import Rfc5424
from tests.unit.formats.samples import ALERT, HOSTILE, NAMES, SIGHTING
from tests.unit.formats.strict_rfc5424 import parse

VECTORS = Path(__file__).parents[2] / "vectors" / "rfc5424"
SAMPLES = {"alert": ALERT, "hostile": HOSTILE, "sighting": SIGHTING}


@pytest.mark.parametrize("name", SAMPLES)
def test_golden_bytes(name: str) -> None:
    assert Rfc5424()(SAMPLES[name], NAMES) == (VECTORS / f"{name}.txt").read_bytes().removesuffix(b"\n")


def test_fields_of_an_alert() -> None:
    header, params = parse(Rfc5424()(ALERT, NAMES))
    assert header["pri"] == str(16 * 8 + 2)
    assert header["timestamp"] == "2025-11-21T12:00:00.123Z"
    assert header["host"] == "EG-0001"
    assert header["app"] == "eventgate"
    assert header["msgid"] == "DEAUTHFLOOD"
    assert header["message"] == ALERT.message
    assert params["id"] == str(ALERT.id)
    assert params["edgeName"] == "Lobby, 2nd floor"
    assert params["data"] == ALERT.data.decode()
    assert params["sequence"] == "17"


@pytest.mark.parametrize(
    ("ours", "syslog"), [(10, 1), (9, 2), (8, 2), (7, 3), (6, 4), (5, 5), (4, 5), (3, 5), (2, 6), (1, 6), (0, 6)]
)
def test_severities(ours: int, syslog: int) -> None:
    header, _ = parse(Rfc5424(facility=4)(ALERT._replace(severity=ours), NAMES))
    assert int(header["pri"]) == 4 * 8 + syslog


def test_hostile_text_forges_nothing() -> None:
    message = Rfc5424()(HOSTILE, NAMES)
    assert b"\n" not in message
    assert b"\x00" not in message
    header, params = parse(message)
    assert header["msgid"] == 'X"]__[x@1_y="z'
    assert params["alertCode"] == 'X"] \u240a[x@1 y="z'
    assert json.loads(params["data"]) == json.loads(HOSTILE.data)
    assert header["message"].startswith("\ufeff\u2400 caf\u00e9 \u240a<34>1")


def test_long_data_is_named_by_its_length() -> None:
    _, params = parse(Rfc5424(data_octets=10)(ALERT, NAMES))
    assert params["dataOctets"] == str(len(ALERT.data))
    assert "data" not in params


def test_a_sighting_has_its_kind_for_a_message_id_and_no_message() -> None:
    header, params = parse(Rfc5424()(SIGHTING._replace(origin=Origin.SYSTEM), SensorNames("EG-0002", None)))
    assert header["msgid"] == "sighting"
    assert header["message"] is None
    assert params["origin"] == "system"
    assert "edgeName" not in params


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(code=_TEXT, message=_TEXT, serial=_TEXT.filter(bool), name=_TEXT, event_id=_TEXT)
def test_any_text_at_all_stays_inside_its_field(code: str, message: str, serial: str, name: str, event_id: str) -> None:
    event: Event = ALERT._replace(code=code, message=message, event_id=event_id)
    written = Rfc5424()(event, SensorNames(serial, name))
    _, params = parse(written)
    assert set(params) >= {"id", "alertCode", "eventId", "edgeName", "serial", "data"}
    assert not re.search(rb"[\x00-\x1f\x7f]", written)
