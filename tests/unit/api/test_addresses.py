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
        ("10.0.0.1", {"Forwarded": "for=198.51.100.1", "X_Forwarded_For": "6.6.6.6"}, "198.51.100.1"),
        ("10.0.0.1", {"Forwarded": "for=unknown"}, ""),
        ("10.0.0.1", {"Forwarded": 'for="_hidden"'}, ""),
    ],
)
def test_the_caller_is_the_first_who_is_not_our_proxy(peer, headers, remote):
    assert Addresses("", PROXIES).origin(request(peer, **headers)).remote == remote


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
    assert addresses.base_url(request(Host="evil.example")) == "https://gate.example/eventgate"
    assert addresses.origin(request()).authority == "gate.example"


@pytest.mark.parametrize(
    ("host", "authority"),
    [("Gate.example:8080", "gate.example:8080"), ("[::1]:80", "[::1]:80"), ("a/b@c", "localhost"), ("", "localhost")],
)
def test_without_one_they_begin_with_the_name_that_was_called(host, authority):
    assert Addresses().base_url(request(Host=host)) == f"http://{authority}"
