"""Addresses as people write them: what is taken, how it is kept, what is said of the rest."""

import pytest

from eventgate.access.keys.whitelist import networks, read_network, within


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.1/32", "192.0.2.1"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8::0001", "2001:db8::1"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("2001:db8::1/128", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("::/0", "::/0"),
    ],
)
def test_an_address_is_kept_in_its_usual_spelling(written, kept):
    assert read_network(written) == kept


@pytest.mark.parametrize("written", ["192.0.2.1/24", "2001:db8::1/32", "10.0.0.1/0"])
def test_host_bits_are_refused_with_what_may_have_been_meant(written):
    with pytest.raises(ValueError, match="is the block") as caught:
        read_network(written)
    assert written.split("/")[1] in str(caught.value)


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "nonsense", "192.0.2", "192.0.2.256", "192.0.2.1 ", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/024",
        "192.0.2.0/255.255.255.0", "192.0.2.0/0.0.0.255", "010.0.0.1", "1", "3221225985", "fe80::1%eth0",
        "2001:db8::/129", "[2001:db8::1]", "192.0.2.1:80", "192.0.2.0-192.0.2.9", "*", "\u0661.1.1.1", "example.org",
        "::ffff:192.0.2.1/24",
    ],
)  # fmt: skip
def test_nonsense_is_refused(written):
    with pytest.raises(ValueError, match=r"expected|bits set"):
        read_network(written)


def test_one_list_is_within_another_block_by_block():
    own = networks(["192.0.2.0/24", "2001:db8::/32"])
    assert within(networks(["192.0.2.7", "192.0.2.128/25", "2001:db8:1::/48"]), own)
    assert not within(networks(["192.0.2.7", "198.51.100.1"]), own)
    assert not within(networks(["0.0.0.0/0"]), own)
    assert not within(networks(["::/0"]), own)
