"""System checks: what is unsafe or can't work is refused before anything starts."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.utils.module_loading import import_string

from improvement.services import addresses

SHORTEST_SECRET = 32
KNOWN_SECRETS = ("django-insecure", "change", "secret-key", "example", "insecure", "default")
Messages = list[CheckMessage]
Apps = Sequence[AppConfig] | None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host` (a name counts only as "localhost")."""
    if host in ("", "localhost") or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@register(Tags.security)
def check_debug(app_configs: Apps, **kwargs: Any) -> Messages:
    if not settings.DEBUG or is_loopback(settings.PAWL_BIND):
        return []
    return [
        Error(
            f"PAWL_DEBUG is on while the server listens on {settings.PAWL_BIND}: error pages "
            "would show settings and code to the network.",
            hint="Unset PAWL_DEBUG, or set PAWL_BIND to 127.0.0.1.",
            id="pawl.E001",
        )
    ]


@register(Tags.security)
def check_secret(app_configs: Apps, **kwargs: Any) -> Messages:
    secret = settings.SECRET_KEY
    short = len(secret) < SHORTEST_SECRET or len(set(secret)) < 6
    if not short and not any(word in secret.lower() for word in KNOWN_SECRETS):
        return []
    return [
        Error(
            "PAWL_SECRET_KEY is too short or a well-known value: sessions could be forged.",
            hint='Make one: python -c "import secrets; print(secrets.token_urlsafe(48))"',
            id="pawl.E002",
        )
    ]


@register(Tags.compatibility)
def check_environments(app_configs: Apps, **kwargs: Any) -> Messages:
    """Every environment in PAWL_ENVIRONMENTS imports and can be made.

    A warning only: one broken environment stops neither the other agents nor a rollback.
    """
    return [
        Warning(
            f"The environment {name!r} ({path}) can't be used: {trouble}",
            hint="Correct the class or its dotted path in PAWL_ENVIRONMENTS.",
            id="pawl.W003",
        )
        for name, path in settings.PAWL_ENVIRONMENTS.items()
        if (trouble := trouble_with_environment(path))
    ]


def trouble_with_environment(path: str) -> str:
    """Why the environment class at `path` can't be used, or nothing."""
    try:
        import_string(path)()
    except Exception as error:  # it is other people's code: whatever it raises is reported
        return f"{type(error).__name__}: {error}"
    return ""


@register(Tags.security)
def check_addresses(app_configs: Apps, **kwargs: Any) -> Messages:
    """No database or queue that the network reaches without a password."""
    given = (
        ("DATABASE_URL", addresses.database_url(), "pawl.E003"),
        ("REDIS_URL", addresses.redis_url(), "pawl.E004"),
    )
    return [
        Error(
            f"{name} names the host {host} without a password: whoever reaches it owns Pawl.",
            hint=f"Set a password on the server and put it into {name}.",
            id=number,
        )
        for name, url, number in given
        if (host := open_host(url))
    ]


def open_host(url: str) -> str:
    """The host of `url` where it is another machine and no password is given."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return ""
    host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
    return "" if is_loopback(host) or parts.password else host


@register(Tags.security, deploy=True)
def check_open_bind(app_configs: Apps, **kwargs: Any) -> Messages:
    if is_loopback(settings.PAWL_BIND) or settings.PAWL_TLS:
        return []
    return [
        Warning(
            f"The server listens on {settings.PAWL_BIND} without TLS: passwords cross the "
            "network in the clear.",
            hint="Put a TLS proxy before it and set PAWL_TLS=1.",
            id="pawl.W001",
        )
    ]


@register(Tags.security, deploy=True)
def check_hosts(app_configs: Apps, **kwargs: Any) -> Messages:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Warning(
            "PAWL_HOSTS accepts every host name: links in pages could be forged.",
            hint="List the names that people use.",
            id="pawl.W002",
        )
    ]
