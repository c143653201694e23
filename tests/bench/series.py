"""Run cycles of the demo agent and print the series of its gates.

    python -m tests.bench.series --arm verified --cycles 4 --seed 1 --out series.json

Everything is the product's own: stages are claimed and run as a worker does (in this process, so
that the model is loaded once), and a passed candidate is approved through `reviews.decisions`.
Arms: verified, unverified, coin (a random reward), without-demonstrations.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

STEPS = {"batch": 4, "min_steps": 40, "max_steps": 40}
ARMS: dict[str, dict[str, Any]] = {
    "verified": {},
    "unverified": {"harvest_verifier": "accept_all", "train": STEPS},
    "coin": {"harvest_verifier": "coin", "train": STEPS},
    "without-demonstrations": {"human_share": {"1": 0.0, "2": 0.0, "3": 0.0}},
}


def main() -> None:
    arguments = _arguments()
    home = Path(arguments.home or tempfile.mkdtemp(prefix="pawl-series-"))
    os.environ["PAWL_HOME"] = str(home)
    os.environ["PAWL_VERIFIERS"] = (
        "accept_all=tests.bench.controls:accept_all,coin=tests.bench.controls:coin"
    )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "improvement.settings")
    os.environ.setdefault("PAWL_LOG_LEVEL", "WARNING")
    import django
    from django.core.management import call_command

    django.setup()
    from improvement.services import embedded

    embedded.start(home)
    try:
        call_command("migrate", verbosity=0, interactive=False)
        rows = [row for arm in arguments.arm for row in _run_arm(arm, arguments)]
    finally:
        embedded.stop(home)
    if arguments.out:
        Path(arguments.out).write_text(json.dumps(rows, indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arm", nargs="+", choices=sorted(ARMS), default=["verified"])
    parser.add_argument("--cycles", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", help="a PAWL_HOME to use and keep")
    parser.add_argument("--recipe", type=json.loads, default={}, help="JSON: recipe overrides")
    parser.add_argument("--out", help="write the rows here as JSON")
    return parser.parse_args()


def _run_arm(arm: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    from improvement.accounts import demo_accounts
    from improvement.jobs.agents import create_agent
    from tests.bench.controls import license_by_hand

    demo_accounts(Path(os.environ["PAWL_HOME"]))
    agent = create_agent(
        f"{arm}-{arguments.seed}",
        title=arm,
        environment="till",
        recipe=ARMS[arm] | arguments.recipe,
    )
    if "harvest_verifier" in ARMS[arm]:
        license_by_hand(agent)
    return [_cycle(agent, arm, arguments.seed) for _ in range(arguments.cycles)]


def _cycle(agent: Any, arm: str, seed: int) -> dict[str, Any]:
    from django.contrib.auth.models import User

    from improvement.jobs.launch import launch

    number = agent.runs.count() + 1
    engineer = User.objects.get(username="engineer")
    began = time.monotonic()
    run = launch(agent, actor=engineer, seed=seed * 1000 + number)
    seconds = _work_through(run)
    row = _row(run) | {
        "arm": arm,
        "seed": seed,
        "cycle": number,
        "seconds": round(time.monotonic() - began),
        "stage_seconds": seconds,
        "approved": _approve(run),
    }
    print(json.dumps(row), flush=True)
    _release(agent)
    return row


def _work_through(run: Any) -> dict[str, int]:
    from improvement.jobs.work import run_stage

    seconds: dict[str, int] = {}
    while True:
        run.refresh_from_db()
        stage = run.stages.filter(state="ready").first()
        if stage is None or not run.active:
            return seconds
        began = time.monotonic()
        run_stage(stage.pk)
        seconds[stage.name] = round(time.monotonic() - began)
        print(f"  {stage.name}: {seconds[stage.name]} s", flush=True)


def _row(run: Any) -> dict[str, Any]:
    from improvement.models import Evaluation

    gate = Evaluation.objects.filter(run=run, kind="gate").first()
    if gate is None:
        return {"state": run.state, "error": run.error}
    names = ("answer", "n", "wins", "losses", "champion_score", "candidate_score")
    figures = {name: getattr(gate, name) for name in (*names, "difference", "low", "high")}
    return figures | {
        "e_value": gate.e_value,
        "levels": run.stages.get(name="collect").result["levels"],
        "verified": run.stages.get(name="verify").result,
        "dataset": {k: v for k, v in run.stages.get(name="curate").result.items() if k != "digest"},
        "families": {
            f["family"]: [f["n"], f["champion_score"], f["candidate_score"]] for f in gate.families
        },
        "training": {
            k: run.candidate.training[k] for k in ("steps", "seconds", "tokens_per_second")
        },
        "warnings": [f"{w.level} {w.signal} {w.against}" for w in run.candidate.warnings.all()],
    }


def _approve(run: Any) -> bool:
    from django.contrib.auth.models import User

    from reviews.decisions import approve
    from reviews.evidence import evidence_digest

    if run.state != "review":
        return False
    _release(run.agent)
    candidate = run.candidate
    candidate.refresh_from_db()
    approve(
        candidate,
        reviewer=User.objects.get(username="reviewer"),
        reason="series: the gate passed",
        evidence_digest=evidence_digest(candidate),
        expected_version=candidate.version,
    )
    return True


def _release(agent: Any) -> None:
    """The series looks past a hold; it stays in its rows as a red warning."""
    from django.utils import timezone

    agent.holds.filter(released_at=None).update(
        released_at=timezone.now(), released_because="series"
    )


if __name__ == "__main__":
    main()
