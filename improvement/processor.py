"""What this processor has units for. Read, not measured: a busy neighbour must not change it, or
the champion would be served in one number format today and in another tomorrow."""

from __future__ import annotations

from functools import cache
from pathlib import Path

UNITS = {"avx512_bf16", "amx_bf16", "bf16"}  # x86-64 (two kinds), arm64
CPUINFO = Path("/proc/cpuinfo")


@cache
def has_bfloat16_units(cpuinfo: Path = CPUINFO) -> bool:
    """Whether bfloat16 products are computed by the processor itself; then they are faster."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    named = (line.partition(":") for line in lines)
    flags = [set(v.split()) for k, _, v in named if k.strip().lower() in ("flags", "features")]
    return bool(flags) and all(UNITS & each for each in flags)
