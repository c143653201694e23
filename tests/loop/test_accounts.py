"""The demo's accounts."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from improvement.accounts import ROLES, NameTaken, demo_accounts

pytestmark = pytest.mark.django_db


def test_one_account_a_role_with_a_password_that_stays(tmp_path: Path) -> None:
    first = demo_accounts(tmp_path)
    assert demo_accounts(tmp_path) == first
    assert set(first) == set(ROLES)
    for role, password in first.items():
        user = User.objects.get(username=role)
        assert user.check_password(password)
        assert [g.name for g in user.groups.all()] == [role]
    assert (tmp_path / "demo-accounts.json").stat().st_mode & 0o777 == 0o600


def test_somebody_else_s_account_is_left_alone(tmp_path: Path) -> None:
    User.objects.create_user("admin", password="a password of her own")
    with pytest.raises(NameTaken, match="'admin' already"):
        demo_accounts(tmp_path)
    assert User.objects.count() == 1
    assert User.objects.get().check_password("a password of her own")
    assert not User.objects.get().groups.exists()
