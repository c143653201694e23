"""The number verifier: exact reading, tolerances, and texts made to take forever."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improvement.verifiers.base import SpecError
from improvement.verifiers.build import build
from improvement.verifiers.numerals import last_number, number
from tests.loop.judged import answer, judged, task_with


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("36", 36), (" 36. ", 36), ("+36", 36), ("36.50", "36.5"), (".5", "0.5"),
        ("-1,234.5", "-1234.5"),
        ("1,234,567", 1234567), ("3/4", "3/4"), ("-3/4", "-3/4"), (r"\frac{3}{4}", "3/4"),
        (r"-\dfrac{3}{4}", "-3/4"), ("1.2e-3", "0.0012"), ("1E3", 1000), ("2×10^3", 2000),
        (r"2\times10^{-3}", "0.002"), ("5%", "0.05"), (r"5\%", "0.05"), ("$7", 7),
        ("-$7.50", "-7.5"), ("7 €", 7), (r"\$7", 7), ("$36$", 36), ("−3", -3),
        ("1{,}234", 1234), ("1\u202f234", 1234), ("-0", 0),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(text: str, value: object) -> None:
    assert number(text) == Fraction(str(value))


@pytest.mark.parametrize(
    "text",
    ["", ".", "-", "x", "36x", "3 6", "1 2", "1,23", "12,34,567", "1/0", "1/0.0", "--3", "NaN",
     "inf", "Infinity", "0x10", "1_000", "٣", "３", "1e", "3/4/5", "five", "36 37",
     "1e99999999", "1;2"],
)  # fmt: skip
def test_everything_that_is_not_wholly_a_number_is_none(text: str) -> None:
    assert number(text) is None


@pytest.mark.parametrize(
    "text",
    ["1e1000000", "1e-1000000", "10**-1000000", "9" * 1_000_000, "1e" + "9" * 1000,
     "1/" + "9" * 5000, "2×10^1000000", "1," * 500_000, "0." + "0" * 999_000 + "1"],
)  # fmt: skip
def test_monstrous_numbers_are_a_fail_and_not_a_computation(text: str) -> None:
    assert answer("number", 4, text) == "fail"
    assert answer({"kind": "number", "extract": "last_number"}, 4, text) in ("fail", "pass")


def test_the_reference_may_be_a_number_or_text() -> None:
    assert answer("number", 0.3, "3/10") == "pass"
    assert answer("number", 1234, "1,234") == "pass"
    assert answer("number", "1/3", "2/6") == "pass"
    assert answer("number", "1/3", "0.333333333333") == "fail"


@pytest.mark.parametrize("reference", [None, "", "four", True, [4], float("nan"), float("inf"),
                                       10**2000, "1e5000"])  # fmt: skip
def test_a_reference_that_is_no_number_is_an_error(reference: object) -> None:
    found = judged("number", {"answer": reference}, "4")
    assert found.answer == "error"
    assert build("number").gold(task_with({"answer": reference})) is None


def test_tolerances_are_exact_at_their_edge() -> None:
    spec = {"kind": "number", "tolerance": 0.1}
    assert answer(spec, 0.3, "0.4") == "pass"  # 0.4 - 0.3 > 0.1 in floating point
    assert answer(spec, 0.3, "0.2") == "pass"
    assert answer(spec, 0.3, "0.4000001") == "fail"


def test_the_wider_of_the_two_tolerances_counts() -> None:
    spec = {"kind": "number", "tolerance": 1, "relative": 0.01}
    assert answer(spec, 1000, "1010") == "pass"
    assert answer(spec, 1000, "1011") == "fail"
    assert answer(spec, 10, "11") == "pass"
    assert answer(spec, -1000, "-990") == "pass"


def test_units_are_stripped_only_where_the_setting_says_so() -> None:
    assert answer("number", 5, "5 km") == "fail"
    spec = {"kind": "number", "units": ["km", "%"]}
    assert answer(spec, 5, "5 km") == "pass"
    assert answer(spec, 5, "5%") == "pass"
    assert answer(spec, 5, "5 kg") == "fail"


def test_a_decimal_comma_is_read_where_the_setting_says_so() -> None:
    spec = {"kind": "number", "decimal": ","}
    assert answer(spec, 1234.5, "1.234,5") == "pass"
    assert answer(spec, 1234.5, "1,234.5") == "fail"
    assert answer("number", 3.5, "3,5") == "fail"


@pytest.mark.parametrize(
    ("output", "last"),
    [("it is 5, no, 7.", "7."), ("5-3", "3"), ("(-3)", "-3"), ("x2 is 4 and y9", "4"),
     ("costs $1,234 now", "$1,234"), ("no number", None), ("", None), ("1/2 or 3/4", "3/4")],
)  # fmt: skip
def test_the_last_number_of_a_text_is_found(output: str, last: str | None) -> None:
    assert last_number(output) == last


def test_extraction_takes_the_last_answer() -> None:
    assert answer({"kind": "number", "extract": "last_number"}, 7, "5 and so 7.") == "pass"
    assert answer({"kind": "number", "extract": "last_number"}, 7, "none") == "fail"
    assert answer({"kind": "number", "extract": "gsm8k"}, 7, "2+5\n#### 7") == "pass"
    assert answer({"kind": "number", "extract": "boxed"}, 7, r"\boxed{5} \boxed{7}") == "pass"
    assert answer("number", 7, "The answer is 7") == "fail"


@pytest.mark.parametrize("extract", ["whole", "gsm8k", "boxed", "last_number", "after:So"])
@pytest.mark.parametrize("reference", ["1,234.5", -3, 0.25, "3/4", "5%"])
def test_the_gold_passes(extract: str, reference: object) -> None:
    verifier = build({"kind": "number", "extract": extract})
    gold = verifier.gold(task_with({"answer": reference}))
    assert gold is not None
    assert answer(verifier, reference, gold) == "pass"


@pytest.mark.parametrize(
    "settings",
    [{"tolerance": -1}, {"tolerance": "0"}, {"tolerance": True}, {"tolerance": float("nan")},
     {"relative": 1}, {"relative": float("inf")}, {"units": "km"}, {"units": [""]},
     {"decimal": ";"}, {"extract": "fenced"}, {"precision": 1}],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_refused_by_name(settings: dict[str, object]) -> None:
    with pytest.raises(SpecError, match=next(iter(settings))):
        build({"kind": "number", **settings})


fractions = st.fractions(
    min_value=-(10**12), max_value=10**12, max_denominator=10**6
)
decimals = st.decimals(
    min_value=-(10**15), max_value=10**15, allow_nan=False, allow_infinity=False, places=4
)


@given(fractions)
def test_a_fraction_reads_as_itself(value: Fraction) -> None:
    assert number(f"{value.numerator}/{value.denominator}") == value
    sign, whole = ("-" if value < 0 else ""), abs(value.numerator)
    assert number(rf"{sign}\frac{{{whole}}}{{{value.denominator}}}") == value


@given(decimals, st.integers(-300, 300))
def test_a_decimal_reads_as_itself_however_it_is_written(value: object, exponent: int) -> None:
    exact = Fraction(str(value))
    assert number(f"{value:f}") == number(f"{value:,f}") == exact  # type: ignore[str-bytes-safe]
    assert number(f"{value:f}e{exponent}") == exact * Fraction(10) ** exponent
    assert number(f"{value:f}%") == exact / 100
    assert last_number(f"so it is {value:,f}") == f"{value:,f}"


@given(st.text(max_size=40))
def test_no_text_raises(words: str) -> None:
    number(words)
    last = last_number(words)
    assert last is None or len(last) <= len(words)


@given(st.text(alphabet="0123456789.,/%e+-$ ", max_size=25))
def test_the_last_number_is_a_number_or_over_the_caps(words: str) -> None:
    last = last_number(words)
    assert last is None or number(last) is not None or "/" in last or "e" in last.lower()
