"""What a table of sinks says below itself: what is wrong now, and nothing of what was."""

from typing import Any

import pytest

from eventgate.cli.sinks import troubles

ERROR = "cannot connect to siem.example:514"


def sink(state: str, error: str | None = None, *alarms: tuple[str, str]) -> dict[str, Any]:
    return {
        "state": state,
        "lastError": error,
        "alarms": [{"code": code, "detail": detail, "since": "2026-11-20T14:00:00.000Z"} for code, detail in alarms],
    }


@pytest.mark.parametrize("state", ["retrying", "paused", "cursor-lost"])
def test_the_last_error_of_one_that_does_not_run(state: str) -> None:
    assert troubles(sink(state, ERROR)) == [ERROR]


def test_the_last_error_of_one_that_runs_again_is_the_past() -> None:
    assert troubles(sink("running", ERROR)) == []


def test_alarms_and_an_error_that_one_tells_already_once() -> None:
    assert troubles(sink("running", ERROR, ("EG-SINK-UNBALANCED", "3 events too many"))) == [
        "EG-SINK-UNBALANCED: 3 events too many"
    ]
    failing = ("EG-SINK-FAILING", f"nothing was delivered for 5 minutes: {ERROR}")
    assert troubles(sink("retrying", ERROR, failing)) == [f"EG-SINK-FAILING: {failing[1]}"]
