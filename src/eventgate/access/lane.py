"""Questions to the database that wait in line and are asked together: one query at a time, for all that wait.

Pure but for the query it is given. However many ask, a lane holds one connection, and the next query answers them all.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

from eventgate.errors import Unavailable

Q = TypeVar("Q")
A = TypeVar("A")


class Lane(Generic[Q, A]):
    """``ask_all`` answers many questions by one query; what it leaves out has no answer.

    ``together`` are asked at once, and ``most`` may wait; whoever comes then is told to come back.
    """

    def __init__(self, ask_all: Callable[[Sequence[Q]], Awaitable[Mapping[Q, A]]], *, together: int, most: int) -> None:
        self._ask_all = ask_all
        self._together = together
        self._most = most
        self._waiting: dict[Q, asyncio.Future[A | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A | None:
        """The answer as the database has it at some moment after this call; None where there is none.

        Raises Unavailable: ``busy`` where too many wait, or what the query raised.
        """
        waiting = self._waiting.get(question)
        if waiting is None:
            if len(self._waiting) >= self._most:
                raise Unavailable("busy", "Too many unknown credentials are being looked up; nothing was stored.")
            waiting = self._waiting[question] = asyncio.get_running_loop().create_future()
            if self._task is None:
                self._task = asyncio.create_task(self._work(), name="look up credentials")
        return await asyncio.shield(waiting)  # a caller that goes away takes nobody along

    async def _work(self) -> None:
        try:
            while self._waiting:
                # What is asked from now on waits for the next query: this one may have looked already.
                asked = dict(islice(self._waiting.items(), self._together))
                for question in asked:
                    del self._waiting[question]
                await self._answer(asked)
        finally:
            self._task = None

    async def _answer(self, asked: dict[Q, asyncio.Future[A | None]]) -> None:
        try:
            answers = await self._ask_all(list(asked))
        except Unavailable as error:
            for future in asked.values():
                future.set_exception(_copy(error))
        except BaseException:
            for future in asked.values():
                future.set_exception(Unavailable("storage-unavailable", "The credential could not be looked up."))
            raise
        else:
            for question, future in asked.items():
                future.set_result(answers.get(question))


def _copy(error: Unavailable) -> Unavailable:
    """One for each who waits, since each adds its own way to the traceback."""
    copy = Unavailable(error.code, error.detail, error.retry_after)
    copy.__cause__ = error.__cause__
    return copy
