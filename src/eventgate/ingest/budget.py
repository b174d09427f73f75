"""One budget of bytes for every body that a process has in flight, charged before the bytes are read.

Touches one gauge. What a body costs, and the room its events take, is given back when its write has been answered.
"""

from types import TracebackType
from typing import Self

from eventgate.errors import Unavailable
from eventgate.ingest.workspace import Workspace
from eventgate.telemetry import BODIES_IN_FLIGHT

_GRAIN = 64 << 10


class ByteBudget:
    """How many bytes of bodies this process still takes."""

    def __init__(self, total: int, workspace: Workspace) -> None:
        self._total = self._left = total
        self._told = 0
        self.workspace = workspace

    @property
    def left(self) -> int:
        return self._left

    def charge(self) -> "Charge":
        """An account for one write, closed by leaving its ``with`` block."""
        return Charge(self)

    def take(self, size: int) -> None:
        """Raises Unavailable ``busy`` where so many bytes are not left."""
        if size > self._left:
            raise Unavailable(
                "busy", "EventGate holds as many bodies as it can right now. Send this write again later."
            )
        self._left -= size
        self._tell()

    def give_back(self, size: int) -> None:
        self._left += size
        self._tell()

    def _tell(self) -> None:
        """Move the gauge where the change is worth its price, which is that of many small bodies."""
        taken = self._total - self._left
        if abs(taken - self._told) >= _GRAIN or (taken == 0 < self._told):
            BODIES_IN_FLIGHT.set(taken)
            self._told = taken


class Charge:
    """What one write has been charged."""

    __slots__ = ("_budget", "_room", "_taken")

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self._taken = 0
        self._room = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._budget.give_back(self._taken)
        if self._room:
            self._budget.workspace.leave(self._room)

    def add(self, size: int) -> None:
        """Charge so many bytes more. Raises Unavailable ``busy``."""
        self._budget.take(size)
        self._taken += size

    async def work(self, size: int) -> None:
        """Wait for room to turn a body of ``size`` bytes into events. Once only: who holds room waits for no more."""
        assert not self._room, "one write works once"
        self._room = await self._budget.workspace.enter(size)
