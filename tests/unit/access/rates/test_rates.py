"""Rates: a second's worth at once, as many as the limit says in the long run, counted for all workers together."""

import errno
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from eventgate.access import Principal, Rates
from eventgate.clock import ManualClock
from eventgate.errors import CallerError

COMPANY = UUID(int=7)
CALLER = Principal(company=COMPANY, user=UUID(int=1), key=UUID(int=2), scopes=frozenset())

Worker = Callable[[], Rates]


@pytest.fixture
def clock() -> ManualClock:
    moved = ManualClock()
    moved.advance(1000)
    return moved


@pytest.fixture
def worker(tmp_path: Path, clock: ManualClock) -> Iterator[Worker]:
    """Makes one more worker on the same file."""
    made: list[Rates] = []

    def make() -> Rates:
        made.append(Rates(tmp_path / "rates", clock))
        return made[-1]

    yield make
    for rates in made:
        rates.close()


def _accepted(rates: Rates, caller: Principal, asked: int) -> int:
    accepted = 0
    for _ in range(asked):
        with suppress(CallerError):
            rates.spend(caller)
            accepted += 1
    return accepted


def test_a_seconds_worth_then_429(worker: Worker) -> None:
    rates, limited = worker(), replace(CALLER, rate_limit=3)
    left = [rates.spend(limited)["RateLimit"] for _ in range(3)]
    assert left == ['"key";r=2;t=1', '"key";r=1;t=1', '"key";r=0;t=1']
    with pytest.raises(CallerError) as caught:
        rates.spend(limited)
    assert (caught.value.status, caught.value.code) == (429, "rate-limited")
    assert caught.value.headers == {
        "Retry-After": "1",
        "RateLimit-Policy": '"key";q=3;w=1',
        "RateLimit": '"key";r=0;t=1',
    }
    rates.spend(replace(limited, key=UUID(int=3)))


def test_without_a_limit_nothing_is_counted(worker: Worker) -> None:
    rates = worker()
    assert [rates.spend(CALLER) for _ in range(1000)] == [{}] * 1000


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50, 400])
@pytest.mark.parametrize("asked_a_second", [1000, 970])
def test_who_always_wants_more_gets_the_limit(
    worker: Worker, clock: ManualClock, limit: int, asked_a_second: int
) -> None:
    """Over three workers, from the first second on."""
    workers, limited = [worker() for _ in range(3)], replace(CALLER, rate_limit=limit)
    accepted = 0
    for turn in range(5 * asked_a_second):
        accepted += _accepted(workers[turn % 3], limited, 1)
        clock.advance(1 / asked_a_second)
        seconds = (turn + 1) / asked_a_second
        if seconds >= 1:
            assert accepted <= limit * seconds + 1
    assert 5 * limit * 0.95 <= accepted


def test_who_knows_the_arithmetic_gains_one_seconds_worth_and_no_more(worker: Worker, clock: ManualClock) -> None:
    rates, limited = worker(), replace(CALLER, rate_limit=100)
    accepted = _accepted(rates, limited, 1)
    clock.advance(0.99)
    for _ in range(20):
        accepted += _accepted(rates, limited, 500)
        clock.advance(0.5)
    assert 950 <= accepted <= 1100


def test_after_a_rest_a_whole_seconds_worth_is_there(worker: Worker, clock: ManualClock) -> None:
    rates, limited = worker(), replace(CALLER, rate_limit=5)
    for _ in range(3):
        assert _accepted(rates, limited, 9) == 5
        clock.advance(2)


def test_refused_requests_cost_nothing(worker: Worker, clock: ManualClock) -> None:
    rates, limited = worker(), replace(CALLER, rate_limit=1)
    assert _accepted(rates, limited, 1) == 1
    for _ in range(10):
        clock.advance(0.09)
        assert _accepted(rates, limited, 10) == 0
    clock.advance(0.11)
    assert _accepted(rates, limited, 1) == 1


def test_a_company_bounds_its_credentials_together(worker: Worker) -> None:
    rates = worker()
    first = replace(CALLER, rate_limit=4, company_rate_limit=6)
    session = replace(CALLER, key=None, session=UUID(int=9), company_rate_limit=6)
    assert rates.spend(first) == {
        "RateLimit-Policy": '"key";q=4;w=1, "company";q=6;w=1',
        "RateLimit": '"key";r=3;t=1, "company";r=5;t=1',
    }
    assert _accepted(rates, first, 10) == 3
    assert _accepted(rates, session, 10) == 2
    with pytest.raises(CallerError, match="Your company may send 6 requests a second"):
        rates.spend(session)
    with pytest.raises(CallerError, match="Your company"):  # and the other key has not been charged for it
        rates.spend(replace(CALLER, key=UUID(int=3), rate_limit=1, company_rate_limit=6))
    assert rates.spend(replace(CALLER, key=UUID(int=3), rate_limit=1))["RateLimit"] == '"key";r=0;t=1'


def test_another_limit_holds_at_once(worker: Worker, clock: ManualClock) -> None:
    rates = worker()
    assert _accepted(rates, replace(CALLER, rate_limit=100), 200) == 100
    with pytest.raises(CallerError) as caught:
        rates.spend(replace(CALLER, rate_limit=1))
    clock.advance(float(caught.value.headers["Retry-After"]))
    assert _accepted(rates, replace(CALLER, rate_limit=1), 5) == 1
    assert _accepted(rates, replace(CALLER, rate_limit=50), 90) == 49


def test_a_clock_that_began_anew_is_no_debt(tmp_path: Path, clock: ManualClock) -> None:
    limited = replace(CALLER, rate_limit=3)
    for moved in (clock, ManualClock()):
        rates = Rates(tmp_path / "rates", moved)
        assert _accepted(rates, limited, 9) == 3
        rates.close()


def test_thousands_of_callers_each_have_their_own_count(worker: Worker) -> None:
    rates = worker()
    callers = [replace(CALLER, key=uuid4(), rate_limit=2) for _ in range(1000)]
    assert sum(_accepted(rates, caller, 1) for caller in callers) == 1000
    assert sum(_accepted(rates, caller, 2) for caller in callers) == 1000


def test_more_callers_than_there_is_room_for_are_still_answered(worker: Worker) -> None:
    rates = worker()
    for _ in range(30_000):
        rates.spend(replace(CALLER, key=uuid4(), rate_limit=1))


def test_on_a_full_disk_each_worker_counts_for_itself(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    limited = replace(CALLER, rate_limit=3)
    assert [_accepted(worker(), limited, 9) for _ in range(2)] == [3, 3]


def test_no_hole_of_the_file_is_left_for_a_full_disk(worker: Worker, tmp_path: Path) -> None:
    worker()
    found = (tmp_path / "rates").stat()
    assert found.st_blocks * 512 >= found.st_size
