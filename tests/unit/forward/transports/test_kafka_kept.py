import uuid

import pytest

from eventgate.forward.transports.kafka.kept import Kept, decode, encode
from eventgate.journal.cursors import Cursor, Standing, Totals

LARGEST = Kept(
    journal=uuid.uuid4(),
    standing=Standing(Cursor(2**63 - 1, 2**31 - 1), Totals(*[2**63 - 1] * 4), 2**31),
    digest=b"\xff" * 32,
    partitions=10_000,
    delivered_upto=Cursor(2**63 - 1, 2**31 - 1),
    lost=True,
)


@pytest.mark.parametrize("kept", [LARGEST, LARGEST._replace(delivered_upto=None, lost=False, digest=b"")])
def test_what_the_broker_keeps_reads_back_as_it_was(kept: Kept) -> None:
    assert decode(encode(kept)) == kept


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
        encode(LARGEST).replace(":1,", ":2,", 1),
    ],
)
def test_anything_else_is_not_a_cursor(text: str) -> None:
    with pytest.raises(ValueError):
        decode(text)


def test_a_later_versions_cursor_names_both_versions() -> None:
    with pytest.raises(ValueError, match=r"version 2.*reads 1"):
        decode(encode(LARGEST).replace('"version":1', '"version":2'))
