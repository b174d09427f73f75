"""What is remembered of credentials, and what a change takes away."""

from typing import NamedTuple
from uuid import UUID, uuid4

from eventgate.access.memory import Memory
from eventgate.access.principal import Principal
from eventgate.clock import ManualClock

COMPANY, OTHER = uuid4(), uuid4()


class Entry(NamedTuple):
    principal: Principal
    fresh_until: float = 5.0


def entry(company: UUID = COMPANY) -> Entry:
    return Entry(Principal(company, uuid4(), uuid4(), frozenset()))


def filled(*entries: Entry, most: int = 100) -> Memory[Entry]:
    memory: Memory[Entry] = Memory(ManualClock(), most)
    for place, each in enumerate(entries):
        memory.remember(bytes([place]), each, set())
    return memory


def kept(memory: Memory[Entry]) -> list[int]:
    return [place for place in range(5) if memory.fresh(bytes([place])) is not None]


def test_a_change_takes_what_it_names_and_nothing_else():
    entries = [entry(), entry(), entry(OTHER)]
    for payload, left in (
        (f"key {entries[0].principal.key}", [1, 2]),
        (f"user {entries[1].principal.user}", [0, 2]),
        (f"company {COMPANY}", [2]),
        (f"session {uuid4()}", [0, 1, 2]),
        ("", []),
    ):
        memory = filled(*entries)
        memory.forget(payload)
        assert kept(memory) == left, payload


def test_what_was_read_before_a_change_is_not_remembered_after_it():
    one = entry()
    for payload, remembered in ((f"key {one.principal.key}", False), ("", False), (f"key {uuid4()}", True)):
        memory = filled()
        with memory.loading() as heard:
            memory.forget(payload)
            memory.remember(b"\0", one, heard)
        assert bool(kept(memory)) == remembered


def test_it_is_bounded_and_grows_old():
    clock = ManualClock()
    memory: Memory[Entry] = Memory(clock, 2)
    for place in range(3):
        memory.remember(bytes([place]), entry(), set())
    assert kept(memory) == [1, 2]
    assert sum(len(slots) for slots in memory._touched_by.values()) == 2 * 3
    clock.advance(5.1)
    assert kept(memory) == []
