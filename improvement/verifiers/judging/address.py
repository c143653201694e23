"""Which addresses a judge may be asked at: a guard against requests into the inner network.

A name is resolved once and every address that it has must be allowed; the connection is then
made to those addresses and no name is looked up again (see wire.py). Public addresses are allowed;
private ones only where the endpoint says so; link-local, multicast, reserved and the addresses
that hand out a cloud machine's credentials never.
"""

from __future__ import annotations

import re
import socket
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from improvement.verifiers.judging.troubles import Trouble

Address = IPv4Address | IPv6Address

HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")
INNER4 = [
    IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8",
                      "100.64.0.0/10")
]  # fmt: skip
INNER6 = [IPv6Network("fc00::/7"), IPv6Network("::1/128")]
# what Python 3.11 counts as global although nothing public lives there
NOWHERE4 = [
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("198.18.0.0/15"),
]
NOWHERE6 = [
    IPv6Network("2001::/23"),
    IPv6Network("2001:db8::/32"),
    IPv6Network("3fff::/20"),
    IPv6Network("fec0::/10"),
]
PUBLIC6 = IPv6Network("2000::/3")
NAT64 = [IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48")]
COMPATIBLE = IPv6Network("::/96")
METADATA = {
    IPv4Address("169.254.169.254"),
    IPv4Address("100.100.100.200"),
    IPv6Address("fd00:ec2::254"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send: `path` is of the chat completions, `host` without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The tidy text: equal for equal addresses. Holds no secret."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == (443 if self.scheme == "https" else 80)
        return host if usual else f"{host}:{self.port}"


def target_of(url: str) -> Target:
    """The parts of an endpoint's address. ValueError says what is wrong with it; as an address
    may hold a password where none belongs, the message never repeats it."""
    if re.search(r"[\s\\\x00-\x1f\x7f]", url):
        raise ValueError("the address has a space or a character that no address may hold")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise ValueError("the address can't be read; write https://host/v1") from None
    if parts.scheme not in {"http", "https"}:
        raise ValueError("the address must begin with https:// or http://")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            "the address may hold no account, no ?query and no #fragment; "
            "store a key with `manage.py judge_key`"
        )
    if not HOST.fullmatch(host) or port == 0:
        raise ValueError("the address names no host that can be asked (use punycode, no zone)")
    path = parts.path.rstrip("/").removesuffix("/chat/completions") + "/chat/completions"
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


def refusal(address: Address, private: bool) -> str:
    """Why this address is not asked, or nothing."""
    inner, wrapped = _unwrapped(address)
    if inner in METADATA or address in METADATA:
        return "it hands out a cloud machine's credentials"
    if wrapped and not private:
        return "it wraps an IPv4 address"
    if _within(inner):
        return "" if private else "it is private"
    return "" if _public(inner) else "it is link-local, multicast or reserved"


def resolve(target: Target, private: bool, seconds: float) -> tuple[str, ...]:
    """The addresses of the host, each of them allowed; Trouble where one is not."""
    found = _look_up(target, seconds)
    for text in found:
        # never the address itself: it would tell a stranger about the inner network
        if why := refusal(ip_address(text), private):
            remedy = ' Set "private": true if that is meant.' if "private" in why else ""
            raise Trouble(f"{target.host} is at an address that is not asked: {why}.{remedy}")
    return found


def _look_up(target: Target, seconds: float) -> tuple[str, ...]:
    """Every address once, in the resolver's order. A resolver that hangs is left behind."""
    found: list[str] = []

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(row[4][0]) for row in rows))
        except (OSError, UnicodeError):
            return

    thread = threading.Thread(target=ask, daemon=True, name="judge-look-up")
    thread.start()
    thread.join(max(0.0, seconds))
    addresses = tuple(found)
    if not addresses:
        raise Trouble(f"the name {target.host} was not found")
    return addresses


def _unwrapped(address: Address) -> tuple[Address, bool]:
    """The IPv4 address inside an IPv6 one (mapped, 6to4, Teredo, NAT64, compatible), if any."""
    if isinstance(address, IPv4Address):
        return address, False
    if inside := address.ipv4_mapped or address.sixtofour:
        return inside, True
    if address.teredo:
        return address.teredo[1], True
    if any(address in net for net in NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF), True
    if address in COMPATIBLE and int(address) > 1:
        return IPv4Address(int(address)), True
    return address, False


def _within(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return any(address in net for net in INNER4)
    return any(address in net for net in INNER6)


def _public(address: Address) -> bool:
    if address.is_multicast or address.is_reserved or address.is_link_local:
        return False
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in net for net in NOWHERE4)
    return address in PUBLIC6 and address.is_global and not any(address in net for net in NOWHERE6)
