"""What a table of sinks says below itself: what is wrong now, and nothing of what was."""

from typing import Any

import pytest

from eventgate.cli.sinks import troubles

ERROR = "cannot connect to siem.example:514"


def sink(state: str, error: str | None = None, *alarms: tuple[str, str]) -> dict[str, Any]:
    return {
        "name": "out",
        "configured": True,
        "state": state,
        "lastError": error,
        "alarms": [{"code": code, "detail": detail, "since": "2026-11-20T14:00:00.000Z"} for code, detail in alarms],
    }


@pytest.mark.parametrize("state", ["retrying", "paused", "disabled", "cursor-lost"])
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


def test_what_a_removed_one_holds() -> None:
    removed = {**sink("stopped", ERROR), "configured": False, "lagEvents": 12_345, "lagSeconds": 3 * 86_400}
    ends = "`eventgate sinks forget out` ends that"
    assert troubles(removed) == [f"removed; it holds the journal's list of 12,345 events, the oldest 3.0 d old; {ends}"]
    assert "of events, the oldest" in troubles({**removed, "lagEvents": None})[0]
    assert troubles({**removed, "lagSeconds": 0}) == [
        f"removed; it holds the journal's list of what comes from now on; {ends}"
    ]
