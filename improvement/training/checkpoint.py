"""Checkpoints of a training: one safetensors file each, named by its own sha256.

A file appears whole (write, fsync, rename) or not at all; a damaged or foreign one is passed
over and removed; nothing is ever unpickled. The two latest are kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from improvement.training.recipe import StorageFailed

NAME = re.compile(r"checkpoint-(\d{8})-([0-9a-f]{64})\.safetensors")
KEPT = 2


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is either complete under its name or not there. Raises StorageFailed."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StorageFailed(
            f"{path} could not be written ({error.strerror}); it needs {len(data) / 1e6:.0f} MB. "
            "Make room and resume: training goes on from its last checkpoint."
        ) from error


def save(
    directory: Path, step: int, tensors: Mapping[str, torch.Tensor], state: Mapping[str, Any]
) -> Path:
    """Save the state after `step` optimiser steps; older checkpoints but one are removed."""
    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    data = safetensors.torch.save(plain, {"state": json.dumps({**state, "step": step})})
    path = directory / f"checkpoint-{step:08d}-{hashlib.sha256(data).hexdigest()}.safetensors"
    write_whole(path, data)
    for old in _newest_first(directory)[KEPT:]:
        old.unlink(missing_ok=True)
    return path


def latest(directory: Path, identity: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
    """Tensors and state of the newest sound checkpoint of the training with this identity.
    Newer ones that are damaged or of another training are removed, and so is what a kill left."""
    for partial in directory.glob(".checkpoint-*.partial"):
        partial.unlink(missing_ok=True)
    for path in _newest_first(directory):
        data = path.read_bytes()
        match = NAME.fullmatch(path.name)
        if match and hashlib.sha256(data).hexdigest() == match[2]:
            size = int.from_bytes(data[:8], "little")
            state = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["state"])
            if state["identity"] == identity:
                return safetensors.torch.load(data), state
        path.unlink(missing_ok=True)
    return None


def snapshot(
    weights: Mapping[str, torch.Tensor], optimiser: torch.optim.Optimizer
) -> dict[str, torch.Tensor]:
    """The adapter and both moments of AdamW, by name."""
    found: dict[str, torch.Tensor] = {}
    for name, weight in weights.items():
        found[f"weight/{name}"] = weight
        for moment in ("exp_avg", "exp_avg_sq") if optimiser.state.get(weight) else ():
            found[f"{moment}/{name}"] = optimiser.state[weight][moment]
    return found


def restore(
    weights: Mapping[str, torch.Tensor],
    optimiser: torch.optim.Optimizer,
    tensors: Mapping[str, torch.Tensor],
    step: int,
) -> None:
    """The inverse of `snapshot`, after `step` steps; nothing happens for no tensors."""
    for name, weight in weights.items() if tensors else ():
        with torch.no_grad():
            weight.copy_(tensors[f"weight/{name}"])
        if step:
            moments = {
                moment: tensors[f"{moment}/{name}"].to(weight)
                for moment in ("exp_avg", "exp_avg_sq")
            }
            count = torch.tensor(float(step), device=weight.device)
            optimiser.state[weight] = {"step": count, **moments}


def _newest_first(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    found = [p for p in directory.iterdir() if NAME.fullmatch(p.name) and not p.is_symlink()]
    return sorted(found, reverse=True)
