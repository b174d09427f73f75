"""The memory of ids is bounded and forgets the eldest."""

from eventgate.journal.recent import Recent

PLACE = (b"d" * 32, 1, 0)


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_remembers_at_least_its_size_and_at_most_twice() -> None:
    recent = Recent(size=100)
    for number in range(1_000):
        recent.remember({key(number): PLACE})
    known = recent.known({key(number) for number in range(1_000)})
    assert set(known) >= {key(number) for number in range(900, 1_000)}
    assert len(known) <= 200


def test_a_group_larger_than_its_size_is_remembered_too() -> None:
    recent = Recent(size=10)
    recent.remember({key(number): PLACE for number in range(50)})
    assert len(recent.known({key(number) for number in range(50)})) == 50


def test_knows_nothing_else() -> None:
    recent = Recent()
    recent.remember({key(1): PLACE})
    assert recent.known({key(2)}) == {}
