"""`manage.py alive worker|reconciler`: the health check of a container without a web page."""

from __future__ import annotations

import socket
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

import django_rq
from django.core.management import BaseCommand, CommandError
from django.utils import timezone
from rq import Worker

from improvement.models import Doorbell

SILENT = timedelta(minutes=15)  # a worker in a long job beats at least this often
WAITING = timedelta(minutes=2)  # the reconciler looks every few seconds


class Command(BaseCommand):
    help = "Ends with 1 where this host's worker is silent, or nobody rings waiting doorbells."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("part", choices=["worker", "reconciler"])

    def handle(self, *args: Any, **options: Any) -> None:
        trouble = worker_trouble() if options["part"] == "worker" else reconciler_trouble()
        if trouble:
            raise CommandError(trouble)
        self.stdout.write("ok")


def worker_trouble() -> str:
    """Why no worker of this host counts as alive, or nothing."""
    workers = Worker.all(connection=django_rq.get_connection("default"))
    here = [worker for worker in workers if worker.hostname == socket.gethostname()]
    if not here:
        return "No worker of this host is registered in the queue."
    beats = [worker.last_heartbeat for worker in here if worker.last_heartbeat]
    newest = max((beat.replace(tzinfo=UTC) for beat in beats), default=None)
    if newest is None or datetime.now(UTC) - newest > SILENT:
        return f"The worker of this host was last heard at {newest}."
    return ""


def reconciler_trouble() -> str:
    """How long the oldest doorbell has waited, where that is too long; else nothing."""
    oldest = Doorbell.objects.filter(rung_at=None).order_by("id").first()
    if oldest is None or timezone.now() - oldest.created_at < WAITING:
        return ""
    return f"A doorbell has waited since {oldest.created_at}: nobody rings."
