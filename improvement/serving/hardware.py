"""What this machine computes fastest with."""

from __future__ import annotations

import time

import psutil
import torch

from improvement.processor import has_bfloat16_units

SHAPE = (64, 512, 1536)  # rows, in, out: a small model's layer at a usual batch


def set_threads(threads: int | None = None) -> None:
    """Let torch use `threads` threads, or one a physical core that this process may use."""
    usable = len(psutil.Process().cpu_affinity() or [1])
    physical = psutil.cpu_count(logical=False) or usable
    torch.set_num_threads(threads or max(1, min(usable, physical)))


def choose_device(device: str | None = None) -> torch.device:
    """The device asked for, else CUDA where there is one, else the processor."""
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def choose_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 on CUDA, and on a processor that has units for it."""
    fast = device.type != "cpu" or has_bfloat16_units()
    return torch.bfloat16 if fast else torch.float32


@torch.inference_mode()
def matmul_rate(
    dtype: torch.dtype, repeats: int = 20, shape: tuple[int, int, int] = SHAPE
) -> float:
    """Measured matrix product rate in FLOP/s: (rows, in) × (in, out), best of `repeats`."""
    rows, inner, outer = shape
    x, weight = torch.randn(rows, inner, dtype=dtype), torch.randn(outer, inner, dtype=dtype)
    best = float("inf")
    for _ in range(repeats + 1):
        started = time.perf_counter()
        torch.nn.functional.linear(x, weight)
        best = min(best, time.perf_counter() - started)
    return 2 * rows * inner * outer / best
