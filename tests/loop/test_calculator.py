"""Arithmetic on text that a model wrote."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improvement.agent.calculator import CannotCalculate, calculate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3*12+2*35", "106"),
        ("(1+2)*3", "9"),
        ("7/2", "3.5"),
        ("-4+1", "-3"),
        ("0.1+0.2", "0.3"),
        (" 3 x 4 ", "12"),
    ],
)
def test_it_calculates(text: str, value: str) -> None:
    assert calculate(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "2**99999999",
        "9" * 200,
        "1/0",
        "__import__('os')",
        "(" * 90,
        "True+1",
        "1e999",
        "1 if 1 else 2",
        "[1][0]",
        "",
        "a",
        "1_000**2",
        "99999999999999999*99999999999999999",
    ],
)
def test_it_refuses(text: str) -> None:
    with pytest.raises(CannotCalculate):
        calculate(text)


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(1, 999)), min_size=1, max_size=4))
def test_it_is_exact(terms: list[tuple[int, int]]) -> None:
    text = "+".join(f"{a}*{b}" for a, b in terms)
    assert Fraction(calculate(text)) == sum(a * b for a, b in terms)


@given(st.text(max_size=200))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    with contextlib.suppress(CannotCalculate):
        float(calculate(text))
