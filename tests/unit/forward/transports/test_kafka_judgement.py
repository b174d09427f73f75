import uuid

import pytest

from eventgate.forward.transports import CursorLost
from eventgate.forward.transports.kafka.judgement import standing_from
from eventgate.forward.transports.kafka.kept import Kept
from eventgate.journal.cursors import START, Cursor, Standing, Totals

DIGEST = b"d" * 32


def standing(position: int, generation: int = 0) -> Standing:
    return Standing(Cursor(position, 3), Totals(delivered=position), generation)


def found(position: int, generation: int = 0, *, lost: bool = False) -> Kept:
    return Kept(uuid.UUID(int=1), standing(position, generation), DIGEST, 3, None, lost)


def test_the_brokers_cursor_counts_where_the_copy_lags() -> None:
    assert standing_from(found(9), standing(7), DIGEST) == standing(9)
    assert standing_from(found(9), START, DIGEST) == standing(9)


def test_equal_cursors_agree() -> None:
    assert standing_from(found(9), standing(9), DIGEST) == standing(9)


def test_an_operators_rewind_wins_over_whatever_the_broker_has() -> None:
    rewound = standing(2, generation=1)
    assert standing_from(found(9), rewound, DIGEST) is rewound
    assert standing_from(found(9, lost=True), rewound, None) is rewound
    assert standing_from(found(9), rewound, b"another") is rewound


def test_a_cursor_given_up_stays_lost_in_its_generation() -> None:
    with pytest.raises(CursorLost, match="rewind"):
        standing_from(found(9, lost=True), standing(9), DIGEST)


@pytest.mark.parametrize(
    ("broker", "kept", "digest", "reason"),
    [
        (found(9), standing(10), DIGEST, "set back"),
        (found(9, generation=2), standing(9, generation=1), DIGEST, "set back"),
        (found(9), standing(7), b"other", "another history"),
        (found(9), standing(7), None, "does not have"),
    ],
)
def test_a_cursor_that_does_not_match_is_lost(broker: Kept, kept: Standing, digest: bytes | None, reason: str) -> None:
    with pytest.raises(CursorLost, match=reason):
        standing_from(broker, kept, digest)


def test_a_position_that_retention_took_is_believed_where_the_database_was_there_itself() -> None:
    assert standing_from(found(9), standing(9), None) == standing(9)
