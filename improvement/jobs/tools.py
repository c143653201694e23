"""What the stages share: the agent's environment, verifiers, store, base model and policy."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.module_loading import import_string

from improvement.agent.environment import Environment
from improvement.agent.environments.answers import SYSTEM_PROMPT, Answers
from improvement.jobs.context import StageFailed
from improvement.models import Agent, Candidate, Run, Suite
from improvement.store import ArtefactDamaged, Store

if TYPE_CHECKING:
    from improvement.agent.policy import Policy
    from improvement.serving.local import LocalEngine


def environment_of(agent: Agent) -> Environment:
    """The agent's environment; StageFailed names the class and the setting when it won't load."""
    if agent.suite is not None:
        return answers_environment(agent.suite)
    path = settings.PAWL_ENVIRONMENTS.get(agent.environment)
    if path is None:
        known = ", ".join(sorted(settings.PAWL_ENVIRONMENTS))
        raise StageFailed(
            f"Agent {agent} needs the environment {agent.environment!r}, which PAWL_ENVIRONMENTS "
            f"does not name. Known: {known}."
        )
    try:
        environment: Environment = import_string(path)()
    except Exception as error:
        raise StageFailed(
            f"The environment class {path} of agent {agent} can't be used: "
            f"{type(error).__name__}: {error}. Mend it, then resume the run."
        ) from error
    return environment


def answers_environment(suite: Suite) -> Environment:
    """Question and answer over an imported suite; its levels are those of the suite's tasks."""
    by_level = dict[int, list[str]]()
    pairs = suite.tasks.order_by("level", "family").values_list("level", "family").distinct()
    for level, family in pairs:
        by_level.setdefault(level, []).append(family)
    families = {level: ", ".join(names) for level, names in by_level.items()}
    prompt = suite.system_prompt or SYSTEM_PROMPT
    return Answers(system_prompt=prompt, families=families or {1: suite.name})


def store() -> Store:
    return Store(settings.PAWL_STORE)


def base_dir_of(agent: Agent) -> Path:
    """The base model's directory, prepared when it is not there yet."""
    from improvement.serving.base_model import BaseModelMissing, prepare

    try:
        return prepare(agent.base_model, settings.PAWL_HOME)
    except BaseModelMissing as error:
        raise StageFailed(str(error)) from error


@lru_cache(maxsize=1)
def _engine(base_dir: Path) -> LocalEngine:
    from improvement.serving.local import LocalEngine

    return LocalEngine(base_dir, threads=settings.PAWL_THREADS or None)


def policy_of(candidate: Candidate) -> Policy:
    """The candidate's policy on the one engine of this process; its adapter is rehashed first."""
    from improvement.serving.local import UnsupportedModel

    try:
        engine = _engine(base_dir_of(candidate.agent))
    except UnsupportedModel as error:
        raise StageFailed(f"{candidate.agent.base_model} can't be served. {error}") from error
    if not candidate.adapter_digest:
        return engine.policy(None)
    try:
        path = store().verify(candidate.adapter_digest)
        return engine.policy(path, candidate.adapter_digest)
    except ArtefactDamaged as error:
        raise StageFailed(f"Candidate {candidate} can't be loaded. {error}") from error


def work_dir(run: Run, name: str) -> Path:
    """A folder for the partial work of a stage; it outlives a killed worker."""
    folder = Path(settings.PAWL_HOME) / "work" / f"run-{run.pk}" / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
