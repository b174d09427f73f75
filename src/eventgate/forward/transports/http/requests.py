"""Windows as requests, several on their way at once, and each request down to the one event that a receiver refuses.

Touches nothing itself: the transport sends. A refusal does not break an HTTP connection, so the search for the event
that caused it needs no new session: the same request is sent again by halves, until one event is left.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from eventgate.errors import DeliveryError, Disconnected, Refused
from eventgate.forward.transports import Delivery, Outgoing, Receipt, Refusal
from eventgate.forward.transports.http.answers import TooLarge
from eventgate.journal.cursors import Cursor

Part = Sequence[Outgoing]
"""The events of one request."""
Send = Callable[[Part], Awaitable[Delivery]]
"""Send one request. Its fate is a Delivery: with no failure and fewer than all finished, the rest is to be sent on its
own; with the failure Refused, what is not finished was refused as a whole. DeliveryError may be raised as well."""

_SMALLEST = 64 << 10


class Cut:
    """How large one request may be; learns from a receiver that says no to its size."""

    def __init__(self, events: int, size: int) -> None:
        self._events = events
        self._size = size

    def parts(self, events: Sequence[Outgoing], known: Mapping[Cursor, int]) -> list[Part]:
        """Cut a window; replayed events never share a request with others.

        ``known`` says by the place of its first event how many events a request had that may have arrived: it is made
        of the same again.
        """
        return list(self._cut(events, known))

    def learn(self, part: Part) -> None:
        """This much was too much."""
        self._size = max(min(self._size, _size(part)) // 2, _SMALLEST)

    def _cut(self, events: Sequence[Outgoing], known: Mapping[Cursor, int]) -> Iterator[Part]:
        start = 0
        while start < len(events):
            had = known.get(events[start].place)
            part = events[start : start + (had or self._events)]
            if part[-1].replay is not part[0].replay or (had is None and _size(part) > self._size):
                part = part[: self._fitting(part, had)]
            yield part
            start += len(part)

    def _fitting(self, part: Part, had: int | None) -> int:
        """How many events at its beginning go into one request."""
        size = 0
        for number, outgoing in enumerate(part):
            size += len(outgoing.body)
            large = had is None and size > self._size
            if number and (large or outgoing.replay is not part[0].replay):
                return number
        return len(part)


class Requests:
    """One receiver's requests, so many at once. A window's are begun once all of the window before have been."""

    def __init__(self, send: Send, at_once: int) -> None:
        self._send = send
        self._at_once = at_once
        self._slots = asyncio.Semaphore(at_once)
        self._windows = 0
        self.failed = False
        """Since a request failed, and until no window is on its way any more, nothing new is begun."""

    async def carry(self, parts: Sequence[Part]) -> tuple[Delivery, list[Part]]:
        """Send all parts: how far the window is finished, and the parts beyond that which were sent.

        After a failure, of this window or of one before it, what is on its way is waited for.
        """
        fates: list[Delivery | None] = [None] * len(parts)
        todo = iter(range(len(parts)))

        async def work() -> None:
            async with self._slots:  # they are given in the order in which they were asked for
                while not self.failed and (number := next(todo, None)) is not None:
                    fates[number] = fate = await _fate(parts[number], self._send)
                    self.failed = self.failed or fate.failure is not None

        if not self._windows:
            self.failed = False
        self._windows += 1
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._at_once, len(parts))):
                    group.create_task(work())
        finally:
            self._windows -= 1
        whole = next((n for n, fate in enumerate(fates) if fate is None or fate.failure is not None), len(parts))
        return _beginning(fates), [part for part, fate in zip(parts, fates, strict=True) if fate is not None][whole:]


def _beginning(fates: Sequence[Delivery | None]) -> Delivery:
    """The fate of a window whose parts had these: what counts ends at the first failure."""
    finished = 0
    refused: list[Refusal] = []
    said: _Said = []
    for fate in fates:
        if fate is None:
            break
        refused += [Refusal(finished + number, reason) for number, reason in fate.refused]
        said += _said(fate, finished)
        finished += fate.finished
        if fate.failure is not None:
            break
    failure: DeliveryError | None = next((each.failure for each in fates if each and each.failure), None)
    if failure is None and None in fates:
        failure = Disconnected("a request of the window before failed")
    return Delivery(finished, refused, failure, Receipt({"requests": said}))


async def _fate(part: Part, send: Send) -> Delivery:
    finished, size = 0, len(part)
    refused: list[Refusal] = []
    said: _Said = []
    while finished < len(part):
        piece = part[finished : finished + size]
        delivery = await _asked(piece, send)
        refused += [Refusal(finished + number, reason) for number, reason in delivery.refused]
        said += _said(delivery, finished)
        finished += delivery.finished
        left = len(piece) - delivery.finished
        if delivery.failure is None:
            assert delivery.finished, "a request that neither did anything nor failed"
        elif not isinstance(delivery.failure, Refused):
            return Delivery(finished, refused, delivery.failure, Receipt({"requests": said}))
        elif left > 1:
            size = left // 2
        else:
            refused.append(Refusal(finished, str(delivery.failure)))
            finished += 1
            size = size if isinstance(delivery.failure, TooLarge) else len(part)
    return Delivery(finished, refused, receipt=Receipt({"requests": said}))


_Said = list[tuple[int, Mapping[str, Any]]]
"""Of each request by the number of its first event: what its answer said."""


def _said(delivery: Delivery, first: int) -> _Said:
    """The receipt of one request, or of several, as the window's that it begins in at event ``first``."""
    if delivery.receipt is None or not delivery.finished:
        return []
    told = delivery.receipt.told
    return [(first + number, said) for number, said in told["requests"]] if "requests" in told else [(first, told)]


async def _asked(piece: Part, send: Send) -> Delivery:
    try:
        return await send(piece)
    except DeliveryError as error:
        return Delivery(0, (), error)


def _size(part: Part) -> int:
    return sum(len(outgoing.body) for outgoing in part)
