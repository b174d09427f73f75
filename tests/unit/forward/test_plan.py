"""A sink's definition is checked whole: every mistake at once, each with its key and what would have been right."""

import re
from pathlib import Path
from uuid import UUID

import pytest

from eventgate.errors import ConfigurationError
from eventgate.event import Origin
from eventgate.forward.plan import FORMAT_KEYS, TRANSPORTS, plan
from eventgate.sinks.definition import SinkDefinition
from eventgate.sinks.shown import shown
from tests.unit.formats.samples import ALERT, NAMES


def mistakes(transport: str, format_: str = "json", filters: tuple[str, ...] = (), **options: object) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        plan(SinkDefinition("siem", transport, format_, filters, options=options), "gate.toml")
    return {problem.pointer.removeprefix("sinks.siem."): problem.detail for problem in caught.value.problems}


def test_a_good_one_wants_and_writes_what_it_says() -> None:
    definition = SinkDefinition("siem", "udp", "rfc5424", ("severity\u00b7>\u00b75",), options={"address": "h:514"})
    made = plan(definition, "gate.toml")
    assert made.guarantee == "best effort"
    assert made.wants(ALERT, NAMES)
    assert not made.wants(ALERT._replace(severity=5), NAMES)
    assert made.encode(ALERT, NAMES).startswith(b"<130>1 ")


def test_a_system_alert_about_a_sink_goes_to_every_other_one() -> None:
    alert = ALERT._replace(origin=Origin.SYSTEM, data=b'{"sink":"siem"}')
    assert not plan(SinkDefinition("siem", "udp", options={"address": "h:514"}), "gate.toml").wants(alert, NAMES)
    assert plan(SinkDefinition("other", "udp", options={"address": "h:514"}), "gate.toml").wants(alert, NAMES)
    forged = ALERT._replace(data=b'{"sink":"siem"}')  # a sensor may say what it likes, and hides nothing by it
    assert plan(SinkDefinition("siem", "udp", options={"address": "h:514"}), "gate.toml").wants(forged, NAMES)


def test_a_company_s_sink_wants_its_own_events_alone() -> None:
    definition = SinkDefinition("siem", "udp", company=ALERT.company, options={"address": "h:514"})
    wants = plan(definition, "gate.toml").wants
    assert wants(ALERT, NAMES)
    assert not wants(ALERT._replace(company=UUID(int=7)), NAMES)


def test_the_keys_of_the_format_stand_beside_those_of_the_transport() -> None:
    definition = SinkDefinition("siem", "udp", "rfc5424", options={"address": "h:514", "facility": 4})
    assert plan(definition, "gate.toml").encode(ALERT, NAMES).startswith(b"<34>1 ")


def test_every_mistake_at_once() -> None:
    found = mistakes("tcp", "morse", ("severity>5",), addres="h:1", timeout_seconds=-1)
    assert found["format"] == "expected one of cef, ecs, json, leef, ocsf, rfc3164, rfc5424, found 'morse'"
    assert found["addres"] == "there is no such key; did you mean address?"
    assert found["address"] == "expected a value, found none"
    assert "greater than 0" in found["timeout_seconds"]
    assert "filter[0]" in found


def test_an_unknown_transport_names_those_there_are() -> None:
    assert mistakes("carrier-pigeon")["transport"] == (
        "expected one of bulk, file, hec, kafka, relp, tcp, tls, udp, webhook, found 'carrier-pigeon'"
    )


@pytest.mark.parametrize("address", ["h", "h:", ":514", "h:port", "::1:514", "h:123456", "h:0", "h:65536", "h:1\n"])
def test_an_address_needs_host_and_port(address: str) -> None:
    said = mistakes("udp", address=address)["address"]
    assert said.startswith("expected a host and a port of 1 to 65535")
    assert said.endswith(f"found {address!r}")


@pytest.mark.parametrize(
    ("transport", "options", "said"),
    [
        ("kafka", {"topic": "two words", "brokers": ["h:1"]}, "found 'two words'"),
        ("kafka", {"topic": "t", "brokers": "h:1"}, "expected a list, found 'h:1'"),
        ("udp", {"address": "h:1", "facility": 24}, "found 24"),
        ("udp", {"address": "h:1", "app_nam": "x"}, "did you mean app_name?"),
    ],
)
def test_what_came_and_what_was_meant(transport: str, options: dict[str, object], said: str) -> None:
    assert any(detail.endswith(said) for detail in mistakes(transport, **options).values())


@pytest.mark.parametrize("key", ["token", "tokn", "url", "proxy"])
def test_what_may_hold_a_secret_is_not_repeated(key: str) -> None:
    found = mistakes("hec", **{"url": "https://siem.example", "token": "t", key: "hunter2 "})
    assert found
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize("facility", [-1, 24, "auth"])
def test_a_facility_is_a_number_of_syslog(facility: object) -> None:
    assert "facility" in mistakes("udp", "rfc5424", address="h:1", facility=facility)


def test_a_certificate_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    (detail,) = mistakes("tls", address="h:1", ca_file=str(tmp_path / "ca.pem")).values()
    assert "ca.pem" in detail


def test_a_certificate_without_its_key() -> None:
    assert any("belong together" in detail for detail in mistakes("tls", address="h:1", certificate_file="c").values())


@pytest.mark.parametrize("key", ["ca_file", "server_name"])
def test_certificates_for_relp_in_the_clear_are_a_mistake(key: str) -> None:
    assert any("need tls = true" in detail for detail in mistakes("relp", address="h:1", **{key: "c"}).values())


@pytest.mark.parametrize("name", ["rfc5424", "rfc3164"])
def test_what_is_syslog_already_gets_no_other_header(name: str) -> None:
    assert mistakes("tcp", name, address="h:1", header="none") == {"header": f"{name} has a syslog header of its own"}


CONFIGURATION = Path(__file__).parents[3] / "config" / "eventgate.toml"


def test_the_configuration_file_documents_every_key_of_every_transport_and_format() -> None:
    sinks = CONFIGURATION.read_text("utf-8").partition("# [[sinks]]")[2].partition("[[oauth2")[0]
    known = {name for kind in TRANSPORTS.values() for name in kind.settings.model_fields}
    known |= {name for keys in FORMAT_KEYS.values() for name in keys}
    documented = set(re.findall(r"^# ([a-z_]+) = ", sinks, re.MULTILINE))
    assert known - documented == {"password", "token", "api_key"}  # named beside their files
    assert documented - known == set(SinkDefinition.__dataclass_fields__) - {"options", "filters"} | {"filter"}


@pytest.mark.parametrize("transport", sorted(TRANSPORTS))
def test_what_a_transport_keeps_secret_is_veiled_where_definitions_are_shown(transport: str) -> None:
    fields = TRANSPORTS[transport].settings.model_fields
    secret = [name for name, field in fields.items() if not field.repr]
    told = shown(SinkDefinition("out", transport, options=dict.fromkeys(fields, "hush-hush")))
    assert [name for name in secret if told[name] == "hush-hush"] == []
