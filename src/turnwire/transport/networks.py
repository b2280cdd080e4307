"""Sets of addresses, and who a request comes from that a proxy has passed on. Pure."""

import ipaddress
from collections.abc import Iterable, Sequence

UNIX = "unix"
"""Stands for the address of whoever comes by a unix socket, which has none."""


class Networks:
    """A set of addresses."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Addresses, and networks such as 10.0.0.0/8. Raises ValueError for anything else."""
        self._networks = [ipaddress.ip_network(each) for each in networks]

    @classmethod
    def parse(cls, text: str) -> "Networks":
        """The same, separated by commas."""
        return cls(each.strip() for each in text.split(",") if each.strip())

    def __contains__(self, address: str | None) -> bool:
        if address is None:
            return False
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(known in network for network in self._networks)


LOOPBACK = Networks(("127.0.0.0/8", "::1"))


def is_proxy(peer: str, proxies: Networks) -> bool:
    """Whether what this peer says of its clients is believed.

    Only a proxy has a reason to come by a unix socket.
    """
    return peer == UNIX or peer in proxies


def client_of(peer: str, forwarded_for: Sequence[str], proxies: Networks) -> str:
    """The address of the client for whom a peer asks, by its X-Forwarded-For headers.

    Each proxy appends who came to it, so what is left of the last one that is no proxy may be
    anybody's invention.
    """
    named = [each.strip() for header in forwarded_for for each in header.split(",")]
    client = peer
    while named and is_proxy(client, proxies):
        address = _address(named.pop())
        if address is None:
            break
        client = address
    return client


def _address(text: str) -> str | None:
    """An address that may have a port behind it: some proxies say which."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text)).removeprefix("::ffff:")
    except ValueError:
        return None
