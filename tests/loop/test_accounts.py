"""The demo's accounts, and those that people get."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

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


def make(monkeypatch: pytest.MonkeyPatch, name: str, password: str, *roles: str) -> str:
    """`create_account` with the password on standard input; what it said."""
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    out = io.StringIO()
    call_command("create_account", name, *(f"--role={role}" for role in roles), stdout=out)
    return out.getvalue()


def test_a_person_gets_an_account_with_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    said = make(monkeypatch, "rita", "a good long password", "reviewer", "manager")
    rita = User.objects.get(username="rita")
    assert rita.check_password("a good long password")
    assert sorted(rita.groups.values_list("name", flat=True)) == ["manager", "reviewer"]
    assert "rita may sign in as reviewer, manager." in said
    assert not rita.is_superuser


def test_a_role_is_given_and_taken_away(capsys: pytest.CaptureFixture[str]) -> None:
    ana = User.objects.create_user("ana", password="a password of her own")
    for arguments, roles in (
        (["engineer"], ["engineer"]),
        (["reviewer"], ["engineer", "reviewer"]),
        (["reviewer"], ["engineer", "reviewer"]),
        (["engineer", "--take"], ["reviewer"]),
        (["reviewer", "--take"], []),
    ):
        call_command("give_role", "ana", *arguments)
        assert sorted(ana.groups.values_list("name", flat=True)) == roles
    assert capsys.readouterr().out.endswith("ana may sign in as a reader.\n")
    with pytest.raises(CommandError, match="no account named 'nobody'"):
        call_command("give_role", "nobody", "admin")
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("give_role", "ana", "king")


def test_without_a_role_a_person_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "as a reader" in make(monkeypatch, "stan", "a good long password")
    assert not User.objects.get(username="stan").groups.exists()


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("ana", "another long password", "already"),
        ("ANA", "another long password", "already"),
        ("new", "short", "too short"),
        ("new", "password123", "too common"),
        ("new", "", "too short"),
        ("a b <i>", "a good long password", "valid username"),
    ],
)
def test_a_taken_name_and_a_weak_password_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, password: str, said: str
) -> None:
    User.objects.create_user("ana", password="a password of her own")
    with pytest.raises(CommandError, match=said):
        make(monkeypatch, name, password, "admin")
    assert User.objects.count() == 1
    assert not User.objects.get().groups.exists()
