"""Which addresses lie inside the network: a webhook goes to none of them, whatever name or form it comes under."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from yarl import URL

from surefoot.errors import BadRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FURTHER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments; one cloud's metadata lies there
        "168.63.129.16/32",  # a cloud's own service, at an address that looks public
        "64:ff9b:1::/48",  # translated to local IPv4
        "::/96",  # IPv4 in its oldest IPv6 form
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LONGEST = 2048


def checked_url(url: str) -> URL:
    """An address that may be called at all, read by the same library that will call it. Raises BadRequest saying why not."""
    if not url.isascii() or any(c <= " " or c in "\\\x7f" for c in url) or len(url) > _LONGEST:
        raise _refused(f"a webhook is an address of at most {_LONGEST} plain characters")
    try:
        parts = URL(url)
        host = parts.raw_host
    except ValueError:
        raise _refused("the webhook is no address") from None
    if parts.scheme not in ("http", "https") or not host or parts.port is None:
        raise _refused("a webhook begins with https:// (or http://, where `webhook_allow` names its address)")
    if parts.raw_user is not None or parts.raw_password is not None or parts.raw_fragment:
        raise _refused("a webhook holds no name, no password and no fragment")
    return parts


def why_not(scheme: str, address: str, allowed: Sequence[Network]) -> str:
    """Why an address may not be called, "" when it may. `allowed` networks may, also unencrypted."""
    found = _plain(ipaddress.ip_address(address.partition("%")[0]))
    if any(found in network for network in allowed if network.version == found.version):
        return ""
    if is_inside(found):
        return f"{address} lies inside the network"
    return "" if scheme == "https" else "only https goes to addresses that `webhook_allow` does not name"


def is_inside(address: Address) -> bool:
    """Whether an address is not on the public Internet: loopback, private, link-local, metadata, reserved, multicast.

    Forms of IPv6 that carry an IPv4 address are as public as what they carry.
    """
    found = _plain(address)
    if not found.is_global or found.is_multicast or found.is_reserved or found.is_unspecified:
        return True
    return any(found in network for network in _FURTHER if network.version == found.version)


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and networks ("127.0.0.1", "10.2.0.0/16"). Raises ValueError for anything else."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def _plain(address: Address) -> Address:
    """The address that is meant, unwrapped from the IPv6 forms that carry an IPv4 one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _refused(message: str) -> BadRequest:
    return BadRequest(message, param="surefoot.webhook")
