"""Where a callback may go: what a name leads to decides, and only the operator makes exceptions."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.builtin.callback_addresses import AllowList, is_public
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.job import FailureClass
from oseo_lab.ports import ProcessingFailed

INSIDE = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2001:2::1",
    "3fff::1",
    "5f00::1",
    "192.88.99.1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
]
OUTSIDE = [
    "8.8.8.8",
    "93.184.216.34",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_not_public(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_everybody_reaches_is_public(address):
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_disguise(address):
    number = int(address)
    disguises = (
        ip_address((0xFFFF << 32) | number),
        ip_address((0x64FF9B << 96) | number),
        ip_address((0x2002 << 112) | (number << 80)),
    )
    assert {is_public(each) for each in disguises} == {is_public(address)}


@pytest.fixture
def names(monkeypatch):
    """Let names lead to what the test says; addresses lead to themselves."""
    known: dict[str, list[str]] = {}

    def resolve(host, port, *, type):
        if host in known:
            return [(socket.AF_INET, type, 6, "", (each, port)) for each in known[host]]
        try:
            return [(socket.AF_INET, type, 6, "", (str(ip_address(host)), port))]
        except ValueError:
            raise socket.gaierror(-2, "Name or service not known") from None

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


def refusal(allowed, host, port=80):
    with pytest.raises(ProcessingFailed) as refused:
        allowed.resolve(host, port)
    return refused.value


def test_one_private_address_among_public_ones_is_enough_to_refuse(names):
    names["mixed.example"] = ["93.184.216.34", "10.0.0.7"]
    refused = refusal(AllowList([]), "mixed.example")
    assert "10.0.0.7" not in refused.reason, "what names mean inside is told to nobody"
    assert "10.0.0.7" in refused.detail
    assert refused.failure_class is FailureClass.PERMANENT


def test_a_name_without_an_address_is_tried_again(names):
    refused = refusal(AllowList([]), "nowhere.example")
    assert "nowhere.example has no address" in refused.reason
    assert refused.failure_class is FailureClass.TRANSIENT


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "017700000001"])
def test_an_address_written_another_way_is_the_same_address(host):
    assert "127.0.0.1" in refusal(AllowList([]), host).detail


@pytest.mark.parametrize(
    ("entry", "host", "port", "is_allowed"),
    [
        ("intra.example", "intra.example", 80, True),
        ("intra.example", "INTRA.example.", 8443, True),
        ("intra.example", "other.example", 80, False),
        ("intra.example", "x.intra.example", 80, False),
        ("intra.example:8080", "intra.example", 8080, True),
        ("intra.example:8080", "intra.example", 80, False),
        ("10.1.2.3", "intra.example", 80, True),
        ("10.1.2.3", "10.1.2.3", 80, True),
        ("10.1.2.3:81", "10.1.2.3", 80, False),
        ("10.1.0.0/16", "intra.example", 80, True),
        ("10.2.0.0/16", "intra.example", 80, False),
        ("::1", "::1", 80, True),
        ("[::1]:81", "::1", 81, True),
        ("[::1]:81", "::1", 82, False),
        ("127.0.0.1", "::ffff:127.0.0.1", 80, True),
    ],
)
def test_the_operator_makes_exceptions(names, entry, host, port, is_allowed):
    for name in ("intra.example", "INTRA.example.", "other.example", "x.intra.example"):
        names[name] = ["10.1.2.3"]
    allowed = AllowList([entry])
    if is_allowed:
        assert allowed.resolve(host, port)
    else:
        refusal(allowed, host, port)


@pytest.mark.parametrize("entry", ["", "http://x.example/", "*.example", "a b", "x@y", "['127.0.0.1']"])
def test_an_exception_that_means_nothing_is_refused(entry):
    with pytest.raises(ConfigurationError, match="callback_hosts"):
        AllowList([entry])
