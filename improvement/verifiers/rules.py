"""How the answers of several verifiers become one. Pure: judgements in, a decision out.

Passed parts count as 1 and failed ones as 0: partial scores never add up to a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

from improvement.records import Answer, Judgement


class Decision(NamedTuple):
    """`by` is the index of the part that decided, where it was a single one."""

    answer: Answer
    score: float | None
    reason: str
    by: int | None = None


def all_of(judged: Sequence[Judgement]) -> Decision:
    """Fail when one failed; else error when one could not judge; else pass."""
    failed, erred = _first(judged, "fail"), _first(judged, "error")
    if failed is not None:
        return Decision("fail", _share(judged), _said(judged, failed), failed)
    if erred is not None:
        return Decision("error", None, _said(judged, erred), erred)
    return Decision("pass", 1.0, f"all {len(judged)} verifiers passed it", 0)


def any_of(judged: Sequence[Judgement]) -> Decision:
    """Pass when one passed; else error when one could not judge; else fail."""
    passed, erred = _first(judged, "pass"), _first(judged, "error")
    if passed is not None:
        return Decision("pass", 1.0, _said(judged, passed), passed)
    if erred is not None:
        return Decision("error", None, _said(judged, erred), erred)
    return Decision("fail", 0.0, f"none of {len(judged)} verifiers passed it", 0)


def first_decisive(judged: Sequence[Judgement]) -> Decision:
    """The first pass or fail; a person where there is none."""
    for at, one in enumerate(judged):
        if one.answer != "error":
            return Decision(one.answer, one.score, _said(judged, at), at)
    reasons = "; ".join(str(one.evidence.get("reason")) for one in judged)
    return Decision("error", None, f"no verifier could decide ({reasons}): a person must decide")


def weighted_sum(
    weights: Sequence[Fraction], threshold: Fraction
) -> Callable[[Sequence[Judgement]], Decision]:
    """Pass when the passed parts hold at least `threshold` of all weight; error only where the
    parts that could not judge would change the answer."""

    def decide(judged: Sequence[Judgement]) -> Decision:
        passed = _weight(judged, weights, "pass")
        open_ = _weight(judged, weights, "error")
        say = f"{float(passed):.3g} of the weight passed and {float(threshold):.3g} is needed"
        if passed >= threshold:
            return Decision("pass", float(passed), say)
        if passed + open_ < threshold:
            return Decision("fail", float(passed), say)
        return Decision("error", None, f"{say}; {float(open_):.3g} could not be judged")

    return decide


def _weight(judged: Sequence[Judgement], weights: Sequence[Fraction], answer: Answer) -> Fraction:
    held = (w for one, w in zip(judged, weights, strict=True) if one.answer == answer)
    return sum(held, Fraction(0)) / sum(weights, Fraction(0))


def _share(judged: Sequence[Judgement]) -> float:
    return sum(one.answer == "pass" for one in judged) / len(judged)


def _first(judged: Sequence[Judgement], answer: Answer) -> int | None:
    return next((at for at, one in enumerate(judged) if one.answer == answer), None)


def _said(judged: Sequence[Judgement], at: int) -> str:
    return f"part {at + 1}: {judged[at].evidence.get('reason')}"
