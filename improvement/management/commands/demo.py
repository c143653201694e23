"""`manage.py demo`: everything up, a seeded agent, one real cycle, a candidate to review."""

from __future__ import annotations

import subprocess
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connections

from improvement.accounts import NameTaken, demo_accounts
from improvement.jobs.agents import create_agent
from improvement.models import Agent, CandidateStates
from improvement.services import process, web
from improvement.serving.base_model import BaseModelMissing, prepare

AGENT = "till"


class Command(BaseCommand):
    help = "Start Pawl with a demo agent, let it learn for one cycle, and wait for your review."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--cycles", type=int, default=1, help="cycles to run (default 1)")
        parser.add_argument(
            "--exit", action="store_true", help="stop when the candidate awaits review"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._prepare_model()
        pawl = self._start()
        try:
            self._learn(options["cycles"])
            if not options["exit"] and pawl is not None:
                pawl.wait()
        except KeyboardInterrupt:
            self.stdout.write("Stopping.")
        finally:
            if pawl is not None and pawl.poll() is None:
                pawl.terminate()
                pawl.wait(timeout=30)

    def _prepare_model(self) -> None:
        try:
            prepare(settings.PAWL_BASE_MODEL, settings.PAWL_HOME, self.stdout.write)
        except BaseModelMissing as error:
            raise CommandError(str(error)) from error

    def _start(self) -> subprocess.Popen[bytes] | None:
        """`manage.py up` as a child, or None when this home's Pawl answers already."""
        host, port = settings.PAWL_BIND, settings.PAWL_PORT
        if web.answers(host, port, "/readyz") and _same_home():
            self.stdout.write(f"Pawl is running at http://{host}:{port}.")
            return None
        up = [sys.executable, str(settings.BASE_DIR / "manage.py"), "up"]
        pawl = process.spawn(up, cwd=settings.BASE_DIR)
        while not web.answers(host, port, "/readyz"):
            if pawl.poll() is not None:
                raise CommandError("Pawl did not start; the lines above say why.")
            time.sleep(0.2)
        return pawl

    def _learn(self, cycles: int) -> None:
        connections.close_all()
        try:
            accounts = demo_accounts(settings.PAWL_HOME)
        except NameTaken as error:
            raise CommandError(str(error)) from error
        agent = create_agent(
            AGENT, title="The till", environment="till", actor=User.objects.get(username="admin")
        )
        self._say_how_to_sign_in(accounts)
        waiting = agent.candidates.filter(state=CandidateStates.REVIEW).first()
        if waiting is None and not _learned(agent):
            call_command("improve", AGENT, cycles=cycles, by="engineer", stdout=self.stdout)
        waiting = agent.candidates.filter(state=CandidateStates.REVIEW).first()
        url = f"http://{settings.PAWL_BIND}:{settings.PAWL_PORT}"
        if waiting:
            self.stdout.write(f"\n{waiting} awaits your review: {url}/candidates/{waiting.pk}/")
        self._say_how_to_sign_in(accounts)
        self.stdout.write("Ctrl-C stops everything; `make up` starts it again.")

    def _say_how_to_sign_in(self, accounts: dict[str, str]) -> None:
        self.stdout.write(f"\nSign in at http://{settings.PAWL_BIND}:{settings.PAWL_PORT}")
        for name, password in accounts.items():
            self.stdout.write(f"  {name:<10} {password}")
        self.stdout.flush()


def _same_home() -> bool:
    """Whether the Pawl of this PAWL_HOME is the one that runs."""
    from improvement.services import lock

    return lock.pid_file(settings.PAWL_HOME).exists()


def _learned(agent: Agent) -> bool:
    return agent.runs.exists()
