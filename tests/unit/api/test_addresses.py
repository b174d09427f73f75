"""Where a request comes from: proxies are believed as far as they are ours."""

from ipaddress import ip_network
from types import SimpleNamespace

import pytest
from multidict import CIMultiDict

from eventgate.api.addresses import Addresses

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def request(peer: str | None = "10.0.0.1", scheme: str = "http", **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(remote=peer, scheme=scheme, headers=CIMultiDict(named))


@pytest.mark.parametrize(
    ("peer", "headers", "remote"),
    [
        ("192.0.2.1", {}, "192.0.2.1"),
        ("192.0.2.1", {"X_Forwarded_For": "198.51.100.1"}, "192.0.2.1"),
        ("192.0.2.1", {"Forwarded": "for=198.51.100.1"}, "192.0.2.1"),
        (None, {}, ""),
        ("10.0.0.1", {}, "10.0.0.1"),
        ("10.0.0.1", {"X_Forwarded_For": "198.51.100.1"}, "198.51.100.1"),
        ("10.0.0.1", {"X_Forwarded_For": "6.6.6.6, 198.51.100.1"}, "198.51.100.1"),
        ("10.0.0.1", {"X_Forwarded_For": "6.6.6.6, 198.51.100.1, 10.2.3.4"}, "198.51.100.1"),
        ("10.0.0.1", {"X_Forwarded_For": "10.9.9.9, 10.2.3.4"}, "10.9.9.9"),
        ("10.0.0.1", {"X_Forwarded_For": "198.51.100.1:5555"}, "198.51.100.1"),
        ("10.0.0.1", {"X_Forwarded_For": "[2001:db8::1]:5555"}, "2001:db8::1"),
        ("10.0.0.1", {"X_Forwarded_For": "::ffff:198.51.100.1"}, "198.51.100.1"),
        ("10.0.0.1", {"X_Forwarded_For": "6.6.6.6, rubbish"}, ""),
        ("fd00::1", {"Forwarded": 'for="[2001:db8::1]:80";proto=https'}, "2001:db8::1"),
        ("10.0.0.1", {"Forwarded": "for=6.6.6.6, for=198.51.100.1;by=10.0.0.1"}, "198.51.100.1"),
        ("10.0.0.1", {"Forwarded": "for=unknown"}, ""),
        ("10.0.0.1", {"Forwarded": 'for="_hidden"'}, ""),
    ],
)
def test_the_caller_is_the_first_who_is_not_our_proxy(peer, headers, remote):
    assert Addresses("", PROXIES).origin(request(peer, **headers)).remote == remote


def of(*fields: tuple[str, str], peer: str = "10.0.0.1"):
    return SimpleNamespace(remote=peer, scheme="http", headers=CIMultiDict(fields))


FORWARDED, FOR = "Forwarded", "X-Forwarded-For"
SPOOFS = [
    # A proxy writes one of the two fields and passes on the other, which its caller made up.
    [(FORWARDED, "for=6.6.6.6"), (FOR, "198.51.100.1")],
    [(FOR, "6.6.6.6"), (FORWARDED, "for=198.51.100.1")],
    [(FORWARDED, "for=6.6.6.6, for=10.0.0.2"), (FOR, "6.6.6.6, 198.51.100.1")],
    # A proxy adds its words to what came, on the same line or on one of its own.
    [(FOR, "6.6.6.6, 198.51.100.1")],
    [(FOR, "6.6.6.6"), (FOR, "198.51.100.1")],
    [(FOR, "6.6.6.6,"), (FOR, ",198.51.100.1 ,")],
    [("x-forwarded-for", "6.6.6.6"), ("X-FORWARDED-FOR", "198.51.100.1")],
    [(FORWARDED, "for=6.6.6.6"), (FORWARDED, "for=198.51.100.1")],
    # What came was made to swallow those words, or to look like them.
    [(FORWARDED, 'for="6.6.6.6, for=198.51.100.1')],
    [(FORWARDED, 'for=6.6.6.6;x="'), (FORWARDED, "for=198.51.100.1")],
    [(FORWARDED, 'for=198.51.100.1;host="a, for=6.6.6.6"')],
    [(FORWARDED, 'host="a;for=6.6.6.6";for=198.51.100.1')],
    [(FORWARDED, 'x="a, for=198.51.100.1;host=";for=6.6.6.6;y="b"')],
    [(FORWARDED, 'host="a\\", for=6.6.6.6')],
    [(FORWARDED, "for=6.6.6.6;for=198.51.100.1")],
    [(FORWARDED, "for=198.51.100.1;for=6.6.6.6")],
    [(FORWARDED, "for =6.6.6.6")],
    [(FORWARDED, "for=6.6.6.6 for=198.51.100.1")],
    [(FORWARDED, "for=6.6.6.6, by=10.0.0.1")],
    [(FORWARDED, "FOR=6.6.6.6, For=198.51.100.1")],
    # Nobody said who.
    *[[(FORWARDED, f"for=6.6.6.6, for={node}")] for node in ("unknown", "_a", '"_a:_b"', '"unknown:80"', '""')],
    *[[(FOR, f"6.6.6.6, {node}")] for node in ("unknown", "_a", "-", "127.0.0.1.evil.example", "6.6.6.6 6.6.6.6")],
    # What is no address is none, whatever a lenient reader would make of it.
    *[[(FOR, node)] for node in ("6.6.6", "0x06.6.6.6", "06.6.6.6", "101058054", "6.6.6.6/8", "6.6.6.6:", "6.6.6.6:x")],
    *[[(FOR, node)] for node in ("[6.6.6.6]:80:80", "[::ffff:6.6.6.6", "::ffff:6.6.6.6]", "[::ffff:6.6.6.6]x")],
    *[[(FOR, node)] for node in ("::ffff:6.6.6.6%10.0.0.1", "6.6.6.6%25", "\u0666.6.6.6")],
]


@pytest.mark.parametrize("fields", SPOOFS, ids=str)
def test_nobody_passes_for_another(fields):
    assert Addresses("", PROXIES).origin(of(*fields)).remote in ("198.51.100.1", "")


@pytest.mark.parametrize(
    ("fields", "remote"),
    [
        ([(FORWARDED, "for=198.51.100.1"), (FOR, "198.51.100.1:4711")], "198.51.100.1"),
        ([(FORWARDED, 'for=198.51.100.1;proto=http;by="[fd00::2]:80";host="a:80"')], "198.51.100.1"),
        ([(FORWARDED, 'FOR="198.51.100.1:80" ; proto=http , for="[fd00::7]"')], "198.51.100.1"),
        ([(FORWARDED, 'for="[::ffff:198.51.100.1]:80"')], "198.51.100.1"),
        ([(FORWARDED, "for=unknown, for=198.51.100.1")], "198.51.100.1"),
        ([(FOR, "unknown, 198.51.100.1, [::ffff:10.0.0.7]:80, fd00::8")], "198.51.100.1"),
        ([(FOR, "2001:DB8:0:0::1")], "2001:db8::1"),
        ([(FOR, "[2001:db8::1]")], "2001:db8::1"),
        ([(FOR, " , ")], "10.0.0.1"),
    ],
    ids=str,
)
def test_what_proxies_write_is_understood(fields, remote):
    assert Addresses("", PROXIES).origin(of(*fields)).remote == remote


@pytest.mark.parametrize(
    ("peer", "remote"),
    [("::ffff:192.0.2.1", "192.0.2.1"), ("::ffff:10.0.0.1", "198.51.100.1"), ("fd00::1%eth0", "198.51.100.1")],
)
def test_a_peer_has_one_spelling(peer, remote):
    assert Addresses("", PROXIES).origin(of((FOR, "198.51.100.1"), peer=peer)).remote == remote


def test_the_last_proxy_says_how_the_caller_came():
    fields = [(FOR, "198.51.100.1"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Proto", "http")]
    assert Addresses("", PROXIES).origin(of(*fields)).scheme == "http"


def test_without_configured_proxies_nobody_is_believed():
    assert Addresses().origin(request("10.0.0.1", X_Forwarded_For="6.6.6.6")).remote == "10.0.0.1"


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [
        ({}, "http"),
        ({"X_Forwarded_For": "198.51.100.1", "X_Forwarded_Proto": "https"}, "https"),
        ({"X_Forwarded_For": "198.51.100.1", "X_Forwarded_Proto": "gopher"}, "http"),
        ({"Forwarded": "for=198.51.100.1;proto=https"}, "https"),
        ({"Forwarded": "for=198.51.100.1", "X_Forwarded_Proto": "https"}, "http"),
    ],
)
def test_a_proxy_may_say_how_the_caller_came(headers, scheme):
    assert Addresses("", PROXIES).origin(request(**headers)).scheme == scheme
    assert Addresses("", PROXIES).origin(request("192.0.2.1", **headers)).scheme == "http"


def test_links_begin_with_the_configured_address():
    addresses = Addresses("https://gate.example/eventgate/")
    assert addresses.base_url(addresses.origin(request(Host="evil.example"))) == "https://gate.example/eventgate"
    assert addresses.origin(request()).authority == "gate.example"


@pytest.mark.parametrize(
    ("host", "authority"),
    [("Gate.example:8080", "gate.example:8080"), ("[::1]:80", "[::1]:80"), ("a/b@c", "localhost"), ("", "localhost")],
)
def test_without_one_they_begin_with_the_name_that_was_called(host, authority):
    assert Addresses().base_url(Addresses().origin(request(Host=host))) == f"http://{authority}"
