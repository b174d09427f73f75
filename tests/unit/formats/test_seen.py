"""What a sensor saw: each member is looked for by every name, and an address is one in any notation."""

import json
from typing import Any

import pytest

from eventgate.formats.fields import SEEN, SeenType
from eventgate.formats.mac import with_colons, with_hyphens
from eventgate.formats.seen import Saw, seen_by


def _write(name: str, type_: SeenType) -> Any:
    before = f" {name}=".encode()
    return with_colons(before, b"") if type_ == "mac" else lambda value: before + str(value).encode()


def _seen(**data: Any) -> str:
    return b"".join(seen_by(_write)(json.dumps(data).encode())).decode()


def test_every_member_is_decoded_in_the_order_of_canonical_json() -> None:
    assert [*Saw.__struct_fields__] == sorted(member for field in SEEN.values() for member in field.members)


@pytest.mark.parametrize(("name", "member"), [(name, each) for name in SEEN for each in SEEN[name].members])
def test_every_member_is_found_by_every_name(name: str, member: str) -> None:
    value: Any = {"text": "a", "number": 6, "mac": "02:00:5e:10:00:01"}[SEEN[name].type]
    assert _seen(**{member: value}) == f" {name}={value}"


@pytest.mark.parametrize("wrong", [[1], {"a": 1}])
def test_an_array_is_no_field_and_spoils_no_other(wrong: Any) -> None:
    assert _seen(channel=wrong, bssid=wrong, ssid="a", rssi=-61) == " ssid=a rssi=-61"
    assert _seen(ssid=wrong, essid="a", rssi=7.0, signal=2**80, channel=6.5) == " rssi=7"


@pytest.mark.parametrize("text", ["02:00:5e:10:00:0a", "02-00-5E-10-00-0A", "02005e10000a", "02:00:5E:10:00:0a"])
def test_an_address_in_any_notation(text: str) -> None:
    assert with_colons(b"<", b">")(text) == b"<02:00:5e:10:00:0a>"
    assert with_colons(b"<", b"|", b">")(text) == b"<02:00:5e:10:00:0a|02:00:5e:10:00:0a>"
    assert with_hyphens(b"<", b">")(text) == b"<02-00-5E-10-00-0A>"


@pytest.mark.parametrize(
    "text",
    ["", "02:00:5e:10:00", "02:00:5e:10:00:0g", "02:00-5e:10:00:0a", "02:00:5e:10:00:0a ", "hh:hh:hh:hh:hh:hh",
     "AA:AA:xx:AA:AA:AA", "\u0660\u0660:00:5e:10:00:0a", 7, None, True, [], "02:00:5e:10:00:0a:0b"],
)  # fmt: skip
def test_what_is_no_address(text: Any) -> None:
    assert with_colons(b"<", b">")(text) == with_hyphens(b"<", b">")(text) == b""
