"""Roles, and the demo's four accounts with random passwords."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from django.contrib.auth.models import Group, User
from django.db import transaction

ROLES = ("reviewer", "engineer", "manager", "admin")


def demo_accounts(home: Path) -> dict[str, str]:
    """One account for each role, made where missing: name → password.

    The passwords are drawn at random once and kept in `home/demo-accounts.json` (mode 0600).
    """
    place = home / "demo-accounts.json"
    passwords: dict[str, str] = json.loads(place.read_text()) if place.exists() else {}
    with transaction.atomic():
        for role in ROLES:
            password = passwords.setdefault(role, secrets.token_urlsafe(9))
            _account(role, password)
    place.touch(mode=0o600)
    place.write_text(json.dumps(passwords, indent=1))
    return passwords


def _account(role: str, password: str) -> None:
    group, _ = Group.objects.get_or_create(name=role)
    user, made = User.objects.get_or_create(username=role)
    if made or not user.check_password(password):
        user.set_password(password)
        user.save()
    user.groups.add(group)
