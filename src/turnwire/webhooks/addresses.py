"""Which addresses are anybody's to post to, and not those of the operator's own network."""

import ipaddress
from ipaddress import IPv4Address, IPv6Address

_WITH_IPV4_AT_THE_END = (
    ipaddress.IPv6Network("64:ff9b::/96"),  # NAT64
    ipaddress.IPv6Network("::/96"),  # as IPv4 was once written
)


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet, and so is any that it stands for."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False
    return all(each.is_global and not each.is_multicast for each in (address, *_within(address)))


def _within(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that packets to an IPv6 address may end at."""
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _WITH_IPV4_AT_THE_END):
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in found if each is not None]
