"""The promotion gate: paired held-out items in; pass, fail or insufficient evidence out.

Missing verdicts (a verifier error, an attempt that was never made) are no scores: every reported
count, share and interval is over complete pairs. But an answer is given only if it stands however
the missing verdicts had come out: a pass must survive reading each of them against the candidate,
a fail reading each of them in its favour. `GateResult.e_value` is the former, so it is never more
than wins and losses alone would show.

Limits: families are reported and not yet guarded one by one; the evidence threshold is one number
and not yet spent from an error budget across cycles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from improvement.evaluation import reasons
from improvement.evaluation.records import GateAnswer, GateResult, PairedItem
from improvement.evaluation.rule import GateRule as GateRule
from improvement.evaluation.statistics import e_value, mcnemar, paired_interval
from improvement.evaluation.tally import Tally, tally, tally_families


def pair_up(
    block: Mapping[str, str],
    champion: Mapping[str, bool | None],
    candidate: Mapping[str, bool | None],
) -> tuple[PairedItem, ...]:
    """The whole sealed block as pairs. `block` maps task key → family; a task without an entry in
    a side's verdicts is missing there. ValueError for verdicts on tasks outside the block."""
    for side, verdicts in (("champion", champion), ("candidate", candidate)):
        strangers = sorted(set(verdicts) - set(block))
        if strangers:
            raise ValueError(f"{side} has verdicts outside the block: {strangers[:5]}")
    return tuple(
        PairedItem(key, family, champion.get(key), candidate.get(key))
        for key, family in block.items()
    )


def decide(items: Sequence[PairedItem], rule: GateRule | None = None) -> GateResult:
    """Compare candidate with champion on `items`: one block, both sides, nothing left out.

    ValueError for two items of one task or a verdict that is not True, False or None.
    """
    rule = rule or GateRule()
    _refuse_bad(items)
    level = 1.0 - rule.alpha
    seen = tally(items)
    against, in_favour = tally(items, missing="against"), tally(items, missing="in favour")
    families = tally_families(items, level)
    answer, reason = _answer(seen, against, in_favour, rule)
    return GateResult(
        answer=answer,
        reason=reason + reasons.falling(families),
        n=seen.n,
        wins=seen.wins,
        losses=seen.losses,
        ties=seen.ties,
        missing=seen.missing,
        champion_score=seen.champion_score,
        candidate_score=seen.candidate_score,
        difference=seen.difference,
        interval=paired_interval(seen.wins, seen.losses, seen.n, level),
        p_value=mcnemar(seen.wins, seen.losses),
        e_value=e_value(against.wins, against.losses),
        families=families,
    )


def _refuse_bad(items: Sequence[PairedItem]) -> None:
    keys: set[str] = set()
    for item in items:
        if item.task_key in keys:
            raise ValueError(f"task {item.task_key!r} is in the comparison twice")
        keys.add(item.task_key)
        for verdict in (item.champion, item.candidate):
            if verdict is not None and not isinstance(verdict, bool):
                raise ValueError(f"task {item.task_key!r}: {verdict!r} is not a verdict")


def _answer(
    seen: Tally, against: Tally, in_favour: Tally, rule: GateRule
) -> tuple[GateAnswer, str]:
    shortage = reasons.shortage(seen, rule)
    if shortage:
        return "insufficient", shortage
    evidence = e_value(against.wins, against.losses)
    if evidence >= rule.evidence and against.difference >= rule.minimum_difference:
        return (
            "pass",
            f"{reasons.figures(seen)}: e = {evidence:.3g}, and {rule.evidence:g} is enough.",
        )
    reverse = e_value(in_favour.losses, in_favour.wins)
    if reverse >= rule.evidence:
        return (
            "fail",
            f"{reasons.figures(seen)}: the candidate is worse (e = {reverse:.3g} for a loss).",
        )
    upper = paired_interval(in_favour.wins, in_favour.losses, in_favour.n, 1.0 - rule.alpha)[1]
    if upper < rule.minimum_difference:
        useful = f"{100 * rule.minimum_difference:g} points"
        return (
            "fail",
            f"{reasons.figures(seen)}: at best {100 * upper:+.1f} points, and {useful} are asked.",
        )
    return "insufficient", reasons.doubt(seen, against, evidence, rule)
