"""The ledger of a sink: every stored event is somewhere."""

from eventgate.sinks.ledger import Ledger


def test_it_balances_when_every_stored_event_is_accounted_for() -> None:
    assert Ledger(stored=21, before=1, delivered=2, filtered=3, dead=4, expired=5, pending=6).balances


def test_other_companies_events_are_a_part_of_it() -> None:
    assert Ledger(stored=28, before=1, delivered=2, filtered=3, dead=4, expired=5, pending=6, foreign=7).balances


def test_it_does_not_when_one_is_missing() -> None:
    assert not Ledger(stored=22, before=1, delivered=2, filtered=3, dead=4, expired=5, pending=6).balances
