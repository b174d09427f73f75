"""Which format goes over which transport, with which header, and what a sink may call its own."""

import pytest

from eventgate.formats import MEDIA
from eventgate.forward.formats import FORMAT_KEYS, FORMATS, REFUSED, encoder
from eventgate.forward.plan import plan
from eventgate.sinks.definition import SinkDefinition
from tests.unit.formats.samples import ALERT, NAMES
from tests.unit.forward.test_plan import mistakes

ADDRESS = {"address": "h:514"}
FILE = {"path": "events"}


def line(transport: str, format_: str, **options: object) -> bytes:
    definition = SinkDefinition("siem", transport, format_, options=options)
    return plan(definition, "gate.toml").encode(ALERT, NAMES)


def test_every_format_says_what_its_bytes_are() -> None:
    assert MEDIA.keys() == FORMATS.keys() == FORMAT_KEYS.keys()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls", "relp"])
@pytest.mark.parametrize("name", FORMATS)
def test_over_syslog_everything_is_a_syslog_message(transport: str, name: str) -> None:
    version = (
        b"<130>Nov 21 12:00:00 EG-0001 " if name in ("cef", "leef", "rfc3164") else b"<130>1 2025-11-21T12:00:00.123Z "
    )
    assert line(transport, name, **ADDRESS).startswith(version)


@pytest.mark.parametrize("name", FORMATS)
def test_in_a_file_there_is_no_header_but_a_format_s_own(name: str) -> None:
    assert line("file", name, **FILE).startswith(b"<") == name.startswith("rfc")


def test_the_header_can_be_chosen() -> None:
    cef = line("file", "cef", **FILE)
    assert cef.startswith(b"CEF:0|EventGate|EventGate|")
    assert b"|DEAUTHFLOOD|Deauthentication flood|8|" in cef
    assert line("relp", "cef", **ADDRESS) == b"<130>Nov 21 12:00:00 EG-0001 " + cef
    with_five = b"<34>1 2025-11-21T12:00:00.123Z EG-0001 gate - DEAUTHFLOOD - "
    assert line("tcp", "cef", header="rfc5424", facility=4, app_name="gate", **ADDRESS) == with_five + cef
    assert line("tcp", "cef", header="none", **ADDRESS) == cef
    assert line("udp", "json", header="none", **ADDRESS) == line("file", "json", **FILE)


def test_a_header_where_none_belongs_is_refused() -> None:
    found = mistakes("file", "cef", path="events", header="rfc5424")
    assert found == {"header": "a syslog header stands before cef over relp, tcp, tls, udp alone"}
    assert "header" in mistakes("udp", "cef", address="h:514", header="rfc1")
    assert "header" in mistakes("udp", "rfc3164", address="h:514", header="rfc5424")


def test_an_index_takes_documents_alone() -> None:
    found = []
    for name in FORMATS:
        encoder("bulk", name, {}, lambda build, options: build(**options), found.append)
    assert {each.detail.rpartition(" ")[2].strip("'") for each in found} == set(REFUSED["bulk"])
    assert found[0].detail == "an index takes JSON documents; expected one of ecs, json, ocsf, found 'rfc5424'"


@pytest.mark.parametrize(
    ("name", "options", "pointer", "says"),
    [
        ("json", {"rename": {"colour": "c"}}, "rename", "'colour' cannot be renamed"),
        ("json", {"rename": {"serial": "edgeName"}}, "rename", "two fields would be called 'edgeName'"),
        ("json", {"rename": {"serial": "schemaVersion"}}, "rename", "two fields would be called 'schemaVersion'"),
        ("json", {"extra": {"serial": "x"}}, "extra", "there is a field 'serial' already"),
        ("json", {"rename": {"serial": "sn"}, "extra": {"sn": "x"}}, "extra", "there is a field 'sn' already"),
        ("json", {"extra": {"a": [1]}}, "extra", ""),
        ("cef", {"rename": {"alertCode": "cs1"}}, "rename", "'alertCode' cannot be renamed"),
        ("cef", {"extra": {"a b": "x"}}, "extra", "expected a name of letters and digits, found 'a b'"),
        ("cef", {"extra": {"a=b": "x"}}, "extra", "expected a name"),
        ("cef", {"extra": {"cs1Label": "x"}}, "extra", "there is a field 'cs1Label' already"),
        ("cef", {"rename": {"serial": "cs1Label"}}, "rename", "two fields would be called 'cs1Label'"),
        ("leef", {"rename": {"timestamp": "devTimeFormat"}}, "rename", "two fields would be called"),
        ("leef", {"extra": {"a\tb": "x"}}, "extra", "expected a name"),
        ("leef", {"leef_version": "1.0", "delimiter": "^"}, "delimiter", "no delimiter but the tab"),
        ("leef", {"delimiter": "="}, "delimiter", "a tab or one of"),
        ("rfc5424", {"extra": {'a"b': "x"}}, "extra", "expected a name"),
        ("rfc3164", {"rename": {"id": "a]b"}}, "rename", "expected a name"),
        ("ocsf", {"rename": {"id": "uid"}}, "rename", "'id' cannot be renamed"),
        ("ecs", {"rename": {"alertCode": "signature"}}, "rename", "'alertCode' cannot be renamed"),
        ("ecs", {"extra": {"a.b": "x"}}, "extra", "expected a name"),
        *(
            (name, {"extra": {"replay": True}}, "extra", "there is a field 'replay' already")
            for name in ("json", "rfc5424", "rfc3164", "leef", "ocsf")
        ),
        ("cef", {"extra": {"flexNumber2": 0}}, "extra", "there is a field 'flexNumber2' already"),
        ("ecs", {"rename": {"origin": "replay"}}, "rename", "two fields would be called 'replay'"),
        ("rfc5424", {"rename": {"replay": "id"}}, "rename", "two fields would be called 'id'"),
        ("json", {"rename": {"replay": "again"}, "extra": {"again": 1}}, "extra", "there is a field 'again' already"),
        ("json", {"marked": True}, "marked", "there is no such key"),
        ("cef", {"data_octets": 4001}, "data_octets", "4000"),
        ("cef", {"catalogue": 1}, "catalogue", "there is no such key"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(
    name: str, options: dict[str, object], pointer: str, says: str
) -> None:
    found = mistakes("file", name, path="events", **options)
    assert any(key.startswith(pointer) for key in found), found
    assert any(says in detail for detail in found.values()), found


@pytest.mark.parametrize("transport", ["file", "tcp"])
@pytest.mark.parametrize("name", FORMATS)
def test_what_goes_again_differs_in_the_mark_alone(transport: str, name: str) -> None:
    where = FILE if transport == "file" else ADDRESS
    made = plan(SinkDefinition("siem", transport, name, options={"rename": {"replay": "again"}, **where}), "gate.toml")
    live, again = made.encode(ALERT, NAMES), made.encode_again(ALERT, NAMES)
    mark = next(form for form in (b',"again":true', b' again="true"', b" again=1", b"\tagain=true") if form in again)
    assert again.replace(mark, b"") == live


def test_a_renamed_custom_field_of_cef_takes_its_label_along() -> None:
    renamed = line(
        "file", "cef", path="events", rename={"eventId": "cs1", "ssid": "flexString2"}, extra={"environment": "a=b"}
    )
    assert b" cs1Label=eventId cs1=a-17" in renamed
    assert b" environment=a\\=b " in renamed
    assert b" signature=a-17" in line("file", "cef", path="events", rename={"eventId": "signature"})
