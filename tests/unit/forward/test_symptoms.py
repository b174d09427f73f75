"""What is wrong with a sink, from one look to the next: each thing told while it lasts, and no longer."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from eventgate.forward.symptoms import QUIET_MS, Seen, recalled, seen, symptoms
from eventgate.journal.cursors import Cursor
from eventgate.sinks import alarms
from eventgate.sinks.definition import State
from eventgate.sinks.ledger import Ledger
from eventgate.sinks.store import SinkStatus

MINUTES = 60_000
MOMENT = datetime(2026, 11, 26, tzinfo=UTC)


def status(
    state: State = State.RUNNING, *, at: int = 1, expired: int = 0, pending: int = 0, lost: int = 0, **more: Any
) -> SinkStatus:
    stored = 10 + expired + pending + lost
    return SinkStatus(
        **{
            "name": "out", "company": None, "filters": (), "format": "json", "transport": "file",
            "guarantee": "confirmed", "state": state, "state_since": MOMENT, "last_error": "no answer",
            "failed_at": None, "next_attempt_at": None, "replay_events_per_second": 0, "cursor": Cursor(at, 0),
            "generation": 0, "own": None, "replay": None, "waiting_since": None, "own_since": None,
            "definition": {}, "alarms": (), "changed_hands": False, "configured": True,
            "ledger": Ledger(stored, 0, delivered=10, filtered=0, dead=0, expired=expired, pending=pending),
            **more,
        }
    )  # fmt: skip


def told(*looks: tuple[int, SinkStatus], known: tuple[str, ...] = ()) -> list[list[str]]:
    """The codes at each look; times in minutes."""
    memory: Seen | None = None
    found = []
    for minute, sink in looks:
        now = minute * MINUTES
        memory = seen(sink, memory or recalled(sink, 0, known, now), now)
        found.append([code for code, _ in symptoms(sink, memory, now, failing_after_ms=5 * MINUTES)])
    return found


def test_a_sink_that_does_its_work_has_nothing_wrong() -> None:
    assert told((0, status()), (9, status(at=2, pending=5)), (20, status(at=3))) == [[], [], []]


def test_failing_is_told_after_minutes_without_a_step_and_until_the_next() -> None:
    stuck, flapping = status(State.RETRYING, pending=3), status(pending=3)
    looks = [(0, stuck), (4, flapping), (5, stuck), (6, flapping), (7, status(at=2, pending=3))]
    assert told(*looks) == [[], [], [alarms.FAILING], [alarms.FAILING], []]


@pytest.mark.parametrize("state", [State.PAUSED, State.STOPPED])
def test_a_sink_that_is_meant_to_rest_does_not_fail(state: State) -> None:
    assert told((0, status(State.RETRYING)), (1, status(state)), (9, status(State.RETRYING))) == [[], [], []]


def test_a_sink_that_connects_again_and_has_nothing_to_do_is_well() -> None:
    assert told((0, status(State.RETRYING)), (6, status(State.RETRYING)), (7, status())) == [[], [alarms.FAILING], []]


def test_a_new_process_goes_on_with_what_was_told_before() -> None:
    starting = status(State.STARTING, pending=3)
    assert told((100, starting), known=(alarms.FAILING, alarms.EXPIRED)) == [[alarms.EXPIRED, alarms.FAILING]]
    assert told((100, starting)) == [[]]


def test_expiring_is_told_until_it_is_quiet() -> None:
    quiet = QUIET_MS // MINUTES
    looks = [(0, status()), (1, status(expired=2)), (5, status(expired=2)), (1 + quiet, status(expired=2))]
    assert told(*looks) == [[], [alarms.EXPIRED], [alarms.EXPIRED], []]


def test_each_ledger_that_does_not_balance_is_told() -> None:
    assert told((0, status(lost=1))) == [[alarms.UNBALANCED]]
    own = Ledger(5, 0, delivered=4, filtered=0, dead=0, expired=0, pending=0)
    assert told((0, status(own=own))) == [[alarms.UNBALANCED]]


def test_a_rest_that_the_receiver_wants_is_wrong_and_one_that_an_operator_wants_is_not() -> None:
    assert told((0, status(State.DISABLED))) == [[alarms.REFUSED]]
    assert told((0, status(State.PAUSED, failed_at=MOMENT))) == [[]]
    assert told((0, status(State.CURSOR_LOST))) == [[alarms.CURSOR_LOST]]


def test_a_company_hears_that_its_sink_does_not_balance_and_no_number_of_the_others() -> None:
    said = {}
    for company in (None, UUID(int=1)):
        sink = status(lost=3, company=company)
        memory = recalled(sink, 0, (), 0)
        ((code, said[company]),) = symptoms(sink, memory, 0, failing_after_ms=MINUTES)
        assert code == alarms.UNBALANCED
    assert "13 stored, but 0 before + 10 delivered" in said[None]
    assert said[UUID(int=1)] == "the ledger does not balance: 3 events are unaccounted for"


@pytest.mark.parametrize(
    ("minutes", "worded"),
    [
        (5, "5 minutes"),
        (0.01, "600 ms"),
        (0.5, "30 seconds"),
        (1, "60 seconds"),
        (2.5, "2.5 minutes"),
        (180, "3 hours"),
    ],
)
def test_how_long_nothing_was_delivered_is_said_in_a_unit_that_fits(minutes: float, worded: str) -> None:
    sink, after = status(State.RETRYING, pending=3), int(minutes * MINUTES)
    memory = seen(sink, recalled(sink, 0, (alarms.FAILING,), 0), 0)
    ((_, said),) = symptoms(sink, memory, after, failing_after_ms=after)
    assert said == f"nothing was delivered for {worded}: no answer"
