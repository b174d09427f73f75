"""Which events a stretch holds, in a few bytes: every place is found again, and no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventgate.journal.cursors import Cursor
from eventgate.sinks.places import NO_SLOT, Places, encode

places = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 40)), unique=True).map(
    lambda found: [Cursor(*place) for place in sorted(found)]
)


@given(places, st.data())
def test_every_place_is_found_with_its_number_and_slot_and_no_other(found: list[Cursor], data: st.DataObject) -> None:
    slots = data.draw(st.lists(st.integers(0, 5) | st.just(NO_SLOT), min_size=len(found), max_size=len(found)))
    read = Places(encode(found, slots))
    for number, (place, slot) in enumerate(zip(found, slots, strict=True)):
        assert read.number(place) == number
        assert read.slot(number) == (None if slot == NO_SLOT else (slot, slots[:number].count(slot)))
    for absent in (Cursor(0, 0), Cursor(7, 41), Cursor(41, 0), Cursor(1 << 40, 3)):
        assert read.number(absent) is None
    for place in {Cursor(p, i) for p in range(1, 41) for i in range(3)} - set(found):
        assert read.number(place) is None


def test_a_window_of_whole_batches_takes_next_to_nothing() -> None:
    found = [Cursor(position, index) for position in range(1_000_000, 1_000_010) for index in range(500)]
    assert len(encode(found)) < 80
    assert len(encode(found, [n * 7919 % 12 for n in range(5_000)])) < 5_000


def test_without_slots_there_are_none() -> None:
    assert Places(encode([Cursor(1, 0), Cursor(1, 1)])).slot(1) is None


@pytest.mark.parametrize("damaged", [b"", b"\x02", b"\x01nothing of zstd", encode([])[:-3]])
def test_what_is_damaged_is_said_to_be(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="places"):
        Places(damaged)
