"""Whether the broker's cursor belongs to this journal, and which cursor to go on from.

Pure.
"""

from eventgate.forward.transports import CursorLost
from eventgate.forward.transports.kafka.kept import Kept
from eventgate.journal.cursors import Standing


def standing_from(found: Kept, kept: Standing, digest: bytes | None) -> Standing:
    """The standing to go on from: the broker's, or the database's where an operator has rewound since.

    ``kept`` is the database's copy, which lags but is never ahead; ``digest`` is the journal's at the position that the
    broker's cursor names, None where the journal does not have that position. Raises CursorLost.
    """
    broker = found.standing
    if kept.generation > broker.generation:
        return kept
    if found.lost:
        raise CursorLost("the cursor at the broker was given up and waits for a rewind")
    if kept.generation < broker.generation or kept.cursor > broker.cursor:
        raise CursorLost(
            f"the broker's cursor {_place(broker)} is not a later one than the database's copy {_place(kept)}: "
            "one of them was set back"
        )
    if digest is None and broker.cursor.position > kept.cursor.position:
        raise CursorLost(f"the broker's cursor {_place(broker)} names a position that this journal does not have")
    if digest is not None and digest != found.digest:
        raise CursorLost(f"the broker's cursor {_place(broker)} was made from another history of this journal")
    return broker


def _place(standing: Standing) -> str:
    return f"{standing.cursor.position}.{standing.cursor.index} (generation {standing.generation})"
