"""Work in the background: a task from when its owner is entered until it is left, and work that comes round for ever.

Touches asyncio's loop and the log.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, NoReturn, Self

import structlog

from eventgate.errors import Unavailable

_log = structlog.get_logger()


class Background(ABC):
    """An async context manager: ``_run`` goes on while it is entered. Leaving cancels it and waits until it is over."""

    _task: asyncio.Task[None] | None = None

    @abstractmethod
    async def _run(self) -> None: ...

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._go_on(), name=type(self).__name__)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None, "left without having been entered"
        await end(self._task)

    async def _go_on(self) -> None:
        try:
            await self._run()
        except Exception:
            _log.exception("work in the background has ended", work=type(self).__name__)
            raise


async def periodically(work: Callable[[], Awaitable[object]], *, every: float, what: str) -> NoReturn:
    """Work now, and again so many seconds after each time. What fails is logged as ``what`` and does not end it."""
    while True:
        try:
            await work()
        except Unavailable as away:
            _log.warning(f"{what} failed", error=str(away), cause=str(away.__cause__ or ""))
        except Exception:  # noqa: BLE001 - a surprise must not end what nobody would begin again
            _log.exception(f"{what} failed")
        await asyncio.sleep(every)


async def end(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks and see them off. What one failed with was told already, or matters no more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
