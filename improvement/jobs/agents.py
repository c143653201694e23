"""New agents: the agent, its generation 0 and the first deployment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import transaction

from improvement.jobs.judging import OWN
from improvement.jobs.recipe import Recipe
from improvement.jobs.tools import environment_of
from improvement.jobs.workshop import verifier_from
from improvement.models import Agent, AuditRow, Candidate, CandidateStates, Suite
from improvement.promotion import deploy_first
from improvement.records import Bundle

ANSWERS = "answers"
OWN_VERIFIERS = {"harvest_verifier": OWN, "gate_verifier": OWN}


def create_agent(
    name: str,
    *,
    title: str,
    environment: str = ANSWERS,
    suite: Suite | None = None,
    base_model: str = "",
    recipe: Mapping[str, Any] | None = None,
    actor: Any = None,
) -> Agent:
    """The agent with generation 0 deployed; an agent of that name is returned as it is. Over a
    suite, each task's own verifier judges unless the recipe names one.

    RecipeError or StageFailed when the recipe, the environment or a verifier makes no sense:
    then nothing is saved.
    """
    if there := Agent.objects.filter(name=name).first():
        return there
    given = {**(OWN_VERIFIERS if suite else {}), **(recipe or {})}
    settled = Recipe.of(given)
    for verifier in (settled.harvest_verifier, settled.gate_verifier):
        if verifier != OWN:
            verifier_from(verifier)
    with transaction.atomic():
        agent = Agent.objects.create(
            name=name,
            title=title,
            environment=environment,
            suite=suite,
            base_model=base_model or settings.PAWL_BASE_MODEL,
            recipe=given,
        )
        zero = _generation_zero(agent)
        deploy_first(zero, actor)
        AuditRow.record("create agent", agent, actor=actor, after={"bundle": zero.bundle_digest})
    return agent


def _generation_zero(agent: Agent) -> Candidate:
    """The base model with the environment's prompt, worked examples and tools."""
    environment = environment_of(agent)
    bundle = Bundle(
        base_model=agent.base_model,
        system_prompt=environment.system_prompt,
        worked_examples=tuple(environment.worked_examples),
        tools=tuple(environment.tools),
        decoding=environment.decoding,
    )
    return Candidate.objects.create(
        agent=agent,
        number=0,
        generation=0,
        bundle=asdict(bundle),
        bundle_digest=bundle.digest,
        state=CandidateStates.BASE,
    )
