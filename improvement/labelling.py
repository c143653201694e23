"""Drawing attempts that people label: what the reliability of a verifier is measured on.

Strata are verdict × family × disagreement (another verifier answered otherwise on the same
attempt). Accepts are drawn more than refusals, because the licence rests on their precision, and
disagreements more than agreement, because errors hide there; the weights take that out again.
A judge's attempts since the champion was deployed are drawn first: only they count for its licence.
Limits: attempts at sealed held-out tasks are never drawn; only the NEWEST verdicts of a version are
drawn from and weighed, so that a draw takes no longer after a million; weights hold as of the last
draw.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from improvement.models import Agent, Answers, LabelItem, Trajectory, Verdict, Verifier

COUNT = 30
FEW = 10
ACCEPTS = 0.6
DISAGREEMENT = 3.0
SECOND_EVERY = 10
NEWEST = 20_000
JUDGED = (Answers.PASS, Answers.FAIL)


class Key(NamedTuple):
    """A stratum."""

    answer: str
    family: str
    disagreement: bool


class Judged(NamedTuple):
    """A verdict that may be drawn; `stale`: it doesn't count for a judge's licence any more."""

    trajectory: int
    key: Key
    drawn: bool
    stale: bool


def waiting_items() -> QuerySet[Any]:
    """Items that lack a label; `labelled` is how many they have."""
    items = LabelItem.objects.annotate(labelled=Count("labels"))
    return items.filter(Q(labelled=0) | Q(second=True, labelled=1))


def draw_if_few(agent: Agent, verifier: Verifier) -> int:
    """Add what newly waits for a person, and a fresh set when fewer than FEW items have no label;
    how many were added. Second labels don't count: one person alone could never give them."""
    waiting = waiting_items().filter(agent=agent, verifier=verifier, labelled=0)
    if waiting.count() >= FEW and not _left_to_people(agent, verifier).exists():
        return 0
    with transaction.atomic():
        _lock(verifier)
        enough = waiting.count() >= FEW  # somebody else may have opened the queue just now
        return draw(agent, verifier, 0 if enough else COUNT)


def draw(agent: Agent, verifier: Verifier, count: int = COUNT, *, seed: int | None = None) -> int:
    """Add up to COUNT attempts whose verdict waits for a person and up to `count` of the
    stratified sample; how many were added. The same rows and seed draw the same attempts."""
    with transaction.atomic():
        _lock(verifier)
        own = LabelItem.objects.filter(agent=agent, verifier=verifier)
        known = own.count()
        items = _deciding(agent, verifier)
        sampled = own.filter(decides=False)
        sampled.update(disagreement=_disagreement(verifier))
        population = _population(agent, verifier)
        picked = _sample(population, count, random.Random(known if seed is None else seed))  # noqa: S311
        for number, (row, key) in enumerate(picked, start=known):
            second = number % SECOND_EVERY == 0
            items.append(LabelItem(trajectory_id=row, second=second, **key._asdict()))
        for item in items:
            item.agent, item.verifier = agent, verifier
        LabelItem.objects.bulk_create(items)
        _weigh(sampled, Counter(row.key for row in population))
    return len(items)


def _sample(population: Sequence[Judged], count: int, dice: random.Random) -> list[tuple[int, Key]]:
    """(trajectory, stratum) of what is drawn, in an order that tells nothing about the verdict."""
    strata: defaultdict[Key, list[Judged]] = defaultdict(list)
    for row in population:
        if not row.drawn:
            strata[row.key].append(row)
    picked = []
    for key, number in allocate({key: len(own) for key, own in strata.items()}, count).items():
        own = dice.sample(strata[key], len(strata[key]))
        own.sort(key=lambda row: row.stale)
        picked += [(row.trajectory, key) for row in own[:number]]
    dice.shuffle(picked)
    return picked


def allocate(available: Mapping[Key, int], count: int) -> Counter[Key]:
    """How many to draw of each stratum: ACCEPTS of them passes where there are enough; first one
    of every stratum, then by size (Sainte-Laguë), where a disagreement counts DISAGREEMENT-fold."""
    passes = sum(n for key, n in available.items() if key.answer == Answers.PASS)
    fails = sum(available.values()) - passes
    accepts = min(passes, max(round(ACCEPTS * count), count - fails))
    plan: Counter[Key] = Counter()
    for answer, quota in ((Answers.PASS, accepts), (Answers.FAIL, count - accepts)):
        own = sorted(key for key, n in available.items() if key.answer == answer and n)
        for _ in range(quota):
            open_ = [key for key in own if plan[key] < available[key]]
            if not open_:
                break
            plan[max(open_, key=lambda key: _claim(key, available[key], plan[key]))] += 1
    return plan


def _claim(key: Key, size: int, given: int) -> tuple[bool, float]:
    return given == 0, size * (DISAGREEMENT if key.disagreement else 1.0) / (2 * given + 1)


def _lock(verifier: Verifier) -> None:
    """One draw of a verifier at a time, until the transaction ends."""
    Verifier.objects.select_for_update(no_key=True).get(pk=verifier.pk)


def _verdicts(agent: Agent, verifier: Verifier) -> QuerySet[Verdict]:
    """This version's verdicts on attempts that may be seen."""
    seen = Trajectory.objects.visible().filter(agent=agent)
    return Verdict.objects.filter(verifier=verifier, trajectory__in=seen).order_by()


def _population(agent: Agent, verifier: Verifier) -> list[Judged]:
    """The verdicts that labels are to speak for, in their order."""
    own = Verdict.objects.filter(verifier=verifier, trajectory__agent=agent).order_by("-pk")
    edge = own.values_list("pk", flat=True)[NEWEST : NEWEST + 1].first() or 0
    deployment = None if verifier.deterministic else agent.deployment
    rows = _verdicts(agent, verifier).filter(answer__in=JUDGED, pk__gt=edge)
    rows = rows.annotate(disagreement=_disagreement(verifier), drawn=_has_item(verifier))
    return [
        Judged(
            trajectory=pk,
            key=Key(answer, family, disagreement),
            drawn=drawn,
            stale=deployment is not None and made < deployment.created_at,
        )
        for pk, answer, family, disagreement, drawn, made in rows.order_by("pk").values_list(
            "trajectory_id",
            "answer",
            "trajectory__family",
            "disagreement",
            "drawn",
            "trajectory__created_at",
        )
    ]


def _has_item(verifier: Verifier) -> Exists:
    items = LabelItem.objects.filter(verifier=verifier, trajectory=OuterRef("trajectory_id"))
    return Exists(items)


def _disagreement(verifier: Verifier) -> Exists:
    """Whether another verifier answered otherwise; for rows with `trajectory_id` and `answer`."""
    others = Verdict.objects.filter(trajectory=OuterRef("trajectory_id"), answer__in=JUDGED)
    return Exists(others.exclude(verifier=verifier).exclude(answer=OuterRef("answer")))


def _left_to_people(agent: Agent, verifier: Verifier) -> QuerySet[Verdict]:
    """Verdicts that wait for a person and are not drawn."""
    rows = _verdicts(agent, verifier).filter(answer=Answers.ERROR, evidence__needs_person=True)
    return rows.exclude(_has_item(verifier))


def _deciding(agent: Agent, verifier: Verifier) -> list[LabelItem]:
    """Items for the verdicts that the verifier left to a person, oldest first."""
    rows = _left_to_people(agent, verifier).order_by("pk")
    return [
        LabelItem(trajectory_id=pk, answer=Answers.ERROR, family=family, decides=True)
        for pk, family in rows.values_list("trajectory_id", "trajectory__family")[:COUNT]
    ]


def _weigh(items: QuerySet[LabelItem], sizes: Mapping[Key, int]) -> None:
    """Let the items of each stratum stand, together, for all of its verdicts."""
    strata = items.order_by().values_list("answer", "family", "disagreement")
    for *stratum, drawn in strata.annotate(n=Count("pk")):
        key = Key(*stratum)
        weight = max(sizes.get(key, drawn), drawn) / drawn
        items.filter(**key._asdict()).update(weight=weight)
