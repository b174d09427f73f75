"""Log lines: whole whatever they quote, and without the local variables of what failed."""

import io
import json
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from eventgate.telemetry import configure_logging


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def _failing(style: Literal["json", "console"], words: str) -> str:
    stream = io.StringIO()
    configure_logging("info", style, stream)
    try:
        _fail(words, "local" * 2)
    except RuntimeError:
        structlog.get_logger().exception("request failed")
    return stream.getvalue()


def _fail(words: str, secret: str) -> None:
    assert secret
    raise RuntimeError(words)


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_failure_is_told_without_local_variables(style: Literal["json", "console"]) -> None:
    said = _failing(style, "it broke")
    assert "RuntimeError: it broke" in said
    assert "locallocal" not in said


def test_a_failure_that_quotes_no_text_is_still_one_line_of_json() -> None:
    said = _failing("json", "header \udcff")
    assert "RuntimeError: header" in json.loads(said)["exception"]
    assert said.count("\n") == 1
