"""A window as several requests: how it is cut, what counts when some fail, and the search for the event refused."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from eventgate.errors import Deferred, Disconnected, Refused
from eventgate.forward.transports import Delivery, Outgoing, Receipt, Refusal
from eventgate.forward.transports.http.answers import TooLarge
from eventgate.forward.transports.http.requests import Cut, Part, Requests
from eventgate.journal.cursors import Cursor
from eventgate.sinks.deliveries import receipt_of
from tests.unit.formats.samples import ALERT, NAMES


def outgoing(number: int, size: int = 1, *, replay: bool = False) -> Outgoing:
    return Outgoing(ALERT._replace(sequence=number), NAMES, Cursor(1, number), b"x" * size, replay)


def events(count: int) -> list[Outgoing]:
    return [outgoing(number) for number in range(count)]


def numbers(part: Part) -> list[int]:
    return [out.event.sequence for out in part]


def lengths(parts: list[Part]) -> list[int]:
    return [len(part) for part in parts]


def test_cut_by_number_by_size_and_where_a_replay_ends() -> None:
    assert lengths(Cut(3, 100).parts(events(7), {})) == [3, 3, 1]
    assert lengths(Cut(9, 10).parts([outgoing(n, 4) for n in range(5)], {})) == [2, 2, 1]
    assert lengths(Cut(9, 10).parts([outgoing(0, 50), outgoing(1)], {})) == [1, 1]
    assert lengths(Cut(9, 99).parts([outgoing(0, replay=True), outgoing(1), outgoing(2)], {})) == [1, 2]
    assert Cut(3, 100).parts([], {}) == []


def test_what_may_have_arrived_is_cut_the_same_again() -> None:
    assert lengths(Cut(4, 100).parts(events(9), {Cursor(1, 0): 2, Cursor(1, 2): 3})) == [2, 3, 4]


def test_a_cut_learns_from_a_receiver_that_wants_less() -> None:
    cut, large = Cut(100, 1 << 20), [outgoing(n, 100_000) for n in range(8)]
    assert lengths(cut.parts(large, {})) == [8]
    cut.learn(large)
    assert lengths(cut.parts(large, {})) == [4, 4]


async def fate(window: list[Outgoing], send, size: int = 4, at_once: int = 2) -> Delivery:
    delivery, _ = await Requests(send, at_once).carry(Cut(size, 1 << 20).parts(window, {}))
    return delivery


class Receiver:
    """Refuses a request with a poisoned event as a whole, or one that is too long; notes the events it took."""

    def __init__(self, *poison: int, most: int = 1 << 20, names: bool = False) -> None:
        self.poison, self.most, self.names = set(poison), most, names
        self.took: list[int] = []
        self.requests = 0

    async def __call__(self, part: Part) -> Delivery:
        await asyncio.sleep(0)
        self.requests += 1
        if len(part) > self.most:
            return Delivery(0, (), TooLarge("too long"))
        bad = [n for n, number in enumerate(numbers(part)) if number in self.poison]
        if bad and self.names:
            self.took += numbers(part)[: bad[0]]
            return Delivery(bad[0] + 1, [Refusal(bad[0], "named")])
        if bad:
            raise Refused("one of these")
        self.took += numbers(part)
        return Delivery(len(part))


@given(st.sets(st.integers(0, 20)), st.integers(1, 9), st.integers(1, 4), st.integers(1, 9), st.booleans())
def test_whoever_is_poisoned_is_named_and_all_others_arrive_once(
    poison: set[int], size: int, at_once: int, most: int, names: bool
) -> None:
    receiver = Receiver(*poison, most=most, names=names)
    delivery = asyncio.run(fate(events(21), receiver, size, at_once))
    assert (delivery.finished, delivery.failure) == (21, None)
    assert [refusal.number for refusal in delivery.refused] == sorted(poison)
    assert sorted(receiver.took) == sorted(set(range(21)) - poison)


async def test_one_poisoned_event_costs_few_requests() -> None:
    receiver = Receiver(700)
    delivery = await fate(events(1000), receiver, 1000)
    assert [refusal.number for refusal in delivery.refused] == [700]
    assert receiver.requests < 25


async def test_one_event_that_is_too_long_is_refused() -> None:
    delivery = await fate([outgoing(0), outgoing(1)], Receiver(most=0))
    assert [refusal.reason for refusal in delivery.refused] == ["too long", "too long"]


async def test_only_the_finished_beginning_counts_and_nothing_new_is_begun_after_a_failure() -> None:
    begun: list[int] = []

    async def send(part: Part) -> Delivery:
        begun.append(numbers(part)[0])
        await asyncio.sleep(0.001 * len(begun))
        if 4 in numbers(part):
            raise Deferred("busy", 3.0)
        return Delivery(len(part))

    delivery, again = await Requests(send, 3).carry(Cut(4, 100).parts(events(20), {}))
    assert (delivery.finished, list(delivery.refused)) == (4, [])
    assert isinstance(delivery.failure, Deferred)
    assert begun == [0, 4, 8, 12]
    assert [numbers(part)[0] for part in again] == [4, 8, 12]


async def test_a_request_may_end_in_the_middle() -> None:
    async def send(part: Part) -> Delivery:
        return Delivery(2, [Refusal(1, "no")], Disconnected("gone"))

    delivery = await fate(events(8), send)
    assert (delivery.finished, delivery.refused) == (2, [Refusal(1, "no")])
    assert isinstance(delivery.failure, Disconnected)


async def test_who_cancels_a_window_cancels_its_requests() -> None:
    ended = []

    async def send(part: Part) -> Delivery:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(part)
        return Delivery(len(part))

    task = asyncio.create_task(fate(events(8), send))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(ended) == 2


async def test_what_was_said_is_told_by_the_number_of_its_requests_first_event() -> None:
    """Of requests at once, and of one that went again by halves."""

    async def send(part: Part) -> Delivery:
        if len(part) > 2:
            return Delivery(0, (), Refused("one of them"))
        return Delivery(len(part), receipt=Receipt({"status": 200, "ackId": part[0].place.index}))

    sent = events(7)
    delivery, _ = await Requests(send, 2).carry([sent[:4], sent[4:6], sent[6:]])
    assert delivery.receipt is not None
    assert [first for first, _ in delivery.receipt.told["requests"]] == [0, 2, 4, 6]
    told = [receipt_of(delivery.receipt.told, number, None) for number in range(7)]
    firsts = [sent[number].place.index for number in (0, 0, 2, 2, 4, 4, 6)]
    assert told == [{"status": 200, "ackId": first} for first in firsts]


async def test_a_window_begins_where_the_one_before_has_begun_all_of_its_requests() -> None:
    begun, answered = [], asyncio.Event()

    async def send(part: Part) -> Delivery:
        begun.append(numbers(part)[0])
        await answered.wait()
        return Delivery(len(part))

    sent, requests = events(6), Requests(send, 2)
    windows = [asyncio.create_task(requests.carry([[out] for out in sent[:3]]))]
    windows.append(asyncio.create_task(requests.carry([[out] for out in sent[3:]])))
    for _ in range(10):
        await asyncio.sleep(0)
    assert begun == [0, 1]
    answered.set()
    fates = await asyncio.gather(*windows)
    assert begun == list(range(6))
    assert [delivery.finished for delivery, _ in fates] == [3, 3]


async def test_after_a_failure_nothing_is_begun_of_the_window_behind_until_all_is_over() -> None:
    begun: list[int] = []

    async def send(part: Part) -> Delivery:
        begun.append(numbers(part)[0])
        await asyncio.sleep(0)
        if begun == [0, 1]:
            raise Deferred("busy")
        return Delivery(len(part))

    sent = events(4)
    requests = Requests(send, 1)
    first, second = await asyncio.gather(
        requests.carry([[out] for out in sent[:2]]), requests.carry([[out] for out in sent[2:]])
    )
    assert begun == [0, 1]
    assert first[0].finished == 1
    assert isinstance(first[0].failure, Deferred)
    assert (second[0].finished, second[1]) == (0, [])
    assert isinstance(second[0].failure, Disconnected)
    again, _ = await requests.carry([[out] for out in sent[1:]])
    assert (again.finished, again.failure) == (3, None)
    assert begun == [0, 1, 1, 2, 3]
