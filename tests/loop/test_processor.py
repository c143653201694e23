"""Which number format a processor computes in is read from its flags."""

from __future__ import annotations

from pathlib import Path

import pytest

from improvement.processor import has_bfloat16_units


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_bf16\n" * 2, True),
        ("flags\t\t: fpu amx_bf16\n", True),
        ("Features\t: fp asimd bf16 i8mm\n", True),
        ("flags\t\t: fpu avx2\n", False),
        ("flags: avx512_bf16\nflags: avx2\n", False),
        ("model name: bf16\n", False),
        ("", False),
    ],
)
def test_every_core_must_have_the_units(text: str, has: bool, tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(text)
    assert has_bfloat16_units(cpuinfo) is has


def test_a_machine_that_does_not_say_has_none(tmp_path: Path) -> None:
    assert not has_bfloat16_units(tmp_path / "nothing")
