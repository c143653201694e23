"""The base model with a trainable LoRA adapter on every linear layer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from transformers import AutoModelForCausalLM

from improvement.training.packing import ATTENTION
from improvement.training.recipe import BaseModelUnusable, TrainingError, TrainSettings

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


def load(
    base_dir: Path,
    settings: TrainSettings,
    device: torch.device,
    dtype: torch.dtype,
    start_adapter: Path | None = None,
) -> Any:
    """A PEFT model in training mode: base weights frozen in `dtype`, adapter in float32, either
    new (seeded by the settings, no effect at first) or continued from `start_adapter`."""
    if not (base_dir / "config.json").is_file() or not any(base_dir.glob("*.safetensors")):
        raise BaseModelUnusable(
            f"{base_dir} holds no base model (config.json and *.safetensors). "
            "Run `manage.py doctor`, or point the agent's base model to a complete directory."
        )
    try:
        base = AutoModelForCausalLM.from_pretrained(
            str(base_dir),
            dtype=dtype,
            attn_implementation=ATTENTION,
            local_files_only=True,
            use_safetensors=True,
        )
    except (OSError, ValueError) as error:
        raise BaseModelUnusable(f"The base model at {base_dir} can't be loaded: {error}") from error
    torch.manual_seed(settings.seed)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(base, config).to(device)
    if start_adapter is not None:
        _continue_from(model, start_adapter)
    return model.train()


def adapter_files(model: Any, base_name: str) -> dict[str, bytes]:
    """The adapter as PEFT reads it: file name to bytes, equal bytes for equal adapters."""
    tensors = get_peft_model_state_dict(model, save_embedding_layers=False)
    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    config = model.peft_config["default"].to_dict()
    config |= {"inference_mode": True, "base_model_name_or_path": base_name}
    return {
        WEIGHTS: safetensors.torch.save(plain, {"format": "pt"}),
        CONFIG: _json(config),
    }


def _continue_from(model: Any, adapter: Path) -> None:
    """Load the weights of an adapter of the same shape, from safetensors only."""
    path = adapter / WEIGHTS
    if not path.is_file():
        raise TrainingError(f"{path} is missing: the adapter to continue from is not there.")
    given = safetensors.torch.load_file(str(path))
    own: Mapping[str, torch.Tensor] = get_peft_model_state_dict(model, save_embedding_layers=False)
    if {n: t.shape for n, t in given.items()} != {n: t.shape for n, t in own.items()}:
        raise TrainingError(
            f"{path} has other layers or another rank than this recipe. "
            "Use the rank of that adapter, or train from the base model."
        )
    set_peft_model_state_dict(model, given)


def _json(value: Mapping[str, Any]) -> bytes:
    def plain(x: Any) -> Any:
        return sorted(x) if isinstance(x, (set, frozenset)) else str(x)

    return json.dumps(value, sort_keys=True, indent=2, default=plain).encode()
