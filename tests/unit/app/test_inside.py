"""What lies inside the network is told from what does not, in every form that an address has."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.app.inside import checked_url, is_inside, networks, why_not
from surefoot.errors import BadRequest

INSIDE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "192.0.0.192", "168.63.129.16", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::",
    "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:a00:1", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001::1", "2001:db8::1",
]  # fmt: skip
OUTSIDE = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_the_network_is_refused_over_https_too(address: str) -> None:
    assert is_inside(ipaddress.ip_address(address))
    assert why_not("https", address, ())


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_is_called_over_https_only(address: str) -> None:
    assert why_not("https", address, ()) == ""
    assert "https" in why_not("http", address, ())


def test_a_scope_does_not_hide_a_link_local_address() -> None:
    assert why_not("https", "fe80::1%eth0", ())


def test_what_is_allowed_may_be_called_in_any_form_and_its_neighbours_may_not() -> None:
    allowed = networks(["127.0.0.1", "10.2.0.0/16", "fd00::/64"])
    for address in ("127.0.0.1", "::ffff:127.0.0.1", "10.2.3.4", "fd00::5"):
        assert why_not("http", address, allowed) == ""
    for address in ("127.0.0.2", "10.3.0.1", "fd00:0:0:1::5", "::1"):
        assert why_not("https", address, allowed)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_as_public_as_its_ipv6_forms(address: ipaddress.IPv4Address) -> None:
    forms = [f"::ffff:{address}", f"64:ff9b::{address}", f"2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::"]
    assert {is_inside(ipaddress.ip_address(form)) for form in forms} == {is_inside(address)}


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "ftp://example.org", "file:///etc/passwd", "https://", "https:///path", "https://a b.org/",
        "https://user:word@example.org/", "https://user@example.org/", "https://example.org/#@127.0.0.1",
        "https://example.org\\@127.0.0.1/", "https://example.org:99999/", "https://ex\u00e4mple.org/", "https://a/\r\nx: y",
        "https://example.org/" + "a" * 3000, "https://[::1", "gopher://127.0.0.1:25/x",
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused_with_the_field(url: str) -> None:
    with pytest.raises(BadRequest) as refused:
        checked_url(url)
    assert refused.value.param == "surefoot.webhook"


def test_host_and_port_are_what_the_client_will_use() -> None:
    read = [
        checked_url(url) for url in ("https://Example.org/x?y=1", "http://127.0.0.1:8000", "https://[2606:4700::1111]/")
    ]
    assert [(each.raw_host, each.port) for each in read] == [
        ("example.org", 443), ("127.0.0.1", 8000), ("2606:4700::1111", 443),
    ]  # fmt: skip
