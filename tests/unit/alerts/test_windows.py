"""Windows are taken in order, without a gap, and finer where one took too long."""

from itertools import pairwise
from uuid import UUID

import pytest

from eventgate.alerts.windows import Window, Windows


def a_window(low: int, high: int) -> Window:
    return Window(UUID(int=low), UUID(int=high))


@pytest.mark.parametrize("newest_first", [True, False])
def test_windows_come_in_order(newest_first: bool) -> None:
    windows = Windows([a_window(10, 20), a_window(0, 10)], newest_first=newest_first, together=False)
    taken = [windows.take(), windows.take()]
    assert taken == sorted(taken, reverse=newest_first)
    assert not windows


@pytest.mark.parametrize("newest_first", [True, False])
def test_after_one_that_took_too_long_all_are_finer_and_nothing_is_left_out(newest_first: bool) -> None:
    windows = Windows([a_window(0, 80), a_window(80, 160)], newest_first=newest_first)
    windows.took_too_long(windows.take())
    taken = []
    while windows:
        taken.append(windows.take())
    assert max(window.width for window in taken) == 20
    assert taken == sorted(taken, reverse=newest_first)
    covered = sorted(taken)
    assert (covered[0].low, covered[-1].high) == (UUID(int=0), UUID(int=160))
    assert all(one.high == other.low for one, other in pairwise(covered))


@pytest.mark.parametrize("newest_first", [True, False])
def test_quick_ones_are_taken_together_and_slow_ones_apart(newest_first: bool) -> None:
    windows = Windows([a_window(n, n + 1) for n in range(100)], newest_first=newest_first)
    widths = []
    for seconds in (0.001, 0.001, 0.001, 0.05, 0.5, 0.5, 0.5, 0.5, 0.5, 0.001):
        widths.append(windows.take().width)
        windows.took(seconds)
    assert widths == [4, 8, 16, 16, 16, 8, 4, 2, 1, 1]
