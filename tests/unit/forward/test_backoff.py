"""Backoff grows, is bounded, and is never in step."""

from itertools import pairwise

from eventgate.forward.backoff import Backoff


def test_it_doubles_up_to_its_longest_and_is_spread() -> None:
    backoff = Backoff(first=1, longest=8, seed=3)
    waits = [backoff.next() for _ in range(6)]
    for wait, ceiling in zip(waits, [1, 2, 4, 8, 8, 8], strict=True):
        assert ceiling / 2 <= wait <= ceiling
    assert all(one != other for one, other in pairwise(waits))


def test_after_a_success_it_begins_again() -> None:
    backoff = Backoff(first=1, longest=8, seed=3)
    for _ in range(5):
        backoff.next()
    backoff.reset()
    assert backoff.next() <= 1
