"""`manage.py work --queues rollout,train`: do the stages that these queues bring."""

from __future__ import annotations

import logging
import time
from argparse import ArgumentParser
from typing import Any

import redis
from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import connections

from improvement.jobs import worker

log = logging.getLogger(__name__)
LONGEST_PAUSE = 10.0  # seconds between two attempts to reach the queue


class Command(BaseCommand):
    help = "Do the stages that these queues bring, one at a time, until told to stop."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--queues", default=",".join(settings.RQ_QUEUES), metavar="A,B")
        parser.add_argument("--burst", action="store_true", help="end when the queues are empty")

    def handle(self, *args: Any, **options: Any) -> None:
        queues = [name.strip() for name in options["queues"].split(",") if name.strip()]
        unknown = sorted(set(queues) - set(settings.RQ_QUEUES))
        if unknown or not queues:
            known = ", ".join(settings.RQ_QUEUES)
            raise CommandError(f"There is no queue {', '.join(unknown)!r}. Queues: {known}.")
        worker.preload(queues)
        connections.close_all()
        pause = 0.5
        while True:
            began = time.monotonic()
            if self._work(queues, burst=options["burst"]):
                return
            pause = 0.5 if time.monotonic() - began > 60 else min(pause * 2, LONGEST_PAUSE)
            log.warning("The worker of %s starts again in %.0f s", ", ".join(queues), pause)
            time.sleep(pause)

    def _work(self, queues: list[str], *, burst: bool) -> bool:
        """True when the worker ended as it should; False when the queue went away."""
        made = None
        try:
            made = worker.make_worker(queues)
            made.work(burst=burst, logging_level=logging.getLevelName(logging.root.level))
        except (redis.RedisError, OSError) as error:
            log.warning("The queue does not answer: %s", error)
            return bool(made and made.asked_to_stop)
        return burst or made.asked_to_stop
