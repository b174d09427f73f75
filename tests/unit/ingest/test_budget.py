"""The byte budget: charged before reading, given back whatever happens."""

import asyncio

import pytest

from eventgate.errors import Unavailable
from eventgate.ingest.budget import ByteBudget
from eventgate.ingest.workspace import GROWTH, Workspace


def test_what_is_charged_comes_back() -> None:
    budget = ByteBudget(100, Workspace(1 << 30))
    with budget.charge() as charge:
        charge.add(60)
        charge.add(40)
        assert budget.left == 0
    assert budget.left == 100


def test_beyond_the_budget_nothing_is_charged() -> None:
    budget = ByteBudget(100, Workspace(1 << 30))
    with budget.charge() as first, budget.charge() as second:
        first.add(60)
        with pytest.raises(Unavailable) as caught:
            second.add(41)
        assert (caught.value.code, caught.value.retry_after) == ("busy", 1)
        second.add(40)
    assert budget.left == 100


def test_an_error_gives_back_too() -> None:
    budget = ByteBudget(100, Workspace(1 << 30))

    def fail() -> None:
        with budget.charge() as charge:
            charge.add(60)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert budget.left == 100


async def test_room_to_work_is_given_back_with_the_charge() -> None:
    workspace = Workspace(10 * GROWTH)
    with ByteBudget(100, workspace).charge() as charge:
        await charge.work(10)
    async with asyncio.timeout(1):
        await workspace.enter(10)
