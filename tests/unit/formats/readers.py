"""One independent reader for each format: bytes become a flat mapping of the field table's keys to values.

CEF is read by cefp, JSON by the standard library. Of RFC 3164 and LEEF no parser is kept on PyPI; theirs are strict
ones from the published grammars: what a grammar forbids fails, rather than being guessed at.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import cefp

from tests.unit.formats.strict_rfc5424 import parse

_RFC3164 = re.compile(
    r"<(\d{1,3})>((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 123]\d \d\d:\d\d:\d\d)"
    r' ([A-Za-z0-9._-]{1,255}) ([A-Za-z0-9]{1,32}):((?: [!#-<>-\\^-~]{1,32}="(?:[^"\\]|\\["\\])*")*)'
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def text(line: bytes) -> str:
    """Every format's first promise: one line of UTF-8."""
    assert b"\n" not in line
    assert b"\r" not in line
    return line.decode()


def visible(line: bytes) -> str:
    """The promise of formats that people look at raw: nothing that is invisible or turns a line around."""
    shown = text(line)
    assert not _CONTROL.search(shown.replace("\t", "")), shown
    return shown


def rfc5424(line: bytes) -> Mapping[str, Any]:
    visible(line)
    header, params = parse(line)
    return {"MSG": header["message"], "TIMESTAMP": header["timestamp"], **params}


def rfc3164(line: bytes) -> Mapping[str, Any]:
    found = _RFC3164.fullmatch(visible(line))
    assert found is not None, line
    assert "\t" not in found[0]
    pairs = re.findall(r' ([^=]+)="((?:[^"\\]|\\["\\])*)"', found[5])
    assert len({key for key, _ in pairs}) == len(pairs)
    return {key: re.sub(r"\\(.)", r"\1", value) for key, value in pairs}


def cef(line: bytes) -> Mapping[str, Any]:
    """By cefp, which folds repeated keys; so they are counted beside it."""
    shown = visible(line)
    assert "\t" not in shown
    read = cefp.parse(shown)
    assert read["version"] == "0"
    device, extension = read["device"], read["extension"]
    assert len(re.findall(r"(?<!\\)(?:\\\\)*=", cefp.CEFParser.split(shown)[7])) == len(extension)
    labels = {extension.pop(key) for key in [*extension] if key.endswith("Label")}
    assert all(re.fullmatch(r"[A-Za-z0-9]+", key) for key in extension)
    return {
        "Device Event Class ID": device["event_class_id"],
        "Name": read["name"],
        "Severity": read["severity"],
        "(labels)": labels,
        "(header)": (device["vendor"], device["product"]),
        **extension,
    }


def leef(line: bytes) -> Mapping[str, Any]:
    """LEEF 1.0 and 2.0 as IBM's guide has it: ``|`` ends a header field, the delimiter an attribute, ``=`` a key."""
    shown = visible(line)
    version, vendor, product, _, event_id, rest = shown.split("|", 5)
    delimiter = "\t"
    if version == "LEEF:2.0":
        named, rest = rest.split("|", 1)
        delimiter = chr(int(named.lstrip("0x"), 16)) if len(named) > 1 else named
    else:
        assert version == "LEEF:1.0"
    attributes = [attribute.split("=", 1) for attribute in rest.split(delimiter)]
    assert all(re.fullmatch(r"[A-Za-z0-9_.]+", key) for key, _ in attributes)
    assert len({key for key, _ in attributes}) == len(attributes)
    return {"EventID": event_id, "(header)": (vendor, product), **dict(attributes)}


def _flat(value: Any, path: str = "") -> Mapping[str, Any]:
    """``{"a": {"b": 1}, "c": [{"d": 2}]}`` as ``{"a.b": 1, "c[].d": 2}``; what a sensor saw stays whole."""
    if isinstance(value, dict) and path.rpartition(".")[2] not in ("data", "labels"):
        return {k: v for key, each in value.items() for k, v in _flat(each, f"{path}.{key}" if path else key).items()}
    if isinstance(value, list) and len(value) == 1:
        return _flat(value[0], f"{path}[]")
    return {path: value}


def json_object(line: bytes) -> Mapping[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({key for key, _ in pairs}) == len(pairs), pairs
        return dict(pairs)

    return _flat(json.loads(text(line), object_pairs_hook=once))


READERS: Mapping[str, Callable[[bytes], Mapping[str, Any]]] = {
    "json": json_object,
    "ocsf": json_object,
    "ecs": json_object,
    "rfc5424": rfc5424,
    "rfc3164": rfc3164,
    "cef": cef,
    "leef": leef,
}
