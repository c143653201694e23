"""`manage.py cancel RUN`: stop a run; what is done is kept."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from improvement.jobs import launch
from improvement.models import Run


class Command(BaseCommand):
    help = "Stop a run at its next check. What is done is kept; `resume` goes on from there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, help="the run's number, as `status` shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = Run.objects.select_related("agent").get(pk=options["run"])
            launch.cancel(run, None)
        except Run.DoesNotExist as error:
            raise CommandError(f"There is no run {options['run']}.") from error
        except launch.Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{run} (run {run.pk}) is being cancelled.")
