"""Which device and number format trains fastest here: measured, not guessed from a name."""

from __future__ import annotations

import time

import torch

from improvement.training.recipe import Precision


def choose(wanted: Precision = "auto") -> tuple[torch.device, torch.dtype]:
    """The device (CUDA where there is one) and the dtype of the base model's weights."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if wanted != "auto":
        return device, getattr(torch, wanted)
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = _seconds(torch.bfloat16) < 0.8 * _seconds(torch.float32)
    return device, torch.bfloat16 if fast else torch.float32


def _seconds(dtype: torch.dtype) -> float:
    """The best of a few matrix products the shape of a small model's (about 0.1 s in all)."""
    left, right = torch.ones(256, 576, dtype=dtype), torch.ones(576, 1536, dtype=dtype)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - start)
    return best
