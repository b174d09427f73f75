"""What a group says of each event: accepted, duplicate, conflict, and where."""

from benchmarks.rows import Site
from eventgate.event import Event
from eventgate.journal.group import Group
from eventgate.journal.outcome import Outcome, Receipt, Status
from eventgate.journal.recent import Recent
from eventgate.journal.rows import pack

MS = 1_763_726_400_000
RECEIPT = Receipt(9, b"d" * 32)


def other_content(event: Event) -> Event:
    return event._replace(content_digest=b"x" * 32)


def test_fresh_is_sorted_by_id_then_company() -> None:
    early, late = Site(companies=1).write(MS, 2)
    stranger = early._replace(company=Site(seed=1).companies[0])
    group = Group([pack([late, early]), pack([stranger])], Recent())
    keys = [(row.event.id.bytes, row.event.company.bytes) for row in group.fresh]
    assert keys == sorted((event.id.bytes, event.company.bytes) for event in (early, late, stranger))


def test_outcomes_come_in_the_callers_order() -> None:
    early, late = Site().write(MS, 2)
    group = Group([pack([late, early])], Recent())
    group.committed(RECEIPT)
    (appended,) = group.outcomes()
    assert appended.outcomes == [Outcome(Status.ACCEPTED, 9, 1), Outcome(Status.ACCEPTED, 9, 0)]
    assert appended.receipt == RECEIPT


def test_a_repeat_inside_a_write_is_a_duplicate_of_its_first() -> None:
    (event,) = Site().write(MS, 1)
    group = Group([pack([event, event, other_content(event)])], Recent())
    assert len(group.fresh) == 1
    group.committed(RECEIPT)
    (appended,) = group.outcomes()
    assert [outcome.status for outcome in appended.outcomes] == [Status.ACCEPTED, Status.DUPLICATE, Status.CONFLICT]
    assert {outcome[1:] for outcome in appended.outcomes} == {(9, 0)}


def test_the_same_write_twice_in_a_group_is_stored_once() -> None:
    event, extra = Site().write(MS, 2)
    group = Group([pack([event]), pack([event]), pack([event, extra])], Recent())
    group.committed(RECEIPT)
    first, second, third = group.outcomes()
    assert [outcome.status for outcome in first.outcomes] == [Status.ACCEPTED]
    assert [outcome.status for outcome in second.outcomes] == [Status.DUPLICATE]
    assert [outcome.status for outcome in third.outcomes] == [Status.DUPLICATE, Status.ACCEPTED]
    assert (first.receipt, second.receipt, third.receipt) == (RECEIPT, None, RECEIPT)


def test_what_is_remembered_is_not_copied_again() -> None:
    event, extra = Site().write(MS, 2)
    recent = Recent()
    (row,) = pack([event])
    recent.remember({row.key: (event.content_digest, 3, 7)})
    group = Group([pack([event, other_content(event), extra])], recent)
    assert [fresh.event for fresh in group.fresh] == [extra]
    group.committed(RECEIPT)
    (appended,) = group.outcomes()
    assert appended.outcomes == [
        Outcome(Status.DUPLICATE, 3, 7),
        Outcome(Status.CONFLICT, 3, 7),
        Outcome(Status.ACCEPTED, 9, 0),
    ]


def test_what_the_database_knows_leaves_no_gap_in_the_indexes() -> None:
    first, second, third = Site().write(MS, 3)
    rows = pack([first, second, third])
    group = Group([rows], Recent())
    group.found({rows[1].key: (second.content_digest, 2, 0)})
    group.committed(RECEIPT)
    (appended,) = group.outcomes()
    assert [outcome[1:] for outcome in appended.outcomes] == [(9, 0), (2, 0), (9, 1)]
    assert appended.outcomes[1].status is Status.DUPLICATE


def test_a_group_of_repeats_alone_has_nothing_fresh_and_no_receipt() -> None:
    (event,) = Site().write(MS, 1)
    recent = Recent()
    recent.remember({pack([event])[0].key: (event.content_digest, 1, 0)})
    group = Group([pack([event])], recent)
    assert group.fresh == []
    (appended,) = group.outcomes()
    assert appended.receipt is None


def test_one_id_of_two_companies_is_two_events() -> None:
    (event,) = Site().write(MS, 1)
    stranger = event._replace(company=Site(seed=1).companies[0], content_digest=b"y" * 32)
    group = Group([pack([event]), pack([stranger])], Recent())
    group.committed(RECEIPT)
    assert [appended.outcomes[0].status for appended in group.outcomes()] == [Status.ACCEPTED, Status.ACCEPTED]
