"""A lane: one query at a time, shared by all who wait, and never a crowd."""

import asyncio

import pytest

from eventgate.access.lane import Lane
from eventgate.errors import Unavailable


class Database:
    """Answers when it is told to."""

    def __init__(self):
        self.asked = []
        self.answering = asyncio.Event()
        self.wrong = None

    async def ask_all(self, questions):
        self.asked.append(list(questions))
        await self.answering.wait()
        if self.wrong is not None:
            raise self.wrong
        return {question: question * 10 for question in questions if question != 13}


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_who_wait_share_the_next_query():
    database = Database()
    lane = Lane(database.ask_all, together=3, most=100)
    first = asyncio.create_task(lane.ask(1))
    await settle()
    others = [asyncio.create_task(lane.ask(question)) for question in (2, 2, 3, 4, 13)]
    await settle()
    assert database.asked == [[1]]
    database.answering.set()
    assert await first == 10
    assert await asyncio.gather(*others) == [20, 20, 30, 40, None]
    assert database.asked == [[1], [2, 3, 4], [13]]


async def test_a_question_asked_while_it_is_being_answered_is_asked_again():
    """What the query under way has read may be older than the change that the caller knows of."""
    database = Database()
    lane = Lane(database.ask_all, together=3, most=100)
    asked = [asyncio.create_task(lane.ask(1))]
    await settle()
    asked.append(asyncio.create_task(lane.ask(1)))
    await settle()
    database.answering.set()
    assert await asyncio.gather(*asked) == [10, 10]
    assert database.asked == [[1], [1]]


async def test_a_crowd_is_told_to_come_back():
    database = Database()
    lane = Lane(database.ask_all, together=2, most=2)
    waiting = [asyncio.create_task(lane.ask(question)) for question in (1, 2)]
    await settle()
    waiting += [asyncio.create_task(lane.ask(question)) for question in (3, 4)]
    await settle()
    with pytest.raises(Unavailable) as caught:
        await lane.ask(5)
    assert caught.value.code == "busy"
    database.answering.set()
    assert await asyncio.gather(*waiting) == [10, 20, 30, 40]


async def test_a_failure_is_everybodys_own_and_the_lane_goes_on():
    database = Database()
    database.wrong = Unavailable("storage-unavailable", "away")
    database.answering.set()
    lane = Lane(database.ask_all, together=5, most=5)
    failures = await asyncio.gather(*(lane.ask(question) for question in (1, 2)), return_exceptions=True)
    assert [failure.code for failure in failures] == ["storage-unavailable"] * 2
    assert failures[0] is not failures[1]
    database.wrong = None
    assert await lane.ask(1) == 10


async def test_a_caller_that_goes_away_takes_nobody_along():
    database = Database()
    lane = Lane(database.ask_all, together=5, most=5)
    leaving, staying = asyncio.create_task(lane.ask(1)), asyncio.create_task(lane.ask(1))
    await settle()
    leaving.cancel()
    await settle()
    database.answering.set()
    assert await staying == 10
