"""`manage.py up`: services, web, workers and reconciler in the foreground; Ctrl-C stops all."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connections

from improvement.services import addresses, lock, postgres, valkey, web
from improvement.services.account import ServiceError
from improvement.services.supervisor import Program, Service, Supervisor


class Command(BaseCommand):
    help = "Run Pawl on this machine: PostgreSQL, Valkey, web, workers and reconciler."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--no-services", action="store_true", help="start no PostgreSQL and no Valkey"
        )
        parser.add_argument(
            "--workers", type=int, default=1, metavar="N", help="workers that collect and train"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["workers"] < 0:
            raise CommandError("--workers takes 0 or more.")
        settings.STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns where it is missing
        home: Path = settings.PAWL_HOME
        host, port = settings.PAWL_BIND, settings.PAWL_PORT
        try:
            with lock.hold(home), web.listen(host, port) as listener:
                services = [] if options["no_services"] else embedded_services(home)
                programs = [
                    Program(
                        "web", web.command(f"fd://{listener.fileno()}"), [listener.fileno()]
                    ),
                    *background_programs(options["workers"]),
                ]
                for program in programs:
                    program.folder = settings.BASE_DIR
                self._run(Supervisor(services, programs), host, port)
        except ServiceError as error:
            raise CommandError(str(error)) from error

    def _run(self, supervisor: Supervisor, host: str, port: int) -> None:
        started = time.monotonic()
        supervisor.start_services()
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except BaseException:
            supervisor.stop()
            raise
        connections.close_all()
        supervisor.say("up", f"database is up to date ({time.monotonic() - started:.1f} s)")

        def announce() -> None:
            if web.answers(host, port):
                supervisor.on_tick = lambda: None
                seconds = time.monotonic() - started
                supervisor.say("up", f"open http://{host}:{port} (ready in {seconds:.1f} s)")

        supervisor.on_tick = announce
        supervisor.run()


def embedded_services(home: Path) -> list[Service]:
    """The services whose address is not given."""
    services = []
    if addresses.database_is_embedded():
        services.append(
            Service(
                "postgres",
                start=lambda: postgres.start(home),
                running=lambda: postgres.running_pid(home) is not None,
                stop=lambda: postgres.stop(home),
            )
        )
    if addresses.redis_is_embedded():
        services.append(
            Service(
                "valkey",
                start=lambda: valkey.start(home),
                running=lambda: valkey.is_running(home),
                stop=lambda: valkey.stop(home),
            )
        )
    return services


def background_programs(workers: int) -> list[Program]:
    """Workers for the heavy queues, one for the rest, and the reconciler."""
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    heavy = [
        Program(f"worker-{i + 1}", [*manage, "work", "--queues", "rollout,train"])
        for i in range(workers)
    ]
    return [
        *heavy,
        Program("default", [*manage, "work", "--queues", "default"]),
        Program("reconcile", [*manage, "reconcile"]),
    ]
