"""Which device and number format trains fastest here."""

from __future__ import annotations

import torch

from improvement.processor import has_bfloat16_units
from improvement.training.recipe import Precision


def choose(wanted: Precision = "auto") -> tuple[torch.device, torch.dtype]:
    """The device (CUDA where there is one) and the dtype of the base model's weights."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if wanted != "auto":
        return device, getattr(torch, wanted)
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = has_bfloat16_units()
    return device, torch.bfloat16 if fast else torch.float32
