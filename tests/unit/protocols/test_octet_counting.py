"""Octet counting counts octets, not characters."""

from eventgate.protocols.octet_counting import frame


def test_each_message_stands_behind_its_length_in_octets() -> None:
    assert frame([b"abc", "caf\u00e9\n".encode(), b""]) == b"3 abc6 caf\xc3\xa9\n0 "


def test_no_message_is_nothing() -> None:
    assert frame([]) == b""
