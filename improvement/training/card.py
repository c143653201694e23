"""What is saved as an adapter: weights, a model card for people, training.json for programs."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from improvement.training.checkpoint import write_whole
from improvement.training.model import adapter_files
from improvement.training.recipe import StorageFailed, TrainSettings


def lineage(
    settings: TrainSettings, about: Mapping[str, str], figures: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything needed to repeat the training and to see how it went."""
    parts = ("torch", "transformers", "peft", "safetensors")
    return {
        "about": dict(about),
        "settings": asdict(settings),
        "figures": dict(figures),
        "versions": {"python": platform.python_version(), **{p: version(p) for p in parts}},
    }


def card(value: Mapping[str, Any]) -> bytes:
    """README.md of the adapter, from its `lineage`."""
    about, settings, figures = value["about"], value["settings"], value["figures"]
    losses = figures["losses"]
    rows = {
        **{name.replace("_", " "): entry for name, entry in about.items()},
        "method": f"LoRA rank {settings['rank']}, alpha {settings['alpha']}, all linear layers; "
        "loss only on the tokens that the policy or the demonstrating person wrote",
        "examples": f"{figures['examples']} ({figures['human_examples']} from people)",
        "steps": f"{len(losses)} of {settings['batch']} sequences, "
        f"learning rate {settings['learning_rate']:g} (warm-up, cosine), seed {settings['seed']}",
        "loss": f"{losses[0]:.4f} at first, {losses[-1]:.4f} at last (mean nats a learned token)",
        "speed": f"{figures['tokens_per_second']:.0f} tokens/s in {figures['precision']} "
        f"on {figures['device']}, {figures['seconds']:.0f} s",
        "versions": ", ".join(f"{name} {v}" for name, v in value["versions"].items()),
    }
    front = f"---\nlibrary_name: peft\nbase_model: {json.dumps(about.get('base_model', ''))}\n---\n"
    table = "\n".join(f"| {name} | {str(v).replace('|', '/')} |" for name, v in rows.items())
    return (
        f"{front}\n# Adapter trained by Pawl\n\n| | |\n| --- | --- |\n{table}\n\n"
        "Not for use before it has passed its gate and a person has approved it. "
        "`training.json` holds the settings and the whole loss curve.\n"
    ).encode()


def write_adapter(work_dir: Path, peft_model: Any, value: Mapping[str, Any]) -> Path:
    """`work_dir/adapter`, complete or not there; `value` is its `lineage`. Raises StorageFailed."""
    final, partial = work_dir / "adapter", work_dir / ".adapter.partial"
    for old in (final, partial):
        shutil.rmtree(old, ignore_errors=True)
    files = adapter_files(peft_model, value["about"].get("base_model", ""))
    files |= {
        "training.json": json.dumps(value, indent=2, sort_keys=True).encode(),
        "README.md": card(value),
    }
    try:
        for name, data in files.items():
            write_whole(partial / name, data)
    except StorageFailed:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return partial.rename(final)
