"""Python imports this by itself where it stands on the path: it lets a test kill a process at a named point.

Each point is a function of EventGate and a side of it. A process that comes by the point named in the file
``EVENTGATE_TEST_KILL`` takes the file away and kills itself: once, in whichever process it is.
"""

import importlib.abc
import importlib.util
import os
import signal
import sys
from functools import wraps

POINTS = {
    "before the commit": ("eventgate.journal.commit", "Committer._copy", "before"),
    "after the commit, before the answer": ("eventgate.journal.commit", "Committer._copy", "after"),
    "after the events were produced, before the offsets": (
        "eventgate.forward.transports.kafka.producer", "Producer._produce", "after"
    ),
    "after the offsets, before the transaction ends": (
        "eventgate.forward.transports.kafka.producer", "Producer._keep", "after"
    ),
    "after the transaction": ("eventgate.forward.transports.kafka.producer", "Producer.transact", "after"),
    "between a receipt and its cursor": ("eventgate.sinks.deliveries", "Deliveries.write", "after"),
    "between a dead letter and its cursor": ("eventgate.sinks.dead_letters", "DeadLetters.write", "after"),
}  # fmt: skip

REPLAY_POINTS = {
    "between a generation and the standing in it": ("eventgate.forward.keeping", "Keeping.enter", "before"),
    "between an answer and the commit": ("eventgate.sinks.requests", "Requests.answer", "after"),
    "before the broker hears of a generation": ("eventgate.sinks.generations", "Generations.open", "after"),
    "before a window of the replay": ("eventgate.forward.transports.kafka.transport", "Kafka.deliver", "before replay"),
    "after a window of the replay": ("eventgate.forward.transports.kafka.transport", "Kafka.deliver", "after replay"),
}
"""These come by where something is delivered again; the windows of what is new pass the last two unharmed."""


_ALL = {**POINTS, **REPLAY_POINTS}


def _pass(point: str) -> None:
    order = os.environ["EVENTGATE_TEST_KILL"]
    try:
        with open(order, encoding="utf-8") as file:  # noqa: PTH123 - likewise
            if file.read() != point:
                return
        os.unlink(order)  # noqa: PTH108 - the least that a process needs, for it runs in each
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _watched(function, point, side):
    @wraps(function)
    async def call(*arguments, **named):
        when, _, lane = side.partition(" ")
        meant = not lane or any(getattr(each, "lane", None) == lane for each in arguments)
        if meant and when == "before":
            _pass(point)
        result = await function(*arguments, **named)
        if meant and when == "after":
            _pass(point)
        return result

    return call


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        points = [(point, place, side) for point, (module, place, side) in _ALL.items() if module == name]
        if not points:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            for point, place, side in points:
                owner, attribute = place.split(".")
                holder = getattr(module, owner)
                setattr(holder, attribute, _watched(getattr(holder, attribute), point, side))

        spec.loader.exec_module = exec_module
        return spec


if "EVENTGATE_TEST_KILL" in os.environ:
    sys.meta_path.insert(0, _Finder())
