"""Gate: candidate against champion on a sealed block that nobody has seen."""

from __future__ import annotations

import hashlib
from typing import Any

from django.utils import timezone

from improvement.evaluation.blocks import Block as DrawnBlock
from improvement.evaluation.blocks import BlockExhausted, Sealed, Stratum, block_seed, choose, draw
from improvement.jobs.context import StageContext, StageFailed
from improvement.jobs.evaluate import attempt_both, compared, rule_of, save_evaluation, sides_of
from improvement.jobs.licensing import require_licences
from improvement.jobs.recipe import Recipe
from improvement.jobs.stages.curate import opened
from improvement.jobs.tasks import keep, records_of
from improvement.jobs.tools import environment_of
from improvement.models import (
    AuditRow,
    Block,
    Candidate,
    CandidateStates,
    Evaluation,
    EvaluationKinds,
    Purposes,
    Suite,
    Task,
)


def run(context: StageContext) -> dict[str, Any]:
    """Draw and seal the block, attempt it with both sides, decide, burn it."""
    run_, recipe = context.run, Recipe.of(context.run.recipe)
    sides = sides_of(run_)
    require_licences(run_.agent, recipe.gate_verifier, "gate")
    block = Block.objects.filter(candidate=sides[1]).first() or _seal(context, sides[1], recipe)
    tasks = _unchanged(block)
    attempts = attempt_both(context, sides, tasks, Purposes.GATE, recipe)
    rule = rule_of(recipe)
    with context.writing():
        gate = Evaluation.objects.filter(run=run_, kind=EvaluationKinds.GATE).first()
        if gate is None:
            found = compared(tasks, attempts, rule)
            gate = save_evaluation(run_, sides, EvaluationKinds.GATE, found, rule, block)
            _close(block, sides[1], gate)
    return {
        "answer": gate.answer,
        "reason": gate.reason,
        "difference": gate.difference,
        "run_state": "review" if gate.answer == "pass" else "done",
    }


def _seal(context: StageContext, candidate: Candidate, recipe: Recipe) -> Block:
    """Draw the block from the frozen candidate's digest and save it, sealed."""
    agent = context.run.agent
    seed = block_seed(
        bytes(agent.block_secret), f"run-{context.run.pk}", candidate.bundle_digest
    )
    with context.writing():
        if agent.suite is not None:
            return _from_suite(context, agent.suite, candidate, seed, recipe)
        return _generated(context, candidate, seed, recipe)


def _generated(context: StageContext, candidate: Candidate, seed: int, recipe: Recipe) -> Block:
    agent = context.run.agent
    environment = environment_of(agent)
    taken = frozenset(Task.objects.filter(agent=agent).values_list("fingerprint", flat=True))
    taken |= {d.fingerprint for d in environment.demonstrations()}
    strata = [Stratum(environment.families[level], level) for level in opened(context.run)]
    try:
        drawn = draw(environment.generate, strata, seed, recipe.gate_tasks, taken)
    except BlockExhausted as error:
        raise StageFailed(f"No sealed block for agent {agent}: {error}.") from error
    block = _block(candidate, seed, drawn)
    keep(agent, drawn.tasks, block)
    return block


def _from_suite(
    context: StageContext, suite: Suite, candidate: Candidate, seed: int, recipe: Recipe
) -> Block:
    """Held-out tasks that no gate has used, without replacement; they are burnt with the block."""
    Suite.objects.select_for_update().get(pk=suite.pk)  # another agent may draw from it too
    rows = suite.tasks.filter(split="heldout", block=None, level__in=opened(context.run))
    pool = [Sealed(*row) for row in rows.values_list("pk", "fingerprint", "cluster")]
    keys = choose(pool, seed, recipe.gate_tasks)
    if len(keys) < recipe.gate_min_items:
        raise StageFailed(
            f"Suite {suite} has {len(keys)} unlike held-out tasks left that no gate has used, and "
            f"a gate needs {recipe.gate_min_items} (gate_min_items). Import more held-out tasks."
        )
    tasks = list(suite.tasks.filter(pk__in=keys).order_by("pk"))
    block = _block(candidate, seed, DrawnBlock.of(list(records_of(tasks).values())))
    suite.tasks.filter(pk__in=keys).update(block=block)
    return block


def _block(candidate: Candidate, seed: int, drawn: DrawnBlock) -> Block:
    block = Block.objects.create(
        agent=candidate.agent,
        candidate=candidate,
        seed_digest=hashlib.sha256(str(seed).encode()).hexdigest(),
        manifest_digest=drawn.digest,
        size=len(drawn.tasks),
    )
    AuditRow.record("seal", block, after={"manifest": drawn.digest, "size": block.size})
    return block


def _unchanged(block: Block) -> list[Task]:
    """The block's tasks in drawing order; StageFailed when they are not what was sealed."""
    tasks = list(block.tasks.order_by("pk"))
    if DrawnBlock.of(list(records_of(tasks).values())).digest != block.manifest_digest:
        raise StageFailed(
            f"Block {block.pk} is not what was sealed: a held-out task was changed, added or "
            "removed. The gate refuses it. Restore the rows, or start a new cycle."
        )
    return tasks


def _close(block: Block, candidate: Candidate, gate: Evaluation) -> None:
    """Burn the block and move the candidate on. Only a pass goes to a person."""
    Block.objects.filter(pk=block.pk).update(burnt_at=timezone.now())
    passed = gate.answer == "pass"
    state = CandidateStates.REVIEW if passed else CandidateStates.NOT_PASSED
    Candidate.objects.filter(pk=candidate.pk).update(state=state, version=candidate.version + 1)
    AuditRow.record(
        "gate", candidate, reason=gate.reason, after={"answer": gate.answer, "gate": gate.pk}
    )
