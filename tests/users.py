"""People for tests: their roles are Django groups."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.contrib.auth.models import Group, User

ROLES = ("reviewer", "engineer", "manager", "admin")
PASSWORD = "a good long password"
_numbers = count(1)


def make_user(role: str = "", name: str = "", **fields: Any) -> User:
    """A user who can sign in with PASSWORD; `role` is a group's name, or nothing: a stranger."""
    name = name or f"{role or 'stranger'}-{next(_numbers)}"
    user = User.objects.create_user(name, password=PASSWORD, **fields)
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user
