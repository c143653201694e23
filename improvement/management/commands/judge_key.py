"""`manage.py judge_key NAME`: keep the key of a judge endpoint, for its present address alone."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from improvement.services import addresses
from improvement.verifiers.judging.endpoints import describe_endpoints
from improvement.verifiers.judging.keys import keys_file, store_key


class Command(BaseCommand):
    help = "Keep the key of a judge endpoint. It is read from the terminal or from standard input."
    requires_system_checks = []  # a key may be entered before anything else is set up

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the endpoint's name in PAWL_JUDGES")
        parser.add_argument("--remove", action="store_true", help="forget its key")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        path = keys_file({**os.environ, "PAWL_HOME": str(addresses.home())})
        try:
            if options["remove"]:
                store_key(path, name, "", "")
                self.stdout.write(f"There is no key of {name!r} any more.")
                return
            known = describe_endpoints(os.environ)
            if name not in known:
                names = ", ".join(sorted(known)) or "none"
                raise CommandError(f"PAWL_JUDGES names no endpoint {name!r}. It names: {names}.")
            url = known[name].url
            store_key(path, name, url, self._key(name))
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The key of {name!r} is in {path} and is sent only to {url}.")

    def _key(self, name: str) -> str:
        """Never an argument: arguments are seen by everyone on the machine."""
        asked = f"Key of {name} (it is not shown): "
        key = (getpass(asked) if sys.stdin.isatty() else sys.stdin.readline()).strip()
        if not key:
            raise CommandError("No key was given. Nothing is changed.")
        return key
