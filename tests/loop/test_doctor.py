"""`manage.py doctor`: a line a part, a remedy for what failed, and an exit status."""

import json

import pytest
from django.core.management import call_command

from improvement import doctor


def findings(capsys):
    """What doctor says as JSON, by part, and its exit status."""
    status = 0
    try:
        call_command("doctor", "--json")
    except SystemExit as end:
        status = end.code
    return {f["part"]: f for f in json.loads(capsys.readouterr().out)}, status


@pytest.fixture(autouse=True)
def without_torch(monkeypatch):
    monkeypatch.setitem(doctor.PARTS, "torch", lambda: iter(()))


@pytest.mark.external
@pytest.mark.django_db
def test_it_finds_the_services_in_order(capsys, services):
    found, _ = findings(capsys)
    assert found["database"]["state"] == "ok"
    assert "not a superuser" in found["database"]["text"]
    assert "append-only file on" in found["queue"]["text"]
    assert found["environment till"]["state"] == "ok"
    walls = [f for part, f in found.items() if part.startswith("sandbox: ")]
    assert len(walls) >= 10
    assert all(wall["state"] == "ok" for wall in walls)


@pytest.mark.django_db
def test_it_ends_with_1_and_names_the_remedy(capsys, services, settings):
    settings.PAWL_ENVIRONMENTS = {"shop": "improvement.nowhere.Shop"}
    found, status = findings(capsys)
    assert status == 1
    assert found["environment shop"]["state"] == "failed"
    assert "PAWL_ENVIRONMENTS" in found["environment shop"]["remedy"]


@pytest.mark.django_db
def test_every_failed_line_has_a_remedy(capsys, services, settings, monkeypatch):
    settings.PAWL_BASE_MODEL = "package:no_such_package"
    monkeypatch.setattr(doctor, "LEAST_DISK", 1 << 60)
    monkeypatch.setenv("REDIS_URL", "unix:///nowhere/valkey.sock")
    found, status = findings(capsys)
    failed = {part for part, f in found.items() if f["state"] == "failed"}
    assert status == 1
    assert failed == {"base model", "disk", "queue"}
    assert all(found[part]["remedy"] for part in failed)


@pytest.mark.django_db
def test_a_broken_examination_does_not_end_the_others(capsys, services, monkeypatch):
    def broken():
        raise ZeroDivisionError("division by zero")

    monkeypatch.setitem(doctor.PARTS, "gpu", broken)
    found, status = findings(capsys)
    assert status == 1
    assert "ZeroDivisionError" in found["gpu"]["text"]
    assert "sandbox" in found


def test_a_missing_wall_is_named_with_a_remedy(monkeypatch):
    monkeypatch.setenv("PAWL_SANDBOX_RUNTIME", "env")
    found = {finding.part: finding for finding in doctor.sandbox()}
    assert found["sandbox: a program that got past its own filter"].state == "failed"
    assert "PAWL_SANDBOX_RUNTIME" in found["sandbox: a program that got past its own filter"].remedy
    assert "possible" in found["sandbox: a program that got past its own filter"].text


def test_the_torch_line_names_device_and_precision():
    (finding,) = doctor.torch()
    assert finding.state == "ok"
    assert "bfloat16" in finding.text or "float32" in finding.text


@pytest.mark.django_db
def test_judge_endpoints_are_named_without_their_keys(capsys, services, monkeypatch):
    address = "https://judge.example/v1"
    monkeypatch.setenv("PAWL_JUDGES", json.dumps({"strict": {"url": address, "model": "m"}}))
    found, _ = findings(capsys)
    assert found["judge strict"]["state"] == "ok"
    assert "without a key" in found["judge strict"]["text"]


@pytest.mark.django_db
def test_a_judge_endpoint_that_makes_no_sense_is_a_failed_finding(capsys, services, monkeypatch):
    monkeypatch.setenv("PAWL_JUDGES", '{"strict": {"url": "ftp://judge.example", "model": "m"}}')
    found, status = findings(capsys)
    assert status == 1
    assert "https://" in found["judges"]["text"]
    assert "PAWL_JUDGES" in found["judges"]["remedy"]
