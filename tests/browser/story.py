"""A whole history for the browser tests: an agent that learns, slips, is rolled back, and waits."""

from __future__ import annotations

from typing import Any

from improvement import promotion
from improvement.models import Agent, Candidate
from reviews import decisions
from tests import factories
from tests.pages import scenes

SIGNALS = {
    "pass@1": (0.13, 0.66),
    "pass@8": (0.41, 0.83),
    "token entropy": (0.62, 0.21),
    "distinct-2": (0.55, 0.49),
    "correct length": (21.0, 18.4),
    "length": (34.0, 19.9),
    "clipped share": (0.21, 0.01),
}
MANIFEST = {
    "counts": {"human": 24, "human/1": 8, "human/2": 16, "own": 212, "own/1": 188, "own/2": 24},
    "policy": {"human_share": 0.2, "per_task": 2, "total": 2000, "seed": 7},
}
TRAINING = {
    "settings": {"rank": 16, "alpha": 32, "learning_rate": 0.0004, "batch": 4, "epochs": 10},
    "losses": [round(2.4 / (1 + step / 12), 3) for step in range(160)],
    "steps": 160,
    "seconds": 38.2,
    "tokens_per_second": 431.0,
    "precision": "bfloat16",
}


def tell(agent: Agent | None = None) -> Candidate:
    """The candidate that waits at the end: till-4, measured against till-2 after a rollback."""
    agent = agent or factories.make_agent("till", title="The till")
    base = factories.make_champion(agent)
    measure(base, 0)
    step(agent, 1, wins=24, losses=1, ties=15)
    champion = step(agent, 2, wins=9, losses=1, ties=30)
    step(agent, 3, wins=8, losses=3, ties=29)
    promotion.roll_back(agent, actor=factories.make_user("manager"), reason="Worse answers in use")
    assert agent.champion == champion
    return made(agent, 4, wins=33, losses=2, ties=20)


def step(agent: Agent, number: int, **outcomes: int) -> Candidate:
    """One approved candidate."""
    candidate = made(agent, number, **outcomes)
    reviewer = factories.make_user("reviewer")
    decisions.approve(
        candidate, reviewer=reviewer, reason="Better on every family.", **scenes.seen(candidate)
    )
    return candidate


def made(agent: Agent, number: int, *, wins: int, losses: int, ties: int) -> Candidate:
    """One candidate that waits, with everything a real one has."""
    pairs = [(False, True)] * wins + [(True, False)] * losses + [(True, True)] * ties
    run = factories.make_run(agent, state="review")
    attempts = [factories.make_trajectory(candidate=agent.champion, run=run) for _ in range(3)]
    dataset = factories.make_dataset(
        run, attempts, manifest=MANIFEST, own=212, human=24, dropped=61, self_generated_share=0.8
    )
    factories.DatasetItem.objects.bulk_create(
        factories.DatasetItem(dataset=dataset, key=f"d{i}", source="own", dropped_because=why)
        for i, why in enumerate(["duplicate"] * 44 + ["over the cap per task"] * 17)
    )
    candidate = scenes.waiting(
        agent,
        items=[],
        run=run,
        dataset=dataset,
        training=TRAINING,
        number=number,
        generation=number,
    )
    n = len(pairs)
    families = [family(f"till-{level}", pairs[level - 1 :: 2]) for level in (1, 2)]
    figures = factories._tally(pairs)
    factories.make_evaluation(
        candidate,
        pairs,
        low=figures["difference"] - 0.11,
        high=figures["difference"] + 0.11,
        families=families,
        e_value=3.2e5,
        p_value=1.2e-6,
        reason=f"{wins} wins and {losses} losses on {n} items: e = 3.2e+05, and 20 is enough.",
        rule={"evidence": 20.0},
    )
    measure(candidate, number)
    return candidate


def family(name: str, pairs: list[tuple[bool, bool]]) -> dict[str, Any]:
    figures = factories._tally(pairs)
    difference = figures["difference"]
    return {
        "family": name,
        **{key: figures[key] for key in ("n", "wins", "losses", "ties", "missing")},
        "champion_score": figures["champion_score"],
        "candidate_score": figures["candidate_score"],
        "difference": difference,
        "interval": [difference - 0.16, difference + 0.16],
        "falls": False,
    }


def measure(candidate: Candidate, number: int) -> None:
    """Signals between those of a beginner and those of a master."""
    for name, (first, last) in SIGNALS.items():
        factories.make_signal(candidate, name, first + (last - first) * number / 4)
