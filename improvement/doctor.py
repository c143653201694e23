"""What works on this machine and what does not: one finding a part, each with its remedy.

Everything here is looked up when it is asked for, so that importing this module costs nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from django.conf import settings
from django.db import connection

from improvement import checks, health
from improvement.services import addresses
from improvement.services.trouble import explain

State = Literal["ok", "note", "failed"]
LEAST_DISK = 4 << 30  # bytes: base model, database, a few adapters
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Finding:
    """`note` is worth knowing and stops nothing; `failed` has a remedy."""

    part: str
    state: State
    text: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """All findings. A part whose examination breaks is a failed finding, never a traceback."""
    for part, look in PARTS.items():
        try:
            yield from look()
        except Exception as error:  # whatever it is, the other parts are still examined
            told = explain(error) or f"{type(error).__name__}: {error}"
            yield Finding(part, "failed", told, "Run `python manage.py doctor --traceback`.")


def python() -> Iterator[Finding]:
    found = ".".join(str(n) for n in sys.version_info[:3])
    fine = sys.version_info >= (3, 11)
    yield Finding("python", "ok" if fine else "failed", found, "" if fine else "Use 3.11 or newer.")


def torch() -> Iterator[Finding]:
    try:
        found = version("torch")
    except PackageNotFoundError:
        remedy = "Run `make env`, or install the dependencies in pyproject.toml."
        yield Finding("torch", "failed", "not installed", remedy)
        return
    from improvement.serving import hardware

    device = hardware.choose_device()
    dtype = str(hardware.choose_dtype(device)).removeprefix("torch.")
    yield Finding("torch", "ok", f"{found}, computes on {device} in {dtype}")


def gpu() -> Iterator[Finding]:
    program = shutil.which("nvidia-smi")
    if program is None:
        yield Finding("gpu", "note", "none found: the processor does all the work")
        return
    query = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    done = subprocess.run(query, capture_output=True, text=True, check=False, timeout=20)
    names = "; ".join(done.stdout.split("\n")).strip("; ")
    yield Finding("gpu", "ok" if names else "note", names or "nvidia-smi names none")


def database() -> Iterator[Finding]:
    if not health.database_answers():
        yield Finding("database", "failed", "does not answer", _start_or("DATABASE_URL"))
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user")
        role, superuser = cursor.fetchone()
        cursor.execute("SHOW server_version")
        number = cursor.fetchone()[0]
    kind = "embedded" if addresses.database_is_embedded() else "external"
    text = f"PostgreSQL {number}, {kind}, role {role}"
    if superuser:
        remedy = f"ALTER ROLE {role} NOSUPERUSER; it needs to own its database, no more."
        yield Finding("database", "failed", f"{text} is a superuser", remedy)
    else:
        yield Finding("database", "ok", f"{text} (not a superuser)")


def queue() -> Iterator[Finding]:
    if not health.queue_answers():
        yield Finding("queue", "failed", "does not answer", _start_or("REDIS_URL"))
        return
    facts = health.queue_client().info()
    number = facts.get("valkey_version") or facts["redis_version"]
    if facts.get("aof_enabled"):
        yield Finding("queue", "ok", f"{number}, append-only file on")
    else:
        remedy = "Set `appendonly yes` on the server. (Stages survive: the database has them.)"
        yield Finding("queue", "note", f"{number} forgets its jobs when it stops", remedy)


def _start_or(name: str) -> str:
    given = os.environ.get(name)
    return f"Check {name} and the server." if given else "Run `python manage.py up`."


def disk() -> Iterator[Finding]:
    home = settings.PAWL_HOME
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    free = shutil.disk_usage(home).free
    text = f"{free / 2**30:.1f} GiB free in {home}"
    if free < LEAST_DISK:
        remedy = f"Free {(LEAST_DISK - free) / 2**30:.1f} GiB, or set PAWL_HOME to another disk."
        yield Finding("disk", "failed", text, remedy)
    else:
        yield Finding("disk", "ok", text)


def base_model() -> Iterator[Finding]:
    from improvement.serving import base_model as models

    spec = settings.PAWL_BASE_MODEL
    if spec.startswith("package:"):
        try:
            place = models.packaged_gguf(spec.removeprefix("package:"))
        except models.BaseModelMissing as error:
            yield Finding("base model", "failed", f"{spec} is missing", str(error))
            return
        yield Finding("base model", "ok", f"{spec} ({place})")
    elif os.path.isdir(spec):
        models.check(settings.BASE_DIR / spec)
        yield Finding("base model", "ok", spec)
    else:
        yield Finding("base model", "note", f"{spec} is fetched from the hub when it is needed")


def environments() -> Iterator[Finding]:
    for name, path in settings.PAWL_ENVIRONMENTS.items():
        trouble = checks.trouble_with_environment(path)
        if trouble:
            remedy = "Correct the class or its dotted path in PAWL_ENVIRONMENTS."
            yield Finding(f"environment {name}", "failed", f"{path}: {trouble}", remedy)
        else:
            yield Finding(f"environment {name}", "ok", path)


def browser() -> Iterator[Finding]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    remedy = "" if found else "Only the browser tests need it: apt-get install chromium"
    yield Finding("chromium", "ok" if found else "note", found or "not found", remedy)


def sandbox() -> Iterator[Finding]:
    from improvement.sandbox import config, selftest

    by = config.runtime()
    yield Finding("sandbox", "note", f"walls by {by[0] if by else 'sandlock'}; each is tried now")
    for probe in selftest.probes():
        state: State = "ok" if probe.ok else "failed"
        remedy = "" if probe.ok else selftest.REMEDY
        yield Finding(f"sandbox: {probe.name}", state, probe.text, remedy)


def judges() -> Iterator[Finding]:
    from improvement.verifiers.judging.endpoints import read_endpoints

    try:
        endpoints = read_endpoints(os.environ | {"PAWL_HOME": str(settings.PAWL_HOME)})
    except ValueError as error:
        yield Finding("judges", "failed", str(error), "Correct PAWL_JUDGES: see docs/judges.md.")
        return
    if not endpoints:
        yield Finding("judges", "note", "no model judge is set up (PAWL_JUDGES)")
    for name, endpoint in endpoints.items():
        text = f"{endpoint.model} at {endpoint.url}, {'with' if endpoint.key else 'without'} a key"
        if endpoint.trouble:
            remedy = f"Run `python manage.py judge_key {name}`."
            yield Finding(f"judge {name}", "failed", endpoint.trouble, remedy)
        else:
            yield Finding(f"judge {name}", "ok", text)


PARTS: dict[str, Callable[[], Iterator[Finding]]] = {
    "python": python,
    "torch": torch,
    "gpu": gpu,
    "database": database,
    "queue": queue,
    "disk": disk,
    "base model": base_model,
    "environments": environments,
    "judges": judges,
    "chromium": browser,
    "sandbox": sandbox,
}
