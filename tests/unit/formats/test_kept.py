"""What is kept is made once, and is bounded."""

from eventgate.formats.kept import Kept


def test_it_is_made_once_and_made_again_when_it_was_forgotten() -> None:
    made: list[int] = []

    def make(key: int) -> str:
        made.append(key)
        return str(key)

    kept = Kept(make)
    assert [kept[7], kept[7]] == ["7", "7"]
    assert made == [7]
    for key in range(10_000):
        assert kept[key] == str(key)
        assert len(kept) <= 4096
    assert kept[7] == "7"
    assert made.count(7) > 1
