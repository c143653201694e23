"""`manage.py create_account NAME --role ROLE`: somebody who may sign in."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError

from improvement.accounts import ROLES, NameTaken, create_account


class Command(BaseCommand):
    help = (
        "Make an account. Its password is read from the terminal or from standard input. Without "
        "a role a person reads and changes nothing. `changepassword NAME` gives a new password."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the person signs in with")
        parser.add_argument(
            "--role", action="append", choices=ROLES, default=[], help="may be given several times"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, roles = options["name"], options["role"]
        try:
            create_account(name, self._password(name), roles)
        except NameTaken as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{name} may sign in as {', '.join(roles) or 'a reader'}.")

    def _password(self, name: str) -> str:
        """Never an argument: arguments are seen by everyone on the machine."""
        if not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\r\n")
        password = getpass(f"Password of {name} (it is not shown): ")
        if password != getpass("Once more: "):
            raise CommandError("The two passwords differ. Nothing is changed.")
        return password
