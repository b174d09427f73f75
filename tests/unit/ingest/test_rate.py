"""Rates: one second's worth at once, then as many as time brings."""

from uuid import UUID

import pytest

from eventgate.clock import ManualClock
from eventgate.errors import CallerError
from eventgate.ingest.rate import RateLimits

KEY, OTHER = UUID(int=1), UUID(int=2)


def test_a_seconds_worth_then_429() -> None:
    clock = ManualClock()
    rates = RateLimits(clock)
    for _ in range(3):
        rates.spend(KEY, 3)
    with pytest.raises(CallerError) as caught:
        rates.spend(KEY, 3)
    assert (caught.value.status, caught.value.code) == (429, "rate-limited")
    assert caught.value.headers == {
        "Retry-After": "1",
        "RateLimit-Policy": '"key";q=3;w=1',
        "RateLimit": '"key";r=0;t=1',
    }
    rates.spend(OTHER, 3)


def test_time_fills_the_bucket_and_not_beyond_its_brim() -> None:
    clock = ManualClock()
    rates = RateLimits(clock)
    rates.spend(KEY, 2)
    rates.spend(KEY, 2)
    clock.advance(0.5)
    rates.spend(KEY, 2)
    with pytest.raises(CallerError):
        rates.spend(KEY, 2)
    clock.advance(60)
    rates.spend(KEY, 2)
    rates.spend(KEY, 2)
    with pytest.raises(CallerError):
        rates.spend(KEY, 2)


def test_refused_writes_cost_nothing() -> None:
    clock = ManualClock()
    rates = RateLimits(clock)
    rates.spend(KEY, 1)
    for _ in range(10):
        clock.advance(0.09)
        with pytest.raises(CallerError):
            rates.spend(KEY, 1)
    clock.advance(0.11)
    rates.spend(KEY, 1)
