"""Which addresses may be dialled."""

import pytest

from eventgate.outbound import AddressRefused, Reach

NEVER = [
    "169.254.169.254", "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
    "fd00:ec2::254", "fd20:ce::254", "168.63.129.16", "192.0.0.192",
    "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd12::1", "fec0::1", "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("private", [False, True])
def test_public_addresses_may_be_reached(address, private):
    Reach(private).demand(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_permission(address):
    Reach(private=True).demand(address)
    with pytest.raises(AddressRefused, match="private_addresses = true"):
        Reach().demand(address)


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("private", [False, True])
def test_some_are_never_reached(address, private):
    with pytest.raises(AddressRefused):
        Reach(private).demand(address)
