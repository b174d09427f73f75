import uuid

import pytest

from eventgate.forward.transports.kafka.kept import Kept, decode, encode
from eventgate.journal.cursors import Cursor, Replay, Standing, Totals

LARGEST = Kept(
    journal=uuid.uuid4(),
    standing=Standing(
        Cursor(2**63 - 1, 2**31 - 1),
        Totals(*[2**63 - 1] * 4),
        2**31,
        2**31,
        Replay(Cursor(2**63 - 1, 2**31 - 1), Cursor(2**63 - 1, 2**31 - 1), Totals(*[2**63 - 1] * 4)),
    ),
    digest=b"\xff" * 32,
    partitions=10_000,
    delivered_upto=Cursor(2**63 - 1, 2**31 - 1),
    lost=True,
    replayed_upto=Cursor(2**63 - 1, 2**31 - 1),
)
FIRST_VERSION = (
    '{"version":1,"journal":"00000000-0000-0000-0000-000000000001","generation":3,"cursor":[7,2],"totals":[5,4,3,2],'
    '"digest":"ff","partitions":6,"delivered_upto":[8,0],"lost":false}'
)


@pytest.mark.parametrize("kept", [LARGEST, LARGEST._replace(delivered_upto=None, lost=False, digest=b"")])
def test_what_the_broker_keeps_reads_back_as_it_was(kept: Kept) -> None:
    assert decode(encode(kept)) == kept


def test_what_the_version_before_kept_is_read_and_its_generation_set_the_cursor() -> None:
    standing = Standing(Cursor(7, 2), Totals(5, 4, 3, 2), generation=3, since=3)
    assert decode(FIRST_VERSION) == Kept(uuid.UUID(int=1), standing, b"\xff", 6, Cursor(8, 0))


def test_the_largest_cursor_stays_far_below_what_a_broker_takes() -> None:
    assert len(encode(LARGEST)) < 1024


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "7",
        '{"version":1}',
        '{"version":1,"journal":5}',
        encode(LARGEST).replace(":2,", ":3,", 1),
    ],
)
def test_anything_else_is_not_a_cursor(text: str) -> None:
    with pytest.raises(ValueError):
        decode(text)


def test_a_later_versions_cursor_names_both_versions() -> None:
    with pytest.raises(ValueError, match=r"version 3.*reads 1 and 2"):
        decode(encode(LARGEST).replace('"version":2', '"version":3'))
