"""Which addresses a judge is asked at."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improvement.verifiers.judging.address import refusal, resolve, target_of
from improvement.verifiers.judging.troubles import Trouble

PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::200e"]
PRIVATE = [
    "127.0.0.1", "127.8.9.10", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "::1", "fc00::1", "fd12:3456::1",
]  # fmt: skip
WRAPPED = [
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "2002:7f00:1::", "2002:808:808::1", "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1", "::7f00:1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]  # fmt: skip
NEVER = [
    "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1",
    "192.88.99.1", "::", "fe80::1", "fe80::1%1", "fec0::1", "ff02::1", "2001:db8::1", "100::1",
    "4000::1", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::", "::a9fe:a9fe",
]  # fmt: skip


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_asked(text: str) -> None:
    assert refusal(ip_address(text), private=False) == ""


@pytest.mark.parametrize("text", PRIVATE)
def test_a_private_address_is_asked_only_where_that_is_allowed(text: str) -> None:
    assert "private" in refusal(ip_address(text), private=False)
    assert refusal(ip_address(text), private=True) == ""


@pytest.mark.parametrize("text", WRAPPED)
def test_an_address_that_wraps_another_is_refused(text: str) -> None:
    assert refusal(ip_address(text), private=False)


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("text", NEVER)
def test_some_addresses_are_never_asked(text: str, private: bool) -> None:
    assert refusal(ip_address(text), private)


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_what_python_calls_private_or_special_is_never_asked_as_public(inner: IPv4Address) -> None:
    if not inner.is_global or inner.is_multicast:
        assert refusal(inner, private=False)
    for form in (f"::ffff:{inner}", f"64:ff9b::{inner}", f"::{inner}"):
        assert refusal(ip_address(form), private=False)


@pytest.mark.parametrize(
    ("url", "tidy"),
    [
        ("https://Api.Example.com/v1/", "https://api.example.com/v1/chat/completions"),
        ("https://api.example.com:443/v1", "https://api.example.com/v1/chat/completions"),
        ("http://h:8080", "http://h:8080/chat/completions"),
        ("http://[::1]:80/v1/chat/completions", "http://[::1]/v1/chat/completions"),
    ],
)
def test_equal_addresses_have_equal_text(url: str, tidy: str) -> None:
    assert target_of(url).url == tidy
    assert target_of(tidy).url == tidy


@pytest.mark.parametrize(
    "url",
    [
        "", "h", "ftp://h/v1", "file:///etc/passwd", "gopher://h", "javascript:1", "https://",
        "https:///v1", "https://user:sesame@h/v1", "https://sesame@h", "https://h/v1?key=sesame",
        "https://h/v1#sesame", "https://h:99999", "https://h:0", "https://h:x", "https://[::1",
        "https://[fe80::1%25eth0]/v1", "https://hé/v1", "https://h/v 1", "https://h/\r\nX: 1",
        "https://h\\@evil", "https://h\x00",
    ],
)  # fmt: skip
def test_an_address_that_makes_no_sense_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="the address") as refused:
        target_of(url)
    assert "sesame" not in str(refused.value)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://h/{text}"):
        try:
            target = target_of(url)
        except ValueError:
            continue
        assert target_of(target.url) == target
        assert target.authority.isascii()


def test_resolving_names_the_host_and_the_remedy_and_not_the_inner_address() -> None:
    with pytest.raises(Trouble) as refused:
        resolve(target_of("https://localhost/v1"), private=False, seconds=5)
    assert '"private": true' in str(refused.value)
    assert "127.0.0.1" not in str(refused.value)
    assert resolve(target_of("https://localhost/v1"), private=True, seconds=5)


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "[fe80::1]"])
def test_the_permission_for_private_addresses_is_no_permission_for_these(host: str) -> None:
    with pytest.raises(Trouble, match="not asked"):
        resolve(target_of(f"http://{host}/latest"), private=True, seconds=5)
