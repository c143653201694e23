"""Drawing attempts that people label: what the reliability of a verifier is measured on.

Strata are verdict × family × disagreement (another verifier answered otherwise on the same
attempt). Accepts are drawn more than refusals, because the licence rests on their precision, and
disagreements more than agreement, because errors hide there; the weights take that out again.
A judge's attempts since the champion was deployed are drawn first: only they count for its licence.
Limits: attempts at sealed held-out tasks are never drawn; weights hold as of the last draw.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import MD5, Cast, Concat

from improvement.models import Agent, Answers, LabelItem, Trajectory, Verdict, Verifier

COUNT = 30
FEW = 10
ACCEPTS = 0.6
DISAGREEMENT = 3.0
SECOND_EVERY = 10
JUDGED = (Answers.PASS, Answers.FAIL)


class Key(NamedTuple):
    """A stratum."""

    answer: str
    family: str
    disagreement: bool


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
        seed = known if seed is None else seed
        items = _deciding(agent, verifier)
        own.filter(decides=False).update(disagreement=_disagreement(verifier))
        plan = allocate(_counted(_population(agent, verifier, drawn=False)), count)
        picked = [
            LabelItem(agent=agent, verifier=verifier, trajectory_id=pk, **key._asdict())
            for key, number in plan.items()
            for pk in _pick(agent, verifier, key, number, seed)
        ]
        # The order tells nothing about the verdict.
        random.Random(seed).shuffle(picked)  # noqa: S311
        for number, item in enumerate(picked, start=known):
            item.second = number % SECOND_EVERY == 0
        LabelItem.objects.bulk_create([*items, *picked])
        _weigh(agent, verifier)
    return len(items) + len(picked)


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


def _population(agent: Agent, verifier: Verifier, *, drawn: bool = True) -> QuerySet[Any]:
    """The verdicts that labels are to speak for, with their stratum; `drawn` ones too or not."""
    rows = _verdicts(agent, verifier).filter(answer__in=JUDGED)
    if not drawn:
        rows = rows.exclude(_has_item(verifier))
    return rows.annotate(family=F("trajectory__family"), disagreement=_disagreement(verifier))


def _has_item(verifier: Verifier) -> Exists:
    items = LabelItem.objects.filter(verifier=verifier, trajectory=OuterRef("trajectory_id"))
    return Exists(items)


def _disagreement(verifier: Verifier) -> Exists:
    """Whether another verifier answered otherwise; for rows with `trajectory_id` and `answer`."""
    others = Verdict.objects.filter(trajectory=OuterRef("trajectory_id"), answer__in=JUDGED)
    return Exists(others.exclude(verifier=verifier).exclude(answer=OuterRef("answer")))


def _counted(rows: QuerySet[Any]) -> dict[Key, int]:
    counts = rows.values_list("answer", "family", "disagreement").annotate(n=Count("pk"))
    return {Key(*stratum): n for *stratum, n in counts}


def _pick(agent: Agent, verifier: Verifier, key: Key, number: int, seed: int) -> list[int]:
    """Trajectories of a stratum in the order of a dice; a judge's fresh ones first."""
    rows = _population(agent, verifier, drawn=False).filter(**key._asdict())
    dice = MD5(Concat(Cast("trajectory_id", CharField()), Value(f"/{seed}")))
    deployment = None if verifier.deterministic else agent.deployment
    if deployment is not None:
        before = When(trajectory__created_at__lt=deployment.created_at, then=1)
        rows = rows.annotate(stale=Case(before, default=0)).order_by("stale", dice)
    else:
        rows = rows.order_by(dice)
    return list(rows.values_list("trajectory_id", flat=True)[:number])


def _left_to_people(agent: Agent, verifier: Verifier) -> QuerySet[Verdict]:
    """Verdicts that wait for a person and are not drawn."""
    rows = _verdicts(agent, verifier).filter(answer=Answers.ERROR, evidence__needs_person=True)
    return rows.exclude(_has_item(verifier))


def _deciding(agent: Agent, verifier: Verifier) -> list[LabelItem]:
    """Items for the verdicts that the verifier left to a person, oldest first."""
    rows = _left_to_people(agent, verifier).order_by("pk")
    return [
        LabelItem(
            agent=agent,
            verifier=verifier,
            trajectory_id=pk,
            answer=Answers.ERROR,
            family=family,
            decides=True,
        )
        for pk, family in rows.values_list("trajectory_id", "trajectory__family")[:COUNT]
    ]


def _weigh(agent: Agent, verifier: Verifier) -> None:
    """Let the items of each stratum stand, together, for all of its verdicts."""
    items = LabelItem.objects.filter(agent=agent, verifier=verifier, decides=False)
    sizes = _counted(_population(agent, verifier))
    for key, drawn in _counted(items).items():
        items.filter(**key._asdict()).update(weight=max(sizes.get(key, drawn), drawn) / drawn)
