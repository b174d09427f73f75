"""How long to leave a receiver alone after a failure: doubling, bounded, and never in step with others.

Pure.
"""

import random


class Backoff:
    """Each ``next`` is a random time (half to whole) below a ceiling that doubles from ``first`` to ``longest``."""

    def __init__(self, *, first: float = 0.25, longest: float = 30.0, seed: int | None = None) -> None:
        self._first = first
        self._longest = longest
        self._ceiling = first
        self._random = random.Random(seed)  # noqa: S311 - spreads retries, guards no secret

    def next(self) -> float:
        """Seconds to wait now."""
        ceiling, self._ceiling = self._ceiling, min(self._ceiling * 2, self._longest)
        return ceiling * self._random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Something got through."""
        self._ceiling = self._first
