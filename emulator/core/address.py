"""Which network addresses the emulator may call, for callbacks and fetched references."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

POLICIES = ("local", "upstream", "any", "off")

Address = IPv4Address | IPv6Address

# Cloud metadata services that do not live on link-local addresses.
_METADATA = frozenset(map(ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")))
_NAT64 = IPv6Network("64:ff9b::/96")
_PRIVATE = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "100.64.0.0/10"))
)
# No host's, whatever the version of Python thinks of them: protocol assignments, 6to4 relays,
# documentation, Teredo and its like, which carry another address inside.
_SPECIAL = tuple(
    map(
        ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "2001::/23", "3fff::/20", "5f00::/16"),
    )
)


def plain_address(address: Address) -> Address:
    """Return the IPv4 address inside an IPv6 one (mapped, 6to4, NAT64), or the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def why_forbidden(address: Address, policy: str) -> str | None:
    """Say why a policy does not let the emulator call an address; None where it does.

    Args:
        address: a resolved address, the one that the connection will use.
        policy: local (loopback and private), upstream (public only), any, or off.
    """
    if policy == "off":
        return "callbacks are off"
    inner = plain_address(address)
    if inner in _METADATA or inner.is_link_local or (inner.version == 6 and inner.is_site_local):
        return f"{address} is a link-local or metadata address, which is never called"
    is_local = inner.is_loopback or any(inner in network for network in _PRIVATE)
    if inner.is_multicast or inner.is_unspecified or (inner.is_reserved and not is_local):
        return f"{address} is no host's address"
    if policy == "local" and not is_local:
        return f"{address} is not a loopback or private address (--callbacks local)"
    is_special = any(inner in network for network in _SPECIAL)
    if policy == "upstream" and (is_local or is_special or not inner.is_global):
        return f"{address} is not a public address (--callbacks upstream)"
    return None


def allowed_addresses(addresses: Iterable[str], policy: str) -> tuple[list[str], str]:
    """Split resolved addresses into those a policy allows and why the last other is not.

    Returns:
        The allowed addresses in order, and a reason (empty where none was forbidden).
    """
    allowed, reason = [], ""
    for text in addresses:
        forbidden = why_forbidden(ip_address(text.partition("%")[0]), policy)
        if forbidden is None:
            allowed.append(text)
        else:
            reason = forbidden
    return allowed, reason


def split_http_url(url: str) -> SplitResult | None:
    """Split an absolute http(s) URL with a host and a possible port; None for anything else."""
    if any(c <= " " or c == "\\" or "\ud800" <= c <= "\udfff" for c in url):  # half characters too
        return None
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname and has_port else None


def is_loopback_host(host: str) -> bool:
    """Whether a host, an address or a name, is this machine and nothing else."""
    address = literal_address(host)
    if address is not None:
        return plain_address(address).is_loopback
    return host.lower() == "localhost" or host.lower().endswith(".localhost")


def literal_address(host: str) -> Address | None:
    """Read a host that is an address, not a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None
