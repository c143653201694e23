"""Roles, new accounts, and the demo's four accounts with random passwords."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from pathlib import Path

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.db import transaction

ROLES = ("reviewer", "engineer", "manager", "admin")


class NameTaken(Exception):
    """A user of that name exists; for the demo: and is somebody else."""


def create_account(name: str, password: str, roles: Sequence[str] = ()) -> User:
    """A new account with these roles. Raises NameTaken, or ValidationError for a bad name or
    password; then nothing was changed."""
    if User.objects.filter(username__iexact=name).exists():
        raise NameTaken(f"There is an account named {name!r} already. Nothing is changed.")
    user = User(username=name)
    validate_password(password, user)
    user.set_password(password)
    user.full_clean()
    with transaction.atomic():
        user.save()
        user.groups.set([group_of(role) for role in roles])
    return user


def group_of(role: str) -> Group:
    """The group that holds a role; made where it is missing."""
    return Group.objects.get_or_create(name=role)[0]


def demo_accounts(home: Path) -> dict[str, str]:
    """One account for each role, made where missing: name → password.

    The passwords are drawn at random once and kept in `home/demo-accounts.json` (mode 0600).
    Raises NameTaken; then nothing was changed.
    """
    place = home / "demo-accounts.json"
    passwords: dict[str, str] = json.loads(place.read_text()) if place.exists() else {}
    with transaction.atomic():
        for role in ROLES:
            if role not in passwords or not User.objects.filter(username=role).exists():
                passwords[role] = _account(role)
    place.touch(mode=0o600)
    place.write_text(json.dumps(passwords, indent=1))
    return passwords


def _account(role: str) -> str:
    """Make the account; its password."""
    if User.objects.filter(username=role).exists():
        raise NameTaken(
            f"There is a user {role!r} already who is not the demo's. The demo changes nobody's "
            "account: run it on a database of its own, or rename that user."
        )
    password = secrets.token_urlsafe(9)
    User.objects.create_user(role, password=password).groups.add(group_of(role))
    return password
