"""Line framing: as RFC 6587, section 3.4.2, shows it."""

from eventgate.protocols import line_framing


def test_each_message_ends_with_a_line_feed() -> None:
    assert line_framing.frame([b"<34>1 one", b"<34>1 \xc3\xa9"]) == b"<34>1 one\n<34>1 \xc3\xa9\n"
    assert line_framing.frame([]) == b""


def test_a_message_with_a_line_feed_does_not_fit() -> None:
    assert line_framing.fits(b"one\rline")
    assert not line_framing.fits(b"two\nlines")
    assert not line_framing.fits(b"one\n")
