"""`manage.py create_agent NAME --environment KEY`: an agent with its generation 0 deployed."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from improvement.jobs.agents import create_agent
from improvement.jobs.context import StageFailed
from improvement.jobs.recipe import RecipeError
from improvement.models import Agent


class Command(BaseCommand):
    help = "Make an agent: generation 0 is its base model with the environment's prompt."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="short name: letters, digits, - and _")
        parser.add_argument("--environment", required=True, help="a key of PAWL_ENVIRONMENTS")
        parser.add_argument("--title", default="", help="what people read (default: the name)")
        parser.add_argument("--base-model", default="", help="default: PAWL_BASE_MODEL")
        parser.add_argument("--recipe", default="{}", help="JSON that overrides recipe fields")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        if Agent.objects.filter(name=name).exists():
            raise CommandError(f"There is an agent named {name} already. Choose another name.")
        try:
            agent = create_agent(
                name,
                title=options["title"] or name,
                environment=options["environment"],
                base_model=options["base_model"],
                recipe=_recipe(options["recipe"]),
            )
        except (RecipeError, StageFailed) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Agent {agent} is there. Let it learn: manage.py improve {agent}")


def _recipe(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise CommandError(f"--recipe is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CommandError('--recipe must be a JSON object, for example {"gate_tasks": 400}.')
    return value
