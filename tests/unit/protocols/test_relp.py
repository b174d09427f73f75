"""The RELP client as a state machine: framing, the window, answers in any pieces and any order."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventgate.protocols.relp import ProtocolError, Refusal, RelpClient

OK = b"200 OK"


def rsp(txnr: int, data: bytes = OK) -> bytes:
    return b"%d rsp %d %b\n" % (txnr, len(data), data)


def opened(window: int = 128) -> RelpClient:
    client = RelpClient(window)
    client.open()
    assert client.receive(rsp(1, b"200 OK\nrelp_version=0\ncommands=syslog")) == []
    assert client.ready
    return client


def test_the_offer_comes_first_and_nothing_may_be_sent_before_its_answer() -> None:
    client = RelpClient()
    offer = b"relp_version=0\nrelp_software=eventgate\ncommands=syslog"
    assert client.open() == b"1 open %d %b\n" % (len(offer), offer)
    assert client.room == 0
    client.receive(rsp(1))
    assert client.room == 128


def test_messages_are_framed_by_octets_and_numbered() -> None:
    assert opened().send([b"one", "caf\u00e9".encode()]) == b"2 syslog 3 one\n3 syslog 5 caf\xc3\xa9\n"


def test_the_window_fills_and_empties() -> None:
    client = opened(window=2)
    client.send([b"a", b"b"])
    assert (client.room, client.waiting) == (0, 2)
    assert client.receive(rsp(2)) == []
    assert (client.room, client.waiting, client.finished) == (1, 1, 1)


def test_answers_may_come_in_any_order_and_refusals_carry_the_receivers_words() -> None:
    client = opened()
    client.send([b"a", b"b"])
    assert client.receive(rsp(3, b"500 too long")) == [Refusal(1, "too long")]
    assert client.finished == 0
    client.receive(rsp(2))
    assert client.finished == 2


def test_an_answer_to_nothing_we_sent_is_ignored() -> None:
    client = opened()
    client.send([b"a"])
    assert client.receive(rsp(77) + rsp(2) + rsp(2)) == []
    assert (client.finished, client.waiting) == (1, 0)


@given(st.lists(st.integers(1, 9), max_size=60))
def test_answers_in_pieces_of_any_size(sizes: list[int]) -> None:
    client = opened()
    client.send([b"a", b"b", b"c"])
    stream = rsp(2) + rsp(3, b"500 no") + rsp(4, b"200") + b"0 serverclose 0\n"
    refused: list[Refusal] = []
    for size in sizes:
        refused += client.receive(stream[:size])
        stream = stream[size:]
    refused += client.receive(stream)
    assert refused == [Refusal(1, "no")]
    assert client.finished == 3
    assert client.closed
    assert client.room == 0


def test_a_hint_to_close_with_or_without_its_blank() -> None:
    for hint in (b"0 serverclose 0\n", b"0 serverclose 0 \n"):
        client = opened()
        client.receive(hint)
        assert client.closed


def test_a_session_refused() -> None:
    client = RelpClient()
    client.open()
    with pytest.raises(ProtocolError, match="unsupported version"):
        client.receive(rsp(1, b"500 unsupported version"))


@pytest.mark.parametrize(
    "nonsense",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 60,
        b"2 rsp 6 200 OKx",
        b"2 rsp 999999999 ",
        b"2 rsp 6\n",
        b"2 syslog 1 a\n",
    ],
)
def test_nonsense_ends_the_session(nonsense: bytes) -> None:
    client = opened()
    client.send([b"a"])
    with pytest.raises(ProtocolError):
        client.receive(nonsense)


def test_transaction_numbers_start_again_after_the_largest() -> None:
    client = opened()
    client._txnr = 999_999_998
    assert client.send([b"a", b"b"]) == b"999999999 syslog 1 a\n1 syslog 1 b\n"
    client.receive(rsp(999_999_999) + rsp(1))
    assert client.finished == 2


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_answered_by_nothing_or_by_a_protocol_error(received: bytes) -> None:
    client = opened()
    client.send([b"a"])
    with contextlib.suppress(ProtocolError):
        client.receive(received)


def test_close() -> None:
    assert opened().close() == b"2 close 0\n"
