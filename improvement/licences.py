"""The licence of a verifier: whether it may harvest and gate for an agent, and why.

It is bound to the verifier's digest, so a changed version starts without one. A deterministic
verifier starts licensed by a passed junk battery; a judge by people's labels alone, and only by
labels on attempts made since the champion was deployed, because each promotion moves what it has
to judge. Either keeps the licence while the lower bound of its precision (one-sided 95 %, Wilson)
holds on the labelled accepts. Labels that disagree on an item count as wrong: the careful side.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from improvement.evaluation.reliability import labels_needed, precision_bound
from improvement.jobs.recipe import Recipe
from improvement.models import (
    Agent,
    JunkReport,
    Label,
    LabelAnswers,
    LicenceEvent,
    Verifier,
)

PERSON = "person"
NO_LICENCE = "No licence"  # how the error of a stage begins that stopped for want of one


@dataclass(frozen=True, slots=True)
class Licence:
    """`low` is the lower bound of precision (None without labels); `needed` more labelled accepts,
    all of them right, would earn the licence."""

    valid: bool
    reason: str
    low: float | None = None
    labels: int = 0
    needed: int = 0
    threshold: float = 0.9


def licence_of(agent: Agent, verifier: Verifier) -> Licence:
    """The licence as the rows stand now: three queries at most."""
    recipe = Recipe.of(agent.recipe)
    threshold, enough = recipe.licence_precision, recipe.licence_labels
    if verifier.name == PERSON:
        return Licence(True, "A person decides.", threshold=threshold)
    report = JunkReport.objects.filter(agent=agent, verifier=verifier).order_by("-id").first()
    if report is None:
        reason = "The junk battery has not been run on this version yet."
        return Licence(False, reason, needed=enough, threshold=threshold)
    if not report.passed:
        reason = f"The junk battery failed: {_first_defect(report)}"
        return Licence(False, reason, threshold=threshold)
    right, labels = _labelled_accepts(agent, verifier)
    return _by_labels(verifier, right, labels, threshold, enough)


def _by_labels(
    verifier: Verifier, right: int, labels: int, threshold: float, enough: int
) -> Licence:
    low = precision_bound(right, labels) if labels else None
    high = 1 - precision_bound(labels - right, labels) if labels else 1.0
    needed = max(enough - labels, labels_needed(right, labels, threshold))
    facts = (low, labels, needed, threshold)
    counted = f"{right} of {labels} labelled ones were right"
    figures = counted if labels else "none is labelled yet"
    if labels < enough and not verifier.deterministic:
        reason = f"Label {needed} more accepted attempts; of those so far {figures}."
        return Licence(False, reason, *facts)
    if labels < enough and high >= threshold:
        return Licence(True, f"The junk battery passed; of its accepts {figures}.", *facts)
    bound = f"Of its accepts {counted}: precision is at least {low or 0:.3f} (one-sided 95 %)"
    holds = low is not None and low >= threshold
    return Licence(holds, f"{bound}, and {threshold:.3f} is needed.", *facts)


def _first_defect(report: JunkReport) -> str:
    defects = [row for row in report.rows if not row.get("ok")]
    if not defects:
        return "see its page."
    first = defects[0]
    return f"{len(defects)} of {len(report.rows)} tries, first “{first['kind']}”: {first['reason']}"


def _labelled_accepts(agent: Agent, verifier: Verifier) -> tuple[int, int]:
    """(right, all) of the accepts of this version that people have judged."""
    labels = Label.objects.filter(
        item__agent=agent, item__verifier=verifier, item__answer="pass"
    ).exclude(answer=LabelAnswers.UNSURE)
    if not verifier.deterministic and (deployment := agent.deployment) is not None:
        labels = labels.filter(item__trajectory__created_at__gte=deployment.created_at)
    by_item = dict[int, bool]()
    for item, answer in labels.values_list("item_id", "answer"):
        by_item[item] = by_item.get(item, True) and answer == LabelAnswers.RIGHT
    return sum(by_item.values()), len(by_item)


def note_licence(agent: Agent, verifier: Verifier) -> Licence:
    """The licence now; a change since it was last noted is added to its history."""
    licence = licence_of(agent, verifier)
    events = LicenceEvent.objects.filter(agent=agent, verifier=verifier)
    last = events.order_by("-id").first()
    if last is None or last.granted != licence.valid or last.reason != licence.reason:
        LicenceEvent.objects.create(
            agent=agent,
            verifier=verifier,
            granted=licence.valid,
            reason=licence.reason,
            low=licence.low,
            labels=licence.labels,
        )
    return licence


def missing(agent: Agent, verifiers: Iterable[Verifier]) -> list[tuple[Verifier, Licence]]:
    """Those without a valid licence for this agent."""
    found: list[tuple[Verifier, Licence]] = [(v, note_licence(agent, v)) for v in verifiers]
    return [(verifier, licence) for verifier, licence in found if not licence.valid]


