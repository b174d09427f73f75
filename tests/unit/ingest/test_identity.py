"""Identity: what is the same keeps its id, what differs in anything that counts gets another."""

from uuid import UUID

from eventgate.ids import is_uuid7, uuid7_ms
from eventgate.ingest.identity import id_of_content, id_of_event_id
from tests.unit.ingest.house import NOW

SECRET, SENSOR, DIGEST = b"s" * 32, UUID(int=1), b"d" * 32


def test_ids_are_uuid7_of_the_events_own_time() -> None:
    for made in (id_of_event_id(SECRET, SENSOR, NOW, "e"), id_of_content(SECRET, NOW, DIGEST, 0)):
        assert is_uuid7(made)
        assert uuid7_ms(made) == NOW


def test_the_same_event_gets_the_same_id() -> None:
    assert id_of_event_id(SECRET, SENSOR, NOW, "e") == id_of_event_id(SECRET, SENSOR, NOW, "e")
    assert id_of_content(SECRET, NOW, DIGEST, 3) == id_of_content(SECRET, NOW, DIGEST, 3)


def test_whatever_counts_changes_the_id() -> None:
    ids = [
        id_of_event_id(SECRET, SENSOR, NOW, "e"),
        id_of_event_id(b"t" * 32, SENSOR, NOW, "e"),
        id_of_event_id(SECRET, UUID(int=2), NOW, "e"),
        id_of_event_id(SECRET, SENSOR, NOW + 1, "e"),
        id_of_event_id(SECRET, SENSOR, NOW, "f"),
        id_of_content(SECRET, NOW, DIGEST, 0),
        id_of_content(SECRET, NOW, DIGEST, 1),
        id_of_content(b"t" * 32, NOW, DIGEST, 0),
        id_of_content(SECRET, NOW, b"e" * 32, 0),
    ]
    assert len({made.int & (1 << 74) - 1 for made in ids}) == len(ids)


def test_a_derivation_does_not_change_between_releases() -> None:
    assert str(id_of_event_id(SECRET, SENSOR, NOW, "e")) == "019aa649-1a00-7134-86b9-52117dfebd88"
    assert str(id_of_content(SECRET, NOW, DIGEST, 0)) == "019aa649-1a00-70b0-acf6-ed96efd8e13e"
