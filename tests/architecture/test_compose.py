"""compose.yaml: what can be said about it without a container engine."""

import re

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

TEXT = (settings.BASE_DIR / "compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
WORKERS = {"worker-rollout": "rollout", "worker-train": "train", "worker-default": "default"}


def test_it_has_the_production_shape():
    assert set(SERVICES) == {"postgres", "valkey", "migrate", "web", "reconciler", *WORKERS}
    assert SERVICES["postgres"]["image"] == "postgres:18"
    assert SERVICES["valkey"]["image"] == "valkey/valkey:9"
    assert "yes" in SERVICES["valkey"]["command"]  # --appendonly


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_lasting_service_has_a_health_check(name):
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout"} <= set(check)


def test_every_management_command_in_it_exists():
    lines = [
        part
        for service in SERVICES.values()
        for part in (service.get("command", []), service.get("healthcheck", {}).get("test", []))
    ]
    named = {line[line.index("manage.py") + 1] for line in lines if "manage.py" in line}
    assert {"migrate", "web", "work", "reconcile", "alive"} == named
    assert named <= set(get_commands())


@pytest.mark.parametrize(("service", "queue"), WORKERS.items())
def test_each_worker_serves_a_queue_that_settings_name(service, queue):
    assert SERVICES[service]["command"][-1] == queue
    assert queue in settings.RQ_QUEUES


def test_no_secret_has_a_default():
    secrets = {"PAWL_SECRET_KEY", *re.findall(r"\$\{(\w+_PASSWORD)", TEXT)}
    for use in re.findall(r"\$\{(\w+)([^}]*)\}", TEXT):
        assert use[0] not in secrets or use[1].startswith(":?"), use
    assert len(secrets) == 4


def test_the_health_check_of_web_asks_the_right_place():
    code = SERVICES["web"]["healthcheck"]["test"][-1]
    compile(code, "compose.yaml", "exec")
    assert "/readyz" in code
    assert "8000" in code


def test_every_named_volume_and_config_is_declared():
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in COMPOSE["volumes"]
        for config in service.get("configs", []):
            assert config["source"] in COMPOSE["configs"]


def test_the_application_role_is_not_a_superuser():
    assert "NOSUPERUSER" in COMPOSE["configs"]["application-role"]["content"]
