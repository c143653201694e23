"""Curate: verified attempts and human demonstrations become a frozen training manifest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from improvement.jobs.context import StageContext, StageFailed
from improvement.jobs.licensing import Versions, require, verifiers_for
from improvement.jobs.packing import record_of
from improvement.jobs.recipe import Recipe
from improvement.jobs.tools import base_dir_of, environment_of
from improvement.licences import PERSON
from improvement.models import (
    Agent,
    Candidate,
    Dataset,
    DatasetItem,
    Purposes,
    Run,
    Task,
    Trajectory,
    Verdict,
)
from improvement.records import Bundle, Demonstration, Example
from improvement.training.dataset import curate
from improvement.training.examples import (
    from_demonstration,
    from_trajectory,
    signature_of,
    tokens_digest,
)
from improvement.training.manifest import CuratedItem, CurationPolicy, Manifest


def run(context: StageContext) -> dict[str, Any]:
    """Freeze the dataset of this cycle, once. StageFailed on a contaminated or an empty one."""
    dataset = Dataset.objects.filter(run=context.run).first() or _freeze(context)
    return {
        "dataset": dataset.pk,
        "digest": dataset.digest,
        "own": dataset.own,
        "human": dataset.human,
        "dropped": dataset.dropped,
        "self_generated_share": dataset.self_generated_share,
    }


def _freeze(context: StageContext) -> Dataset:
    run_, recipe = context.run, Recipe.of(context.run.recipe)
    levels, bundle = opened(run_), candidate_bundle(run_)
    own = {f"trajectory-{t.pk}": t for t in _attempts(run_.agent)}
    versions = verifiers_for(run_.agent, recipe.harvest_verifier)
    require(run_.agent, [row for _, row, _ in versions.values()], "harvest")
    verified = _verified(run_.agent, versions)
    items = [
        _own_item(key, t, recipe, verified=t.pk in verified) for key, t in own.items() if _wrote(t)
    ]
    items += [_human_item(d, e) for d, e in demonstrations(run_.agent, levels, bundle)]
    manifest = curate(items, _policy(recipe, run_), _heldout(run_.agent))
    if manifest.contaminated:
        names = ", ".join(d.key for d in manifest.contaminated[:5])
        raise StageFailed(
            f"{len(manifest.contaminated)} training items are held-out tasks too ({names}). "
            "Nothing was trained. Find out how they got into the training split."
        )
    if not manifest.entries:
        raise StageFailed(
            f"None of {len(own)} attempts was verified and no demonstration fits levels {levels}: "
            "there is nothing to learn from. Collect more, ease the tasks, or add demonstrations."
        )
    with context.writing():
        return _save(run_, manifest, own)


def _attempts(agent: Agent) -> Iterator[Trajectory]:
    """All collected attempts of all generations: data accumulates, it is not replaced."""
    rows = Trajectory.objects.filter(agent=agent, purpose=Purposes.COLLECT).exclude(
        answer="unverified"
    )
    rows = rows.select_related("task", "tokens").prefetch_related("steps")
    return rows.order_by("pk").iterator(chunk_size=500)


def _verified(agent: Agent, versions: Versions) -> set[int]:
    """The attempts that the licensed versions of this verifier let pass, or a person to whom it
    left them: what only another one (an earlier, laxer recipe) accepted is not learned from."""
    accepted = Q(verifier__in=list(versions))
    if any(verifier.needs_person for verifier, _, _ in versions.values()):
        accepted |= Q(verifier__name=PERSON)
    passed = Verdict.objects.filter(accepted, answer="pass", trajectory__agent=agent)
    passed = passed.filter(trajectory__purpose=Purposes.COLLECT)
    return set(passed.values_list("trajectory_id", flat=True))


def _wrote(trajectory: Trajectory) -> bool:
    return trajectory.sampled_tokens > 0


def _own_item(key: str, trajectory: Trajectory, recipe: Recipe, *, verified: bool) -> CuratedItem:
    record = record_of(trajectory)
    example = from_trajectory(record, key=key, keep_examples=recipe.keep_examples)
    return CuratedItem(
        key=key,
        source="own",
        family=trajectory.family,
        level=trajectory.level,
        fingerprint=trajectory.task.fingerprint,
        signature=signature_of(record),
        tokens_sha256=tokens_digest(example),
        verified=verified,
        clipped=trajectory.clipped,
    )


def _human_item(demonstration: Demonstration, example: Example) -> CuratedItem:
    return CuratedItem(
        key=demonstration.key,
        source="human",
        family=demonstration.family,
        level=demonstration.level,
        fingerprint=demonstration.fingerprint,
        signature=demonstration.key,
        tokens_sha256=tokens_digest(example),
        verified=True,
    )


def opened(run_: Run) -> list[int]:
    """The levels that the collect stage found open."""
    levels: list[int] = run_.stages.get(name="collect").result["levels"]
    return levels


def candidate_bundle(run_: Run, adapter: str = "") -> Bundle:
    """What the candidate of this run will be: the collecting champion's bundle, its adapter."""
    champion = Candidate.objects.get(pk=run_.stages.get(name="collect").result["champion"])
    keep = Recipe.of(run_.recipe).keep_examples
    return champion.as_bundle().with_adapter(adapter, keep_examples=keep)


def demonstrations(
    agent: Agent, levels: list[int], bundle: Bundle
) -> list[tuple[Demonstration, Example]]:
    """The environment's demonstrations of these levels, encoded under the candidate's prompt."""
    from improvement.training.tokens import encoder

    encode = encoder(base_dir_of(agent))

    def example(d: Demonstration) -> Example:
        return from_demonstration(
            d,
            encode=encode,
            system_prompt=bundle.system_prompt,
            worked_examples=bundle.worked_examples,
        )

    shown = environment_of(agent).demonstrations()
    return [(d, example(d)) for d in shown if d.level in levels]


def _policy(recipe: Recipe, run_: Run) -> CurationPolicy:
    shares = {int(level): share for level, share in recipe.human_share.items()}
    return CurationPolicy(
        per_task=recipe.per_task,
        total=recipe.dataset_total,
        human_share=0.0,
        share_by_level=shares,
        min_human_draws=recipe.human_draws,
        seed=run_.seed % (2**31),
    )


def _heldout(agent: Agent) -> frozenset[str]:
    rows = Task.objects.of(agent).filter(split="heldout")
    return frozenset(rows.values_list("fingerprint", flat=True))


def _save(run_: Run, manifest: Manifest, own: dict[str, Trajectory]) -> Dataset:
    sources = [e.source for e in manifest.entries]
    dataset = Dataset.objects.create(
        agent=run_.agent,
        run=run_,
        digest=manifest.digest,
        manifest=manifest.as_json(),
        own=sources.count("own"),
        human=sources.count("human"),
        dropped=len(manifest.dropped),
        self_generated_share=manifest.self_generated_share,
        contaminated=len(manifest.contaminated),
    )
    kept = [(e.key, e.source, e.weight, "") for e in manifest.entries]
    left = [(d.key, d.source, 0.0, d.reason) for d in manifest.dropped]
    DatasetItem.objects.bulk_create(
        DatasetItem(
            dataset=dataset,
            trajectory=own.get(key),
            key=key,
            source=source,
            weight=weight,
            dropped_because=reason,
        )
        for key, source, weight, reason in kept + left
    )
    return dataset
