"""What a child process is told, and which part of the service it is.

Pure.
"""

from collections.abc import Awaitable, Callable

from pydantic import BaseModel, ConfigDict

from eventgate.config import Configuration

WORKER, FORWARD = "worker", "forward"
"""The parts of the service; workers are numbered behind a dash."""


class Order(BaseModel):
    """All that a child process is told; travels as one line of JSON."""

    model_config = ConfigDict(frozen=True)

    configuration: Configuration
    database_url: str


Takes = Callable[[Order], Awaitable[None]]
"""How a running child takes a later order. Raises EventGateError where it cannot."""
