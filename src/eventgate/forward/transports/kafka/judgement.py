"""Whether the broker's cursor belongs to this journal, and which cursor to go on from.

Pure.
"""

from eventgate.forward.transports import CursorLost
from eventgate.forward.transports.kafka.kept import Kept
from eventgate.journal.cursors import Standing


def standing_from(found: Kept, kept: Standing, digest: bytes | None, *, moved: bool = False) -> Standing:
    """The standing to go on from: the broker's, in the generation that an operator has opened since.

    ``kept`` is the database's copy, which lags but is never ahead, unless the sink ``moved``: delivered elsewhere since
    the broker's cursor was kept. Then in each lane the later of the two counts: the broker has everything up to its
    own, and the other place what came between. ``digest`` is the journal's at the position that the broker's cursor
    names, None where the journal does not have that position. Returns ``kept`` itself where an operator has set the
    live cursor since. Raises CursorLost.
    """
    broker = found.standing
    if kept.since > broker.generation:
        return kept
    if found.lost:
        raise CursorLost("the cursor at the broker was given up and waits for a rewind")
    opened = kept.generation > broker.generation
    ahead = kept.since != broker.since if moved else _ahead(kept, broker, opened)
    if kept.generation < broker.generation or ahead:
        raise CursorLost(
            f"the broker's cursor {_place(broker)} is not a later one than the database's copy {_place(kept)}: "
            "one of them was set back"
        )
    if digest is None and broker.cursor.position > kept.cursor.position:
        raise CursorLost(f"the broker's cursor {_place(broker)} names a position that this journal does not have")
    if digest is not None and digest != found.digest:
        raise CursorLost(f"the broker's cursor {_place(broker)} was made from another history of this journal")
    if moved:
        return _later(kept, broker, opened)
    # What the live lane did until then, in a window whose fate we never heard perhaps, only the broker knows.
    return broker._replace(generation=kept.generation, replay=kept.replay) if opened else broker


def _ahead(kept: Standing, broker: Standing, opened: bool) -> bool:
    """Whether the copy leads, in one of the lanes that both have."""
    if opened or kept.replay is None:
        return kept.cursor > broker.cursor
    return kept.cursor > broker.cursor or broker.replay is None or kept.replay.cursor > broker.replay.cursor


def _later(kept: Standing, broker: Standing, opened: bool) -> Standing:
    """Of each lane what came further; the generation that was opened last has its replay lane."""
    live = max(kept, broker, key=lambda standing: standing.cursor)
    replays = [each.replay for each in ((kept,) if opened else (kept, broker)) if each.replay is not None]
    replay = max(replays, key=lambda lane: lane.cursor, default=None)
    return kept._replace(cursor=live.cursor, totals=live.totals, replay=replay)


def _place(standing: Standing) -> str:
    return f"{standing.cursor.position}.{standing.cursor.index} (generation {standing.generation})"
