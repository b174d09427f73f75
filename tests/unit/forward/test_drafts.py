"""Drafts: what goes into a window, and where each part of it would bring the sink."""

from eventgate.forward.drafts import Draft
from eventgate.forward.transports import Limits
from eventgate.journal.cursors import START, Cursor, Totals
from tests.unit.forward.world import MemoryTail, batches, drafts_of

WIDE = Limits(100, 1 << 20)


def places(draft: Draft) -> list[Cursor]:
    return [outgoing.place for outgoing in draft.events]


async def test_a_draft_has_what_is_there_and_the_next_goes_on() -> None:
    drafts = drafts_of(MemoryTail(batches(2, 3)), Limits(3, 1 << 20))
    first, second, third = [await drafts.next(100, 1) for _ in range(3)]
    assert places(first) == [Cursor(1, 0), Cursor(1, 1), Cursor(2, 0)]
    assert places(second) == [Cursor(2, 1), Cursor(2, 2)]
    assert not third.moves


async def test_bytes_bound_a_draft_but_never_to_nothing() -> None:
    drafts = drafts_of(MemoryTail(batches(3)), Limits(100, 10))
    assert [len((await drafts.next(100, 1)).events) for _ in range(4)] == [1, 1, 1, 0]


async def test_fewer_events_on_request() -> None:
    drafts = drafts_of(MemoryTail(batches(5)), WIDE)
    assert [len((await drafts.next(most, 1)).events) for most in (1, 2, 100)] == [1, 2, 2]


async def test_a_standing_for_every_part_of_a_draft() -> None:
    stored = batches(3, 3, severities=[1, 5, 1, 1, 5, 1])
    draft = await drafts_of(MemoryTail(stored), WIDE, lambda event: event.severity > 3).next(100, 1)
    assert draft.standing(START, 0) == START
    assert draft.standing(START, 1) == START._replace(cursor=Cursor(1, 1), totals=Totals(1, 1))
    assert draft.standing(START, 2) == START._replace(cursor=Cursor(2, 2), totals=Totals(2, 4))
    assert draft.standing(START, 2, refused=1).totals == Totals(1, 4, dead=1)


async def test_only_what_the_filter_passes_over() -> None:
    draft = await drafts_of(MemoryTail(batches(4)), WIDE, lambda event: False).next(100, 1)
    assert draft.moves
    assert draft.events == []
    assert draft.standing(START, 0) == START._replace(cursor=Cursor(1, 3), totals=Totals(filtered=4))


async def test_what_is_too_long_for_the_transport_is_a_dead_letter_and_no_hindrance() -> None:
    draft = await drafts_of(MemoryTail(batches(2)), Limits(100, 1 << 20, event_bytes=10)).next(100, 1)
    assert [letter.place for letter in draft.unfit] == [Cursor(1, 0), Cursor(1, 1)]
    assert draft.standing(START, 0).totals == Totals(dead=2)


async def test_what_was_given_up_is_left_out_from_then_on() -> None:
    drafts = drafts_of(MemoryTail(batches(3)), WIDE)
    drafts.give_up(Cursor(1, 1), "no")
    drafts.restart(Cursor(0, 0))
    draft = await drafts.next(100, 1)
    assert places(draft) == [Cursor(1, 0), Cursor(1, 2)]
    assert [(letter.place, letter.reason) for letter in draft.unfit] == [(Cursor(1, 1), "no")]
    assert draft.standing(START, 1).totals == Totals(delivered=1)
    assert draft.standing(START, 2).totals == Totals(delivered=2, dead=1)


async def test_events_that_are_gone_are_counted_where_they_are_missing() -> None:
    whole = batches(4)[0]
    holed = whole._replace(
        position=7, indexes=[1, 2], events=whole.events[1:3], expired=12
    )  # ten before this batch, its first and its last
    draft = await drafts_of(MemoryTail([holed]), WIDE).next(100, 1)
    assert places(draft) == [Cursor(7, 1), Cursor(7, 2)]
    assert draft.standing(START, 1).totals == Totals(delivered=1, expired=11)
    assert draft.standing(START, 2).totals == Totals(delivered=2, expired=12)
    assert draft.standing(START, 2).cursor == Cursor(7, 3)


async def test_gaps_beside_gaps_are_all_counted_where_a_filter_leaves_out() -> None:
    whole = batches(4, severities=[1, 1, 9, 1])[0]
    holed = whole._replace(indexes=[1, 2], events=whole.events[1:3], expired=12)
    draft = await drafts_of(MemoryTail([holed]), WIDE, lambda event: event.severity > 3).next(100, 1)
    assert places(draft) == [Cursor(1, 2)]
    assert draft.standing(START, 1) == START._replace(
        cursor=Cursor(1, 3), totals=Totals(delivered=1, filtered=1, expired=12)
    )


async def test_a_batch_that_is_gone_whole_still_moves_the_cursor() -> None:
    gone = batches(4)[0]._replace(indexes=[], events=[], expired=4)
    draft = await drafts_of(MemoryTail([gone]), WIDE).next(100, 1)
    assert draft.standing(START, 0) == START._replace(cursor=Cursor(1, 3), totals=Totals(expired=4))


async def test_a_replay_says_so_up_to_where_the_sink_had_come() -> None:
    drafts = drafts_of(MemoryTail(batches(1, 1, 1)), WIDE)
    drafts.restart(Cursor(0, 0), replay_until=2)
    events = (await drafts.next(100, 1)).events
    assert [outgoing.replay for outgoing in events] == [True, True, False]
    assert [b'"replay":true' in outgoing.body for outgoing in events] == [True, True, False]


async def test_nothing_of_the_journal_is_held_for_a_receiver_that_is_away() -> None:
    drafts = drafts_of(MemoryTail(batches(300)), WIDE)
    first = await drafts.next(100, 1)
    drafts.let_go()
    assert (next(drafts._chunks, None), drafts._left) == (None, None)
    drafts.restart(first.end)
    assert places(await drafts.next(100, 1))[0] == Cursor(1, 100)
