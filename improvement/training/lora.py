"""Trains a LoRA adapter on exact token ids, with the loss on what was written and nothing else.

Read from top to bottom. A training is named by its identity (settings, examples, base, starting
adapter); started again in the same `work_dir` it goes on from its last checkpoint and ends with
the same bits as if it had never stopped (same machine, same number of threads; on CUDA up to
the kernels' own rounding).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from improvement.records import Example, Progress, digest_of
from improvement.training import card, checkpoint, model
from improvement.training.examples import tokens_digest
from improvement.training.gradient import accumulate, check
from improvement.training.precision import choose
from improvement.training.recipe import (
    Cancelled,
    NothingToLearn,
    TrainingDiverged,
    TrainResult,
    TrainSettings,
    drawn,
)


def train(
    examples: Sequence[Example],
    settings: TrainSettings,
    base_dir: Path,
    work_dir: Path,
    *,
    about: Mapping[str, str],
    on_progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
    start_adapter: Path | None = None,
) -> TrainResult:
    """Train, checkpointing in `work_dir`, and leave the adapter in `work_dir/adapter`.

    `about` goes into the model card: `base_model`, `manifest` (digest) and whatever else names
    this training. Raises TrainingError (and its kinds) with a message for people, and Cancelled.
    """
    learnable = [e for e in examples if e.weight > 0 and any(e.learn[1:])]
    if not learnable:
        raise NothingToLearn(
            f"None of the {len(examples)} examples has a token to learn. Collect more verified "
            "attempts, or add demonstrations."
        )
    identity = digest_of(
        [asdict(settings), sorted([e.key, e.weight, tokens_digest(e)] for e in learnable),
         base_dir.name, start_adapter.name if start_adapter else "", dict(about)]
    )  # fmt: skip
    found = checkpoint.latest(work_dir, identity)
    tensors, state = found or ({}, {"step": 0, "losses": [], "tokens": 0, "rows": 0, "seconds": 0})
    device, dtype = choose(state.get("precision", settings.precision))
    peft_model = model.load(base_dir, settings, device, dtype, start_adapter)
    check(peft_model, learnable, device)
    weights = {n: p for n, p in peft_model.named_parameters() if p.requires_grad}
    optimiser = torch.optim.AdamW(
        weights.values(), weight_decay=settings.weight_decay, fused=True, lr=settings.learning_rate
    )
    steps, first = settings.steps(learnable), int(state["step"])
    checkpoint.restore(weights, optimiser, tensors, first)
    precision = str(dtype).removeprefix("torch.")
    state |= {"identity": identity, "precision": precision}

    for step, batch in enumerate(islice(drawn(learnable, settings), first, steps), start=first):
        if should_stop():
            checkpoint.save(work_dir, step, checkpoint.snapshot(weights, optimiser), state)
            raise Cancelled(f"training stopped after {step} of {steps} steps")
        began = time.perf_counter()
        torch.manual_seed(settings.seed * 1_000_003 + step)  # dropout resumes without saved state
        rate = settings.rate(step, steps)
        optimiser.param_groups[0]["lr"] = rate
        loss, rows = accumulate(peft_model, batch, settings.rows_per_pass, device, dtype)
        norm = float(torch.nn.utils.clip_grad_norm_(weights.values(), settings.clip_norm))
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise TrainingDiverged(
                f"At step {step + 1} the loss is {loss} and its gradient {norm}: training diverged."
                f" Lower the learning rate ({settings.learning_rate:g}) or check the base model."
            )
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        state["losses"].append(loss)
        state["tokens"] += sum(len(e.token_ids) for e in batch)
        state["rows"] += rows
        state["seconds"] += time.perf_counter() - began
        if (step + 1) % settings.checkpoint_every == 0 or step + 1 == steps:
            checkpoint.save(work_dir, step + 1, checkpoint.snapshot(weights, optimiser), state)
        on_progress(_progress(state, step + 1, steps, rate, norm))

    figures = {
        **{k: state[k] for k in ("losses", "tokens", "rows", "seconds", "precision")},
        "tokens_per_second": state["tokens"] / max(state["seconds"], 1e-9),
        "examples": len(learnable),
        "human_examples": sum(e.source == "human" for e in learnable),
        "device": device.type,
    }
    directory = card.write_adapter(work_dir, peft_model, card.lineage(settings, about, figures))
    return TrainResult(
        directory=directory,
        steps=steps,
        losses=tuple(state["losses"]),
        tokens=state["tokens"],
        seconds=state["seconds"],
        tokens_per_second=figures["tokens_per_second"],
        rows_per_second=state["rows"] / max(state["seconds"], 1e-9),
        precision=precision,
        resumed_at=first,
    )


def _progress(
    state: Mapping[str, Any], done: int, steps: int, rate: float, norm: float
) -> Progress:
    """Step `done` of `steps`, from the state after it."""
    seconds = max(state["seconds"], 1e-9)
    speed = state["tokens"] / seconds
    loss = state["losses"][-1]
    return Progress(
        done=done,
        total=steps,
        unit="steps",
        rate=done / seconds,
        note=f"loss {loss:.3f}, {speed:.0f} tokens/s",
        figures={
            "loss": loss,
            "tokens_per_second": speed,
            "learning_rate": rate,
            "gradient_norm": norm,
        },
    )
