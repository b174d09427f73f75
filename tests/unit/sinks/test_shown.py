"""What differs between two definitions, and that no secret shows in what people see of one."""

from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from eventgate.sinks.definition import SinkDefinition
from eventgate.sinks.shown import changed, members, shown

COMPANY = UUID("0192f000-0000-7000-8000-000000000001")


def defined(**options: Any) -> SinkDefinition:
    return SinkDefinition("siem", "kafka", "json", ("severity·>·5",), COMPANY, options)


def test_a_definition_differs_from_itself_in_nothing() -> None:
    one = defined(brokers=["b:9092"], path=Path("x"), password="hush", nested={"a": {"b": [1, 2]}})
    assert changed(members(one), one) == []
    assert changed(orjson.loads(orjson.dumps(shown(one))), one) == []


@pytest.mark.parametrize("tell", [members, shown])
@pytest.mark.parametrize(
    ("before", "after", "keys"),
    [
        ({"topic": "a"}, {"topic": "b"}, ["topic"]),
        ({"topic": "a"}, {}, ["topic"]),
        ({}, {"topic": "a"}, ["topic"]),
        ({"password": "a"}, {"password": "b"}, ["password"]),
        ({"password": "a"}, {}, ["password"]),
        ({}, {"password": "a"}, ["password"]),
        ({"headers": {"Authorization": "a"}}, {"headers": {"Authorization": "b"}}, ["headers"]),
        ({"proxy": "http://u:p@proxy"}, {"proxy": "http://u:q@proxy"}, ["proxy"]),
        ({"b": 1, "a": 1}, {"b": 2, "a": 2}, ["a", "b"]),
    ],
)
def test_it_names_the_keys_that_differ(tell: Any, before: dict, after: dict, keys: list[str]) -> None:
    assert changed(tell(defined(**before)), defined(**after)) == keys


def test_format_filter_company_and_transport_are_keys_too() -> None:
    other = SinkDefinition("siem", "relp", "cef", (), None, {})
    assert changed(members(defined()), other) == ["company", "filter", "format", "transport"]


@pytest.mark.parametrize(
    "options",
    [
        {"password": "hush-hush"},
        {"token": "hush-hush"},
        {"api_key": "hush-hush"},
        {"url": "https://siem.example/hook?code=hush-hush"},
        {"webhook_secret": "hush-hush"},
        {"headers": {"Authorization": "hush-hush"}},
        {"url": "https://me:hush-hush@siem.example/"},
    ],
)
def test_no_secret_shows(options: dict[str, Any]) -> None:
    assert b"hush-hush" not in orjson.dumps(shown(defined(**options)))


def test_the_file_of_a_secret_is_none() -> None:
    assert shown(defined(password_file="/etc/p"))["password_file"] == "/etc/p"


def test_one_secret_is_never_veiled_twice_alike() -> None:
    assert shown(defined(password="x"))["password"] != shown(defined(password="x"))["password"]
