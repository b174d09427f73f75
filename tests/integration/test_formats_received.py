"""What real syslog daemons make of every format: they parse the fields that are meant, whatever a stranger wrote."""

import re
from typing import Any

import orjson
import pytest

from eventgate.event import Event
from eventgate.forward.formats import FORMATS
from eventgate.forward.plan import plan
from eventgate.forward.transports import Outgoing, Window
from eventgate.forward.transports.stream import SyslogStream, TcpSettings
from eventgate.ids import uuid7
from eventgate.journal.cursors import START, Cursor
from eventgate.sinks.definition import SinkDefinition
from tests.services.rsyslog import Rsyslog
from tests.services.syslog_receiver import SyslogReceiver
from tests.services.syslogng import SyslogNg
from tests.unit.formats.readers import READERS
from tests.unit.formats.samples import FULL, NAMES
from tests.unit.formats.strict_rfc5424 import params_of
from tests.unit.formats.test_hostile import FORGERIES


def hostile() -> list[Event]:
    """One event for each forgery, in every place that a stranger can write to."""
    events = []
    for number, text in enumerate(FORGERIES):
        data = FULL.data.replace(b'"Corp Guest"', orjson.dumps(text))
        uid = uuid7(FULL.timestamp, bytes([number]) * 10)
        events.append(FULL._replace(id=uid, code=text, message=text, event_id=text, data=data))
    return events


async def received(receiver: SyslogReceiver, name: str, events: list[Event], **options: Any) -> list[dict[str, Any]]:
    address = f"127.0.0.1:{receiver.ports['tcp']}"
    made = plan(SinkDefinition("siem", "tcp", name, options={"address": address, **options}), "test")
    transport = SyslogStream(TcpSettings(address=address))
    await transport.open(START)
    before = len(receiver.received())
    outgoing = [Outgoing(each, NAMES, Cursor(1, n), made.encode(each, NAMES)) for n, each in enumerate(events)]
    await transport.deliver(Window(outgoing, START))
    await transport.close()
    return (await receiver.wait_for(before + len(events)))[before:]


async def test_rsyslog_reads_every_format_as_it_is_meant(rsyslog: Rsyslog) -> None:
    events = hostile()
    for name in FORMATS:
        lines = await received(rsyslog, name, events, **({"max_octets": 8192} if name == "rfc3164" else {}))
        assert len(lines) == len(events)
        for event, line in zip(events, lines, strict=True):
            assert line["pri"] == "130"
            assert line["hostname"] == "EG-0001", (name, line)
            assert _id_in(name, line["raw"]) == str(event.id)
            if name == "rfc3164":
                assert line["app_name"] == "eventgate"
                assert line["message"].startswith(f' id="{event.id}" timestamp="')
            if name == "rfc5424":
                assert params_of(line["structured_data"])["id"] == str(event.id)
                assert params_of(line["structured_data"]).keys() == params_of(lines[0]["structured_data"]).keys()
            if name in ("cef", "leef"):
                assert line["app_name"] == name.upper()
                assert line["message"].startswith(("0|EventGate|EventGate|", "2.0|EventGate|EventGate|"))


@pytest.mark.parametrize("name", ["rfc5424", "cef", "leef", "json", "ocsf", "ecs"])
async def test_syslog_ng_reads_every_format_behind_the_newer_header(syslogng: SyslogNg, name: str) -> None:
    events = hostile()
    lines = await received(syslogng, name, events, **({} if name == "rfc5424" else {"header": "rfc5424"}))
    assert len(lines) == len(events)
    for event, line in zip(events, lines, strict=True):
        assert (line["pri"], line["hostname"], line["app_name"]) == ("130", "EG-0001", "eventgate")
        if name == "rfc5424":
            assert params_of(line["structured_data"])["id"] == str(event.id)
        else:
            read = READERS[name](line["message"].encode())
            assert str(event.id) in (
                read.get("externalId"),
                read.get("id"),
                read.get("event.id"),
                read.get("metadata.uid"),
            )


def _id_in(name: str, raw: str) -> str:
    """The id that a receiver finds that looks for it where the format has it: the first one that is there."""
    keys = {"cef": "externalId=", "leef": "externalId=", "rfc3164": 'id="', "rfc5424": 'id="', "ocsf": '"uid":"'}
    found = re.search(re.escape(keys.get(name, '"id":"')) + "([0-9a-f-]{36})", raw)
    assert found is not None, raw
    return found[1]
