"""May this verifier be trusted, for which agent, and why? The rows of the verifier pages.

The number of queries depends on how many verifiers and agents are shown, never on how many verdicts
there are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef

from improvement import labelling
from improvement.evaluation import reliability as statistics
from improvement.evaluation.reliability import Estimate
from improvement.licences import PERSON, Licence, licence_of
from improvement.models import (
    Agent,
    Answers,
    JunkReport,
    LabelItem,
    LicenceEvent,
    Trajectory,
    Verdict,
    Verifier,
)
from reviews import reliability
from reviews.reliability import FamilyRow, Figures, Item, Pair

VERSIONS_SHOWN = EVENTS_SHOWN = DISAGREEMENTS_SHOWN = 50
TRIES_SHOWN = 200
HIDDEN = "hidden"
_SECRET = re.compile(r"(^|_)(api_?key|secret|password|authorization|token)$", re.IGNORECASE)
_SIGNED_URL = re.compile(r"(?<=//)[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Trust:
    """One verifier version and one agent. `wanted` counts labels that wait to be given, `seconds`
    second ones among them, `deciding` verdicts that wait for a person."""

    agent: Agent
    verifier: Verifier
    licence: Licence
    figures: Figures
    kappa: Estimate | None
    doubles: int
    counts: Mapping[str, int]
    junk: JunkReport | None
    wanted: int
    seconds: int
    deciding: int
    labelled: int
    items: Sequence[Item]

    @property
    def judged(self) -> int:
        return self.counts.get("pass", 0) + self.counts.get("fail", 0)

    @property
    def person(self) -> bool:
        return self.verifier.name == PERSON

    @property
    def more(self) -> int | None:
        """How many more labelled accepts, all of them right, would let its precision hold; None
        where it holds, or where the licence counts other labels than these figures."""
        low, threshold, right = self.licence.low, self.licence.threshold, self.figures.right_accepts
        if self.person or self.licence.labels != self.figures.accepts:
            return None
        if low is not None and low >= threshold:
            return None
        needed = statistics.labels_needed(right, self.figures.accepts, threshold)
        return max(needed, self.licence.needed) if needed < statistics.MOST_NEEDED else None

    @property
    def tries(self) -> Sequence[Mapping[str, Any]]:
        """What the junk battery tried, defects first."""
        rows = self.junk.rows if self.junk else []
        return sorted(rows, key=lambda row: row.get("ok") is not False)[:TRIES_SHOWN]

    @property
    def corrected(self) -> Estimate | None:
        """The pass rate of this agent's attempts, corrected for the verifier's own errors."""
        recall, fpr = self.figures.recall, self.figures.fpr
        if recall is None or fpr is None:
            return None
        return statistics.corrected_rate(self.counts.get("pass", 0), self.judged, recall, fpr)

    @property
    def apparent(self) -> float | None:
        return self.counts.get("pass", 0) / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the same name; `changed` names the settings that differ from the one before."""

    row: Verifier
    changed: Sequence[str]


def trust(verifiers: Sequence[Verifier]) -> list[Trust]:
    """A row for each agent that each verifier has judged or was tried for, in the given order."""
    counts = reliability.verdict_counts(verifiers)
    items = reliability.items_of(verifiers)
    kappas = reliability.agreement(verifiers)
    junk, deciding = _junk(verifiers), _deciding(verifiers)
    agents = {agent.pk: agent for agent in Agent.objects.order_by("name")}
    pairs = counts.keys() | items.keys() | junk.keys()
    found = []
    for verifier in verifiers:
        own = [pk for pk in agents if (verifier.pk, pk) in pairs]
        for agent in (agents[pk] for pk in own):
            pair = (verifier.pk, agent.pk)
            drawn = items.get(pair, [])
            kappa, doubles = kappas.get(pair, (None, 0))
            found.append(
                Trust(
                    agent=agent,
                    verifier=verifier,
                    licence=licence_of(agent, verifier),
                    figures=reliability.figures(drawn),
                    kappa=kappa,
                    doubles=doubles,
                    counts=counts.get(pair, Counter()),
                    junk=junk.get(pair),
                    wanted=sum(item.waiting for item in drawn),
                    seconds=sum(item.waiting and item.labels == 1 for item in drawn),
                    deciding=deciding[pair],
                    labelled=sum(item.labels > 0 for item in drawn),
                    items=drawn,
                )
            )
    return found


def _junk(verifiers: Sequence[Verifier]) -> dict[Pair, JunkReport]:
    """The last junk battery of each verifier for each agent."""
    rows = JunkReport.objects.filter(verifier__in=verifiers)
    rows = rows.order_by("verifier_id", "agent_id", "-id").distinct("verifier_id", "agent_id")
    return {(row.verifier_id, row.agent_id): row for row in rows}


def _deciding(verifiers: Sequence[Verifier]) -> Counter[Pair]:
    """Verdicts that were left to a person and that nobody has settled, drawn or not."""
    drawn = LabelItem.objects.filter(
        verifier=OuterRef("verifier_id"), trajectory=OuterRef("trajectory_id")
    )
    settled = drawn.exclude(pk__in=labelling.waiting_items().values("pk"))
    rows = Verdict.objects.filter(
        verifier__in=verifiers,
        answer=Answers.ERROR,
        evidence__needs_person=True,
        trajectory__in=Trajectory.objects.visible(),
    ).exclude(Exists(settled))
    pairs = rows.order_by().values_list("verifier_id", "trajectory__agent_id")
    return Counter({(verifier, agent): n for verifier, agent, n in pairs.annotate(n=Count("pk"))})


def family_rows(row: Trust) -> list[FamilyRow]:
    """The families of this verifier's verdicts for this agent: one query."""
    seen = Trajectory.objects.visible().filter(agent=row.agent)
    verdicts = Verdict.objects.filter(verifier=row.verifier, trajectory__in=seen).order_by()
    counts = verdicts.values_list("trajectory__family", "answer").annotate(n=Count("pk"))
    return reliability.families(row.items, list(counts))


def disagreements(rows: Sequence[Trust]) -> list[tuple[Item, Trajectory]]:
    """Where people and the verifier disagree, newest first. Without items that wait for a second
    label: whoever gives it must not have read the first."""
    wrong = [i for row in rows for i in row.items if i.contradicted and not i.waiting]
    shown = sorted(wrong, key=lambda item: -item.pk)[:DISAGREEMENTS_SHOWN]
    attempts = Trajectory.objects.for_list().defer("task__reference", "candidate__bundle")
    by_id = attempts.in_bulk([item.trajectory for item in shown])
    return [(item, by_id[item.trajectory]) for item in shown if item.trajectory in by_id]


def versions(verifier: Verifier) -> list[Version]:
    """The versions of the same name, newest first."""
    rows = list(Verifier.objects.filter(name=verifier.name).order_by("-pk")[:VERSIONS_SHOWN])
    return [
        Version(row, _changed(row, before))
        for row, before in zip(rows, [*rows[1:], None], strict=True)
    ]


def _changed(row: Verifier, before: Verifier | None) -> list[str]:
    if before is None:
        return []
    names = sorted(row.settings.keys() | before.settings.keys())
    changed = [name for name in names if row.settings.get(name) != before.settings.get(name)]
    return (["code"] if row.version != before.version else []) + changed


def events(verifier: Verifier) -> list[LicenceEvent]:
    """The licence's history for every agent, newest first."""
    rows = LicenceEvent.objects.filter(verifier=verifier).select_related("agent")
    return list(rows.order_by("-id")[:EVENTS_SHOWN])


def without_secrets(value: Any) -> Any:
    """Settings as a page may show them. None should hold a key: endpoints keep theirs."""
    if isinstance(value, Mapping):
        return {
            name: HIDDEN
            if isinstance(inner, str) and _SECRET.search(str(name))
            else without_secrets(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(inner) for inner in value]
    return _SIGNED_URL.sub("", value) if isinstance(value, str) else value
