"""`manage.py create_agent NAME --environment KEY` or `--suite SUITE`: a new agent, generation 0
deployed."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from improvement.jobs.agents import ANSWERS, create_agent
from improvement.jobs.context import StageFailed
from improvement.jobs.importing.enough import lacks
from improvement.jobs.recipe import Recipe, RecipeError
from improvement.jobs.shipped import recipe_for
from improvement.models import Agent, Suite


class Command(BaseCommand):
    help = "Make an agent: generation 0 is its base model with the environment's prompt."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="short name: letters, digits, - and _")
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--environment", help="a key of PAWL_ENVIRONMENTS")
        source.add_argument("--suite", help="an imported suite: question and answer over its tasks")
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
                environment=options["environment"] or ANSWERS,
                suite=_suite(options["suite"]),
                base_model=options["base_model"],
                recipe={**recipe_for(options["environment"]), **_recipe(options["recipe"])},
            )
        except (RecipeError, StageFailed) as error:
            raise CommandError(str(error)) from error
        if agent.suite is not None:
            missing = list(lacks(agent.suite, Recipe.of(agent.recipe)))
            for sentence in missing:
                self.stdout.write(f"Careful: {sentence}")
            if missing:
                self.stdout.write("A run would stop there: import more tasks first.")
        self.stdout.write(f"Agent {agent} is there. Let it learn: manage.py improve {agent}")


def _suite(name: str | None) -> Suite | None:
    if name is None:
        return None
    suite = Suite.objects.filter(name=name).first()
    if suite is None:
        names = ", ".join(Suite.objects.order_by("name").values_list("name", flat=True))
        known = f"Suites here: {names}." if names else "Import one: manage.py import_tasks."
        raise CommandError(f"There is no suite named {name!r}. {known}")
    return suite


def _recipe(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise CommandError(f"--recipe is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CommandError('--recipe must be a JSON object, for example {"gate_tasks": 400}.')
    return value
