"""Reads a LoRA adapter without trusting it.

Only safetensors and JSON (and a README) are read, never a pickle; the bytes that are hashed are
the bytes that are loaded; nothing is fetched from a hub. Plain LoRA on linear layers (also
rank-stabilised, also with rank and alpha patterns) is understood, other kinds are refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from improvement.store import DIGEST, ArtefactDamaged, listing_digest, regular_files

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
PEFT_PREFIX = "base_model.model."


class AdapterDamaged(ArtefactDamaged):
    """An adapter that must not be served. The message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter in memory. `pairs` maps a linear layer's name to (A, B, scale), where the
    layer's weight becomes W + scale · B @ A; A is (rank, in), B is (out, rank), float32."""

    digest: str
    pairs: dict[str, tuple[torch.Tensor, torch.Tensor, float]]


def load_adapter(path: Path, expected_digest: str | None = None) -> Adapter:
    """The adapter at `path`, whose content must have the expected digest.

    Without one, a directory named by a digest (as the store names them) must match its name.
    Raises AdapterDamaged.
    """
    content = _read(path)
    digest = listing_digest({n: hashlib.sha256(b).hexdigest() for n, b in content.items()})
    if expected_digest is None and DIGEST.fullmatch(path.name):
        expected_digest = path.name
    if expected_digest is not None and digest != expected_digest:
        raise AdapterDamaged(
            f"The adapter {path} was changed after it was frozen: expected {expected_digest}, "
            f"found {digest}. Restore it from a backup, or roll back to another version."
        )
    return Adapter(digest, _pairs(path, content))


def _read(path: Path) -> dict[str, bytes]:
    try:
        files = regular_files(path)
    except ArtefactDamaged as error:
        raise AdapterDamaged(str(error)) from error
    for file in files:
        if file.name != WEIGHTS and file.name != "README.md" and file.suffix != ".json":
            raise AdapterDamaged(
                f"{file} has no place in an adapter: only {WEIGHTS}, {CONFIG}, JSON metadata and "
                "README.md are read, never a pickle. Remove it or convert it to safetensors."
            )
    content = {file.name: file.read_bytes() for file in files}
    for name in (WEIGHTS, CONFIG):
        if name not in content:
            raise AdapterDamaged(f"{path / name} is missing. Restore it or train the adapter anew.")
    return content


def _pairs(
    path: Path, content: dict[str, bytes]
) -> dict[str, tuple[torch.Tensor, torch.Tensor, float]]:
    try:
        config: dict[str, Any] = json.loads(content[CONFIG])
        tensors = safetensors.torch.load(content[WEIGHTS])
    except Exception as error:  # the parser's own exception types are many
        raise AdapterDamaged(f"{path} cannot be read ({error}). Train the adapter anew.") from error
    _refuse_other_kinds(path, config)
    pairs = {}
    for name in [n for n in tensors if n.endswith(".lora_A.weight")]:
        layer = name.removeprefix(PEFT_PREFIX).removesuffix(".lora_A.weight")
        a = tensors.pop(name)
        b = tensors.pop(name.replace(".lora_A.", ".lora_B."), None)
        if b is None or a.ndim != 2 or b.ndim != 2 or a.shape[0] != b.shape[1]:
            raise AdapterDamaged(f"{path / WEIGHTS}: {layer} has no matching pair of matrices.")
        pairs[layer] = (a.float(), b.float(), _scale(config, layer, a.shape[0]))
    if tensors or not pairs:
        left = ", ".join(sorted(tensors)[:3]) or "no LoRA matrices"
        raise AdapterDamaged(f"{path / WEIGHTS} holds {left}; only plain LoRA is served.")
    return pairs


def _refuse_other_kinds(path: Path, config: dict[str, Any]) -> None:
    plain = {"peft_type": "LORA", "bias": "none"}
    wrong = [k for k, v in plain.items() if config.get(k, v) != v]
    wrong += [k for k in ("use_dora", "modules_to_save", "fan_in_fan_out") if config.get(k)]
    if wrong:
        raise AdapterDamaged(f"{path / CONFIG}: {', '.join(wrong)} set; only plain LoRA is served.")


def _scale(config: dict[str, Any], layer: str, rank: int) -> float:
    alpha = config.get("lora_alpha", rank)
    for pattern, value in (config.get("alpha_pattern") or {}).items():
        if re.fullmatch(rf"(.*\.)?({pattern})", layer):
            alpha = value
    return float(alpha) / (math.sqrt(rank) if config.get("use_rslora") else rank)
