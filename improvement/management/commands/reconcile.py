"""`manage.py reconcile`: put right, again and again, what crashes left behind."""

from __future__ import annotations

import logging
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand
from django.db import Error, connections

from improvement.jobs import reconciler

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Ring for waiting stages, and take stages from workers that died."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one pass")
        parser.add_argument(
            "--every", type=float, default=0.0, metavar="SECONDS", help="default: a quarter lease"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(str(reconciler.reconcile()))
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stop.set())
        pause = options["every"] or reconciler.pause()
        log.info("reconciling every %.1f s", pause)
        while not stop.wait(pause):
            self._pass()

    def _pass(self) -> None:
        try:
            if mended := reconciler.reconcile():
                log.info("%s", mended)
        except Error as error:
            log.warning("The database does not answer, trying again: %s", error)
            connections.close_all()
