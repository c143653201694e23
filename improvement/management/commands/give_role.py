"""`manage.py give_role NAME ROLE`, with `--take` to take it away again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError

from improvement.accounts import ROLES, group_of


class Command(BaseCommand):
    help = "Give a person a role, or take it away. It holds from the next page on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the person signs in with")
        parser.add_argument("role", choices=ROLES)
        parser.add_argument("--take", action="store_true", help="take the role away")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["name"]).first()
        if user is None:
            raise CommandError(f"There is no account named {options['name']!r}.")
        group = group_of(options["role"])
        if options["take"]:
            user.groups.remove(group)
        else:
            user.groups.add(group)
        roles = user.groups.filter(name__in=ROLES).order_by("name").values_list("name", flat=True)
        self.stdout.write(f"{user} may sign in as {', '.join(roles) or 'a reader'}.")
