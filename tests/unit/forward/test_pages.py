"""Pages: what a chunk of the journal comes to, the same for every sink of a kind, whoever made it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from eventgate.forward.chunks import chunks, within
from eventgate.forward.drafts import Draft, Drafts
from eventgate.forward.letters import LettersTail
from eventgate.forward.pages import Pages
from eventgate.forward.transports import Limits, Outgoing
from eventgate.journal.batch import Batch
from eventgate.journal.cursors import START, Cursor, Totals
from tests.unit.forward.world import MemoryTail, Names, batches, drafts_of, plan_of


@st.composite
def journals(draw: st.DrawFn) -> list[Batch]:
    """A few batches, some as long as several chunks; of some, events are gone. Severity 9 is what sinks want."""
    sizes = draw(st.lists(st.integers(1, 300), min_size=1, max_size=4))
    wanted = draw(st.sampled_from([[9], [1], [9, 1], [9, 9, 9, 1, 1], [1] * 40 + [9]]))
    whole = batches(*sizes, severities=[wanted[n % len(wanted)] for n in range(sum(sizes))])
    made = []
    for batch in whole:
        gone = draw(st.sets(st.integers(0, batch.last), max_size=5)) if draw(st.booleans()) else set()
        left = [index for index in range(batch.last + 1) if index not in gone]
        made.append(batch._replace(indexes=left, events=[batch.events[index] for index in left], expired=len(gone)))
    before = draw(st.sampled_from([0, 7]))  # whole batches that went with the front of the journal
    return [made[0]._replace(expired=made[0].expired + before), *made[1:]]


def counted(journal: list[Batch]) -> dict[Cursor, Totals]:
    """What became of everything up to each place."""
    totals, found = Totals(), {Cursor(0, 0): Totals()}
    for batch in journal:
        there = dict(zip(batch.indexes, batch.events, strict=True))
        lost_before = batch.expired - (batch.last + 1 - len(there))
        found[Cursor(batch.position, -1)] = totals = totals._replace(expired=totals.expired + lost_before)
        for index in range(batch.last + 1):
            event = there.get(index)
            fate = "expired" if event is None else "delivered" if event.severity == 9 else "filtered"
            found[Cursor(batch.position, index)] = totals = totals._replace(**{fate: getattr(totals, fate) + 1})
    return found


@settings(max_examples=40)
@given(journals(), st.integers(5, 400), st.integers(5_000, 400_000), st.data())
async def test_drafts_by_pages_count_as_one_by_one(
    journal: list[Batch], most: int, octets: int, data: st.DataObject
) -> None:
    pages, expected = Pages(Names()), counted(journal)
    made = [
        drafts_of(MemoryTail(journal), Limits(1000, octets), lambda event: event.severity == 9, pages=pages, name=name)
        for name in ("one", "other")
    ]
    standings = [START, START]
    while any(standing.cursor != journal[-1].end for standing in standings):
        for number, drafts in enumerate(made):
            draft = await drafts.next(most, 1)
            finished = data.draw(st.integers(0, len(draft.events)))
            partly = draft.standing(standings[number], finished)
            if finished or not draft.events:
                assert partly.totals == expected[partly.cursor]
            else:
                assert partly == standings[number]
            standings[number] = draft.standing(standings[number], len(draft.events))
            assert standings[number].totals == expected[standings[number].cursor]
            assert len(draft.events) <= min(most, 1000)
            assert len(draft.events) <= 1 or sum(len(each.body) for each in draft.events) <= octets


async def walked(drafts: Drafts) -> list[Draft]:
    found = []
    while (draft := await drafts.next(1000, 1)).moves:
        found.append(draft)
    return found


def sent(drafts: list[Draft]) -> list[Outgoing]:
    return [each for draft in drafts for each in draft.events]


async def test_neighbours_of_a_kind_share_what_is_written() -> None:
    journal, pages = batches(300, 20), Pages(Names())
    made = [drafts_of(MemoryTail(journal), Limits(1000, 1 << 20), pages=pages, name=name) for name in ("a", "b", "c")]
    first, second, third = [sent(await walked(drafts)) for drafts in made]
    assert len(first) == 320
    assert all(one is other is another for one, other, another in zip(first, second, third, strict=True))


async def test_who_is_alone_has_nothing_kept_for_it() -> None:
    journal, pages = batches(300), Pages(Names())
    one, other = (plan_of(name=name) for name in ("a", "b"))
    for plan in (one, other):
        pages.join(plan)
    drafts = [Drafts(plan, Limits(1000, 1 << 20), MemoryTail(journal), pages) for plan in (one, other)]
    await walked(drafts[0])
    assert pages._kept
    pages.leave(one)
    assert not pages._kept
    assert len(sent(await walked(drafts[1]))) == 300
    assert not pages._kept
    pages.leave(other)


async def test_long_events_are_kept_for_neighbours_in_bounded_memory() -> None:
    (batch,) = batches(1000)
    long = [event._replace(data=b'{"filling":"%b"}' % (b"x" * 60_000)) for event in batch.events]
    pages = Pages(Names())
    walking = [
        drafts_of(MemoryTail([batch._replace(events=long)]), Limits(100, 4 << 20), pages=pages, name=name)
        for name in ("a", "b")
    ]
    for drafts in walking:
        await walked(drafts)
    kept = [outgoing for page in pages._kept.values() for outgoing in page.events]
    assert 0 < sum(len(outgoing.body) + len(outgoing.event.data) for outgoing in kept) < 32 << 20


async def test_what_goes_again_is_another_page() -> None:
    journal, pages = batches(10), Pages(Names())
    live, again = (drafts_of(MemoryTail(journal), Limits(100, 1 << 20), pages=pages, name=name) for name in ("a", "b"))
    again.restart(Cursor(0, 0), replay_until=1)
    (first,), (second,) = await walked(live), await walked(again)
    assert {b'"replay":true' in each.body for each in first.events} == {False}
    assert {b'"replay":true' in each.body for each in second.events} == {True}


@given(journals(), st.data())
def test_chunks_end_where_they_are_told(journal: list[Batch], data: st.DataObject) -> None:
    ends = [Cursor(batch.position, index) for batch in journal for index in range(batch.last + 1)]
    until = data.draw(st.sampled_from(ends))
    cut = list(within((one for batch in journal for one in chunks(batch, Cursor(0, 0))), until))
    assert cut[-1].end == until
    places = [place for one in cut for place in one.places()]
    assert places == [place for batch in journal for place, _ in batch.placed() if place <= until]
    assert sum(gap.gone for one in cut for gap in one.gaps) == counted(journal)[until].expired


@given(st.integers(1, 600), st.sets(st.integers(0, 599), min_size=1), st.sampled_from([1_000, 100_000]))
def test_no_chunk_keeps_others_waiting_for_long(count: int, gone: set[int], octets: int) -> None:
    """Not that of a redrive either, which has all dead letters of a batch; of long events there are few in one."""
    (batch,) = batches(count)
    left = [index for index in range(count) if index not in gone] or [0]
    holed = batch._replace(indexes=left, events=[batch.events[n] for n in left], expired=3, size=octets * count)
    for found in (list(chunks(holed, Cursor(0, 0))), list(LettersTail.chunks(holed, Cursor(0, 0)))):
        assert max(len(one.events) for one in found) <= (128 if octets == 1_000 else 16)
        assert [place for one in found for place in one.places()] == [place for place, _ in holed.placed()]
        assert [one.end for one in found] == sorted({one.end for one in found})
        assert found[-1].end == holed.end
    assert sum(gap.gone for one in found for gap in one.gaps) == 3
