"""Sets of addresses, and who a request comes from that proxies have passed on."""

import pytest

from turnwire.transport.networks import Networks, client_of

PROXIES = Networks.parse("127.0.0.1, 10.0.0.0/8,fd00::/8")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.200.3.4", "fd00::7"])
def test_an_address_of_a_network_is_in_it(address: str) -> None:
    assert address in PROXIES


@pytest.mark.parametrize("address", ["127.0.0.2", "11.0.0.1", "fe80::1", "unix", "", None])
def test_all_else_is_not(address: str | None) -> None:
    assert address not in PROXIES


def test_what_is_no_network_is_none() -> None:
    with pytest.raises(ValueError, match="proxy"):
        Networks.parse("10.0.0.0/8,proxy.example.org")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.66, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.66", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1:5060"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::1]:5060"], "2001:db8::1"),
        ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, \x00'; DROP"], "10.0.0.1"),
        ("10.0.0.1", [" , "], "10.0.0.1"),
        ("unix", ["198.51.100.1"], "198.51.100.1"),
        ("unix", [], "unix"),
    ],
)
def test_the_client_is_the_last_that_no_trusted_proxy_stands_for(
    peer: str, forwarded_for: list[str], client: str
) -> None:
    assert client_of(peer, forwarded_for, PROXIES) == client
