"""Train: a LoRA adapter on the frozen manifest; the result is a new candidate."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.db.models import Max

from improvement.jobs.context import Cancelled, FenceLost, StageContext, StageFailed
from improvement.jobs.packing import record_of
from improvement.jobs.recipe import Recipe
from improvement.jobs.stages.curate import candidate_bundle, demonstrations, opened
from improvement.jobs.tools import base_dir_of, store, work_dir
from improvement.models import Candidate, CandidateStates, Dataset, Run
from improvement.records import Example
from improvement.training.examples import from_trajectory, tokens_digest


def run(context: StageContext) -> dict[str, Any]:
    """Train (or go on from the last checkpoint) and save the candidate with its artefact."""
    run_ = context.run
    made = Candidate.objects.filter(run=run_).first()
    if made is None:
        made = _train(context)
    return {"candidate": made.pk, "name": str(made), "adapter": made.adapter_digest}


def _train(context: StageContext) -> Candidate:
    from improvement.training import recipe as training
    from improvement.training.lora import train

    run_ = context.run
    settings_ = training.TrainSettings(**Recipe.of(run_.recipe).train, seed=run_.seed % (2**31))
    stop = _Stop(context)
    try:
        result = train(
            examples_of(run_.dataset),
            settings_,
            base_dir_of(run_.agent),
            work_dir(run_, "train"),
            about={
                "agent": run_.agent.name,
                "base_model": run_.agent.base_model,
                "manifest": run_.dataset.digest,
                "cycle": str(run_.cycle),
            },
            on_progress=context.progress,
            should_stop=stop,
        )
    except training.Cancelled:
        raise stop.because or Cancelled() from None
    except training.TrainingError as error:
        raise StageFailed(str(error)) from error
    digest = store().put(Path(result.directory))
    figures = {
        "settings": asdict(settings_),
        "losses": list(result.losses),
        "steps": result.steps,
        "tokens": result.tokens,
        "seconds": result.seconds,
        "tokens_per_second": result.tokens_per_second,
        "precision": result.precision,
    }
    with context.writing():
        return _save(run_, digest, figures)


class _Stop:
    """Asks the stage whether to stop, and remembers why, so that training can checkpoint first."""

    def __init__(self, context: StageContext) -> None:
        self._context = context
        self.because: Cancelled | FenceLost | None = None

    def __call__(self) -> bool:
        try:
            self._context.check()
        except (Cancelled, FenceLost) as reason:
            self.because = reason
        return self.because is not None


def examples_of(dataset: Dataset) -> list[Example]:
    """The examples of a manifest; StageFailed when one is no longer what was frozen."""
    entries = {e["key"]: e for e in dataset.manifest["entries"]}
    run_, found = dataset.run, list[Example]()
    keep = Recipe.of(run_.recipe).keep_examples
    rows = dataset.items.filter(dropped_because="").exclude(trajectory=None)
    for item in rows.select_related("trajectory__task", "trajectory__tokens"):
        assert item.trajectory is not None
        record = record_of(item.trajectory)
        found.append(from_trajectory(record, key=item.key, keep_examples=keep))
    pairs = demonstrations(dataset.agent, opened(run_), candidate_bundle(run_))
    found += [example for d, example in pairs if d.key in entries]
    changed = [
        e.key
        for e in found
        if e.key not in entries or tokens_digest(e) != entries[e.key]["tokens_sha256"]
    ]
    if changed or len(found) != len(entries):
        what = changed[0] if changed else f"{len(entries) - len(found)} missing items"
        raise StageFailed(
            f"Dataset {dataset.digest[:12]} is not what was frozen ({what}). Nothing was trained. "
            "Start a new cycle, and find out who changed stored trajectories or demonstrations."
        )
    return [replace(e, weight=entries[e.key]["weight"]) for e in found]


def _save(run_: Run, adapter: str, figures: dict[str, Any]) -> Candidate:
    bundle = candidate_bundle(run_, adapter)
    champion = Candidate.objects.get(pk=run_.stages.get(name="collect").result["champion"])
    last = run_.agent.candidates.aggregate(last=Max("number"))["last"]
    return Candidate.objects.create(
        agent=run_.agent,
        number=last + 1,
        generation=champion.generation + 1,
        parent=champion,
        run=run_,
        dataset=run_.dataset,
        bundle=asdict(bundle),
        bundle_digest=bundle.digest,
        adapter_digest=adapter,
        training=figures,
        state=CandidateStates.TRAINED,
        proposer=run_.launched_by,
    )
