"""From labels to the figures of the pages: per verifier and agent, and per family.

An item that two people judge differently counts as wrong, as it does for the licence. Items left to
a person have no verdict to be right or wrong about and count nowhere here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db.models import Count, Q

from improvement.evaluation import reliability
from improvement.evaluation.reliability import Estimate, Stratum
from improvement.models import Agent, Label, LabelAnswers, LabelItem, Trajectory, Verdict, Verifier

Pair = tuple[int, int]
"""(verifier id, agent id)."""
Truth = Literal["right", "wrong", ""]


@dataclass(frozen=True, slots=True)
class Item:
    """A drawn attempt and what people said of it: "" while nobody could tell."""

    pk: int
    trajectory: int
    answer: Literal["pass", "fail"]
    family: str
    disagreement: bool
    weight: float
    truth: Truth
    labels: int
    second: bool

    @property
    def waiting(self) -> bool:
        return self.labels < (2 if self.second else 1)

    @property
    def contradicted(self) -> bool:
        """People and the verifier disagree."""
        return bool(self.truth) and (self.truth == "right") != (self.answer == "pass")


@dataclass(frozen=True, slots=True)
class Figures:
    """What the labels say of one verifier (for one agent, or one family of its tasks)."""

    labels: int
    accepts: int
    right_accepts: int
    refused: int
    wrongly_refused: int
    precision: Estimate | None
    recall: Estimate | None
    fpr: Estimate | None


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """A family: its verdicts, its figures, and the purity of what is harvested from it.
    `near_chance`: its pass rate is at most twice the verifier's false pass rate."""

    family: str
    passes: int
    fails: int
    figures: Figures
    solve_rate: Estimate | None
    purity: Estimate | None
    near_chance: bool


def items_of(verifiers: Iterable[Verifier], agent: Agent | None = None) -> dict[Pair, list[Item]]:
    """The labelled and waiting items of these verifiers: one query."""
    rows = LabelItem.objects.filter(verifier__in=list(verifiers), decides=False)
    if agent:
        rows = rows.filter(agent=agent)
    counted = rows.annotate(
        said_right=Count("labels", filter=Q(labels__answer=LabelAnswers.RIGHT)),
        said_wrong=Count("labels", filter=Q(labels__answer=LabelAnswers.WRONG)),
        said=Count("labels"),
    )
    found: defaultdict[Pair, list[Item]] = defaultdict(list)
    for row in counted.order_by("pk"):
        found[row.verifier_id, row.agent_id].append(
            Item(
                pk=row.pk,
                trajectory=row.trajectory_id,
                answer="pass" if row.answer == "pass" else "fail",
                family=row.family,
                disagreement=row.disagreement,
                weight=row.weight,
                truth="wrong" if row.said_wrong else "right" if row.said_right else "",
                labels=row.said,
                second=row.second,
            )
        )
    return dict(found)


def figures(items: Sequence[Item]) -> Figures:
    """Precision, recall and false passes of these items, each with its interval."""
    strata = strata_of(items)
    passes = [s for s in strata if s.answer == "pass"]
    fails = [s for s in strata if s.answer == "fail"]
    return Figures(
        labels=sum(s.labels for s in strata),
        accepts=sum(s.labels for s in passes),
        right_accepts=sum(s.right for s in passes),
        refused=sum(s.labels for s in fails),
        wrongly_refused=sum(s.right for s in fails),
        precision=reliability.precision(strata),
        recall=reliability.recall(strata),
        fpr=reliability.false_pass_rate(strata),
    )


def strata_of(items: Sequence[Item]) -> list[Stratum]:
    """The items' strata; the weights of a stratum add up to its population."""
    sizes: defaultdict[tuple[Literal["pass", "fail"], str, bool], float] = defaultdict(float)
    truths: Counter[tuple[str, str, bool, str]] = Counter()
    for item in items:
        key = (item.answer, item.family, item.disagreement)
        sizes[key] += item.weight
        truths[*key, item.truth] += 1
    return [
        Stratum(*key, size=size, right=truths[*key, "right"], wrong=truths[*key, "wrong"])
        for key, size in sorted(sizes.items())
    ]


def families(items: Sequence[Item], counts: Sequence[tuple[str, str, int]]) -> list[FamilyRow]:
    """A row a family. `counts` holds (family, answer, verdicts).

    The solve rate is the pass rate of the family, corrected for the verifier's errors over all
    families, since no family alone has labels enough for its own; purity follows from it.
    """
    whole = figures(items)
    by_family: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for family, answer, n in counts:
        by_family[family][answer] += n
    return [
        _family(name, own["pass"], own["fail"], [i for i in items if i.family == name], whole)
        for name, own in sorted(by_family.items())
    ]


def _family(name: str, passes: int, fails: int, items: Sequence[Item], whole: Figures) -> FamilyRow:
    solve_rate = purity = None
    n = passes + fails
    if whole.recall and whole.fpr:
        solve_rate = reliability.corrected_rate(passes, n, whole.recall, whole.fpr)
        purity = solve_rate and reliability.purity_between(solve_rate, whole.recall, whole.fpr)
    near = bool(n and passes and whole.fpr and passes / n <= 2 * whole.fpr.value)
    return FamilyRow(name, passes, fails, figures(items), solve_rate, purity, near)


def agreement(verifiers: Iterable[Verifier]) -> dict[Pair, tuple[Estimate | None, int]]:
    """κ of the first two labels of each item that has two, and how many those are: one query."""
    labels = Label.objects.filter(item__second=True, item__verifier__in=list(verifiers))
    by_item: defaultdict[tuple[int, int, int], list[str]] = defaultdict(list)
    for verifier, agent, item, answer in labels.order_by("pk").values_list(
        "item__verifier", "item__agent", "item", "answer"
    ):
        by_item[verifier, agent, item].append(answer)
    tables: dict[Pair, list[list[int]]] = {}
    words = list(LabelAnswers.values)
    for (verifier, agent, _), said in by_item.items():
        if len(said) > 1:
            table = tables.setdefault((verifier, agent), [[0] * 3 for _ in words])
            table[words.index(said[0])][words.index(said[1])] += 1
    return {pair: (reliability.kappa(t), sum(map(sum, t))) for pair, t in tables.items()}


def verdict_counts(verifiers: Iterable[Verifier]) -> dict[Pair, Counter[str]]:
    """Verdicts of each verifier for each agent by answer, without sealed attempts: one query."""
    seen = Trajectory.objects.visible()
    rows = Verdict.objects.filter(verifier__in=list(verifiers), trajectory__in=seen).order_by()
    found: defaultdict[Pair, Counter[str]] = defaultdict(Counter)
    for verifier, agent, answer, n in rows.values_list(
        "verifier_id", "trajectory__agent_id", "answer"
    ).annotate(n=Count("pk")):
        found[verifier, agent][answer] = n
    return dict(found)
