"""The math verifier: equivalence behind the walls, and text made to break out or take forever."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improvement.records import Judgement
from improvement.sandbox.records import SandboxRefused
from improvement.verifiers.base import SpecError
from improvement.verifiers.build import build
from improvement.verifiers.expressions import NotMathematics, expression, repeats, words
from tests.loop.judged import judged, task_with


def check(gold: object, output: str, prompt: str = "?", **settings: object) -> Judgement:
    return judged({"kind": "math", **settings}, {"answer": gold}, output, prompt)


@pytest.mark.parametrize(
    ("gold", "output"),
    [
        ("1/2", "0.5"), ("1/2", r"\frac{2}{4}"), ("x^2-1", "(x+1)(x-1)"), ("x+1", "1+x"),
        (r"2\sqrt{2}", r"$\sqrt{8}$"), ("2*sqrt(2)", r"\sqrt{8}"), ("5", "x=5"), ("x=5", "5"),
        ("5", "2+3=5"), ("5", r"5 \text{ km}"), ("5", "$5"), ("\\sin x", r"\sin(x)"),
        (r"\{1,2\}", "2, 1"), ("x<5", "5>x"), ("100", "10^2"), ("100", "10**2"), ("1e3", "1000"),
        (r"\pi", "π"), ("sin(x)^2+cos(x)^2", "1"), (r"x \le 5", "x ≤ 5"), (36, "36"), (0.5, "1/2"),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{bmatrix}1&2\\3&4\end{bmatrix}"),
        (r"[0,1)", r"\left[0,1\right)"), ("east", r"\text{East}"), ("No solution", "no solution."),
    ],
)  # fmt: skip
def test_equal_mathematics_passes(gold: object, output: str) -> None:
    assert check(gold, output).answer == "pass"


@pytest.mark.parametrize(
    ("gold", "output"),
    [
        ("1/2", "1/3"), ("x+1", "x+2"), ("x", "y"), ("5", "x"), ("7", "7, 8"), ("7", "7 or 8"),
        ("(1,2)", "[1,2]"), ("12", "3 4"), ("3", "1 2"), ("12", "1, 2"), ("east", "teas"),
        ("yes", "no"), ("0", "0.000000001"), ("0.0000001", "0"), ("x=5", "y=5"), ("x<5", "x>5"),
        ("1/2", r"junk answer \frac{1}{2}"), ("1/2", "\\frac{1}{2}\nx^2-1"), ("5", "6 = 5"),
        ("5", r"5 \text{or 6}"), ("5", r"5 \approx 6"), ("5", "5_6"), ("5", r"5 \ldots"),
        ("1/2", r"\frac{1}{2}$ x"), ("5", "x = 6 = 5"), ("5", "5 = 6"), ("5", r"5 \quad 6"),
        ("1/2", "x \\frac{1}{2} \\"), ("5", "5 ]"), ("5", "5 +"), ("5", r"\boxed{6} 5"),
        ("36", "36 or perhaps not"), ("36", "Perhaps 36"), ("36", "36, 37, 38"), ("7", ""),
    ],
)  # fmt: skip
def test_other_mathematics_fails(gold: object, output: str) -> None:
    found = check(gold, output)
    assert (found.answer, found.score) == ("fail", 0.0)


@pytest.mark.parametrize(
    "output",
    ["__import__('os').system('true')", "().__class__", "x.__class__", "a.b", "lambda: 0", "f'5'",
     '"5"', "`5`", "5 # five", "5;;import os@", "５", "x\x00", "5\x1b[0m", "(" * 61 + "5",
     "x" * 1001, "import os", "eval(5)", "exec(5).real", "5 if x else 5 ?"],
)  # fmt: skip
def test_what_could_be_a_program_never_reaches_a_parser(output: str) -> None:
    with pytest.raises(NotMathematics):
        expression(output)
    assert check("5", output).answer == "fail"


@pytest.mark.parametrize("output", ["9^{9^{9^{9}}}", "99999999999!"])
def test_a_calculation_without_an_end_is_a_fail_with_that_evidence(
    output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from improvement.sandbox.records import Limits

    short = Limits(seconds=2.0, call_seconds=0.7, memory=1 << 30)
    monkeypatch.setattr("improvement.verifiers.math.LIMITS", short)
    found = check("5", output)
    assert found.answer == "fail"
    assert "could not be compared" in found.evidence["reason"]


@pytest.mark.parametrize("gold", ["x(", r"\frac{1}", "", None, True, "a.b", ["1"], "'"])
def test_a_reference_that_can_not_be_read_is_an_error(gold: object) -> None:
    assert check(gold, "1").answer == "error"


def test_an_answer_that_does_not_parse_is_a_fail() -> None:
    assert "can't be parsed" in check("5", "x(").evidence["reason"]


def test_an_answer_that_repeats_the_question_is_none() -> None:
    assert check("5", "2+3", "What is $2 + 3$?").answer == "fail"
    assert check("12", r"\sqrt{144}", r"Evaluate \sqrt{144}.").answer == "fail"
    assert check("x^2-1", "(x+1)(x-1)", "Expand (x+1)(x-1)").answer == "fail"
    assert check("5", "3+2", "What is 2+3?").answer == "pass"
    assert check("1/2", r"\frac{1}{2}", r"Is \frac{1}{2} or 1 right?").answer == "pass"
    assert check("2+2", "2+2", "Which is 4: 2+2 or 1+1?").answer == "pass"


def test_the_answer_is_found_where_the_setting_says() -> None:
    found = check("x^2", r"First \boxed{3}, then \boxed{x \cdot x}.", extract="boxed")
    assert found.answer == "pass"
    assert check("5", "I think that 5", extract="boxed").answer == "fail"
    assert check("1/3", "0.333", digits=3).answer == check("1/3", "0.333333").answer == "pass"
    assert check("1/3", "0.333").answer == "fail"


def test_without_its_walls_nothing_is_parsed_and_the_answer_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(kit: str) -> None:
        raise SandboxRefused("the wall against sockets is missing")

    monkeypatch.setattr("improvement.sandbox.pool.sandbox", refuse)
    found = check("x+1", "1+x")
    assert (found.answer, found.evidence["reason"]) == (
        "error", "the wall against sockets is missing",
    )  # fmt: skip


def test_this_process_never_imports_the_parsers() -> None:
    code = (
        "import sys; from improvement.verifiers.build import build; build('math')\n"
        "sys.exit(str({'sympy', 'math_verify', 'latex2sympy2_extended'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


@pytest.mark.parametrize("gold", ["x^2", r"\frac{1}{2}", "3", "east"])
@pytest.mark.parametrize("extract", ["whole", "boxed", "after:So"])
def test_the_gold_passes(gold: str, extract: str) -> None:
    verifier = build({"kind": "math", "extract": extract})
    output = verifier.gold(task_with({"answer": gold}))
    assert output is not None
    assert judged(verifier, {"answer": gold}, output).answer == "pass"


@pytest.mark.parametrize("settings", [{"digits": 1}, {"digits": "6"}, {"digits": True},
                                      {"extract": "fenced"}, {"timeout": 5}])  # fmt: skip
def test_a_setting_that_makes_no_sense_is_refused_by_name(settings: dict[str, object]) -> None:
    with pytest.raises(SpecError, match=next(iter(settings))):
        build({"kind": "math", **settings})


@given(st.text(max_size=60))
def test_whatever_is_let_through_holds_no_quote_attribute_or_double_underscore(text: str) -> None:
    words(text)
    repeats(text, "5", text)
    try:
        plain = expression(text)
    except NotMathematics:
        return
    assert plain.isascii()
    assert not set("'\"`@#\x00") & set(plain)
    assert "__" not in plain
