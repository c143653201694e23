"""Puts an adapter into the base model's weights, and takes it out again to the bit.

An adapter kept beside the base costs hundreds of small matrix products a token; merged, none.
The untouched weights are read again from the base model's files, so no second copy is held.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from improvement.serving.adapters import Adapter, AdapterDamaged


class Weights:
    """The weights of one loaded model. `active` is the digest of the merged adapter, or ""."""

    def __init__(self, model: Any, directory: Path) -> None:
        self.parameters: dict[str, torch.nn.Parameter] = dict(model.named_parameters())
        self.files = _files(directory)
        self.active = ""
        self.touched: set[str] = set()

    def check(self, adapter: Adapter) -> None:
        """Raise AdapterDamaged unless every pair fits a weight of this base."""
        for layer, (a, b, _) in adapter.pairs.items():
            weight = self.parameters.get(f"{layer}.weight")
            if weight is None or f"{layer}.weight" not in self.files:
                raise AdapterDamaged(f"Adapter {adapter.digest}: the base model has no {layer}.")
            if tuple(weight.shape) != (b.shape[0], a.shape[1]):
                raise AdapterDamaged(
                    f"Adapter {adapter.digest}: {layer} has another shape than the base model's. "
                    "It was trained on another base."
                )

    @torch.inference_mode()
    def activate(self, adapter: Adapter | None) -> None:
        """Make the model behave as base plus `adapter`."""
        wanted = adapter.digest if adapter else ""
        if wanted == self.active:
            return
        self.active = "unknown"  # until done: an interruption must not pass for either
        pairs = adapter.pairs if adapter else {}
        names = sorted(self.touched | {f"{layer}.weight" for layer in pairs})
        self.touched.update(names)
        for file in sorted({self.files[name] for name in names}):
            with safe_open(file, framework="pt") as tensors:
                for name in (n for n in names if self.files[n] == file):
                    self._set(
                        name, tensors.get_tensor(name), pairs.get(name.removesuffix(".weight"))
                    )
        self.touched = {f"{layer}.weight" for layer in pairs}
        self.active = wanted

    def _set(
        self, name: str, base: torch.Tensor, pair: tuple[torch.Tensor, torch.Tensor, float] | None
    ) -> None:
        if pair is not None:
            a, b, scale = pair
            base = torch.addmm(base.float(), b, a, alpha=scale)
        self.parameters[name].copy_(base)


def _files(directory: Path) -> dict[str, Path]:
    """Which file of the base model holds which tensor."""
    index = directory / "model.safetensors.index.json"
    if index.is_file():
        shards: dict[str, str] = json.loads(index.read_text())["weight_map"]
        return {name: directory / file for name, file in shards.items()}
    single = directory / "model.safetensors"
    with safe_open(single, framework="pt") as tensors:
        return dict.fromkeys(tensors.keys(), single)
