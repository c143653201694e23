"""`manage.py web`: the web server alone, after the system checks (for containers)."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from improvement.services import web


class Command(BaseCommand):
    help = "Run the web server alone on PAWL_BIND:PAWL_PORT."

    def handle(self, *args: Any, **options: Any) -> None:
        host = f"[{settings.PAWL_BIND}]" if ":" in settings.PAWL_BIND else settings.PAWL_BIND
        command = web.command(f"{host}:{settings.PAWL_PORT}")
        os.chdir(settings.BASE_DIR)
        os.execv(command[0], command)  # noqa: S606  no shell is meant
