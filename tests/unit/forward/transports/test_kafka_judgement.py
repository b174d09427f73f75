import uuid

import pytest

from eventgate.forward.transports import CursorLost
from eventgate.forward.transports.kafka.judgement import standing_from
from eventgate.forward.transports.kafka.kept import Kept
from eventgate.journal.cursors import START, Cursor, Replay, Standing, Totals

DIGEST = b"d" * 32


def standing(position: int, generation: int = 0, since: int = 0, replayed: int | None = None) -> Standing:
    replay = None if replayed is None else Replay(Cursor(replayed, 0), Cursor(8, 0), Totals(delivered=replayed))
    return Standing(Cursor(position, 3), Totals(delivered=position), generation, since, replay)


def found(position: int, generation: int = 0, *, lost: bool = False, replayed: int | None = None) -> Kept:
    return Kept(uuid.UUID(int=1), standing(position, generation, 0, replayed), DIGEST, 3, None, lost)


def test_the_brokers_cursor_counts_where_the_copy_lags() -> None:
    assert standing_from(found(9), standing(7), DIGEST) == standing(9)
    assert standing_from(found(9), START, DIGEST) == standing(9)


def test_equal_cursors_agree() -> None:
    assert standing_from(found(9), standing(9), DIGEST) == standing(9)


def test_an_operators_rewind_wins_over_whatever_the_broker_has() -> None:
    rewound = standing(2, generation=1, since=1)
    assert standing_from(found(9), rewound, DIGEST) is rewound
    assert standing_from(found(9, lost=True), rewound, None) is rewound
    assert standing_from(found(9), rewound, b"another") is rewound


def test_a_lane_opened_beside_leaves_the_live_one_where_only_the_broker_knows_it_to_be() -> None:
    opened = standing(7, generation=2, replayed=0)
    assert standing_from(found(9, generation=1, replayed=5), opened, DIGEST) == opened._replace(
        cursor=Cursor(9, 3), totals=Totals(delivered=9)
    )


def test_both_lanes_are_the_brokers_where_the_copy_lags() -> None:
    assert standing_from(found(9, 1, replayed=5), standing(7, 1, replayed=3), DIGEST) == standing(9, 1, replayed=5)


def test_a_lane_opened_beside_is_no_way_out_of_a_lost_cursor() -> None:
    with pytest.raises(CursorLost, match="rewind"):
        standing_from(found(9, lost=True), standing(9, generation=1, replayed=0), DIGEST)


def test_a_cursor_given_up_stays_lost_in_its_generation() -> None:
    with pytest.raises(CursorLost, match="rewind"):
        standing_from(found(9, lost=True), standing(9), DIGEST)


@pytest.mark.parametrize(
    ("broker", "kept", "digest", "reason"),
    [
        (found(9), standing(10), DIGEST, "set back"),
        (found(9, generation=2), standing(9, generation=1), DIGEST, "set back"),
        (found(9, 1, replayed=3), standing(9, 1, replayed=5), DIGEST, "set back"),
        (found(9, 1), standing(9, 1, replayed=5), DIGEST, "set back"),
        (found(9), standing(10, 1, replayed=0), DIGEST, "set back"),
        (found(9), standing(7), b"other", "another history"),
        (found(9), standing(7), None, "does not have"),
    ],
)
def test_a_cursor_that_does_not_match_is_lost(broker: Kept, kept: Standing, digest: bytes | None, reason: str) -> None:
    with pytest.raises(CursorLost, match=reason):
        standing_from(broker, kept, digest)


def test_a_position_that_retention_took_is_believed_where_the_database_was_there_itself() -> None:
    assert standing_from(found(9), standing(9), None) == standing(9)


def test_after_a_move_the_later_of_the_two_counts_in_each_lane() -> None:
    def moved(broker: Kept, kept: Standing, digest: bytes | None = DIGEST) -> Standing:
        return standing_from(broker, kept, digest, moved=True)

    assert moved(found(9), standing(12)) == standing(12), "it delivered elsewhere meanwhile"
    assert moved(found(9), standing(7)) == standing(9), "the copy lagged when it left"
    assert moved(found(9), standing(12), None) == standing(12), "retention took the position of long ago"
    assert moved(found(9, 1, replayed=3), standing(12, 1, replayed=5)) == standing(12, 1, replayed=5)
    assert moved(found(9, 1, replayed=5), standing(12, 1, replayed=3)) == standing(12, 1, replayed=5)
    assert moved(found(12, 1, replayed=3), standing(9, 1, replayed=5)) == standing(12, 1, replayed=5)
    # A generation that was opened elsewhere: the broker has nothing of it, whatever its own last one came to.
    assert moved(found(9, 1, replayed=5), standing(12, 2, replayed=3)) == standing(12, 2, replayed=3)
    assert moved(found(9, 1, replayed=5), standing(7, 2, replayed=3)) == standing(9, 2, replayed=3)
    rewound = standing(2, generation=2, since=2)
    assert moved(found(9, 1), rewound) == rewound


@pytest.mark.parametrize(
    ("broker", "kept", "digest", "reason"),
    [
        (found(9, lost=True), standing(12), DIGEST, "rewind"),
        (found(9, generation=2), standing(12, generation=1), DIGEST, "set back"),
        (found(9, generation=2), standing(12, generation=2, since=1), DIGEST, "set back"),
        (found(9), standing(12), b"other", "another history"),
        (found(9), standing(7), None, "does not have"),
    ],
)
def test_a_move_excuses_nothing_else(broker: Kept, kept: Standing, digest: bytes | None, reason: str) -> None:
    with pytest.raises(CursorLost, match=reason):
        standing_from(broker, kept, digest, moved=True)
