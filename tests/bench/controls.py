"""Harvest verifiers for control arms. They decide only what an arm may learn from, never a gate."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

from improvement.records import Judgement, TaskRecord, TrajectoryRecord, digest_of

SHARE = 0.15  # the share that a coin accepts: near the beginner's verified share


def _verifier(name: str, accepts) -> SimpleNamespace:  # type: ignore[no-untyped-def]
    def judge(task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        accepted = accepts(task, trajectory)
        evidence = {"reason": f"control arm {name}", "step": None}
        return Judgement("pass" if accepted else "fail", float(accepted), evidence)

    version = "1"
    digest = digest_of({"name": name, "version": version, "settings": {}})
    return SimpleNamespace(NAME=name, VERSION=version, digest=lambda: digest, judge=judge)


def _coin(task: TaskRecord, trajectory: TrajectoryRecord) -> bool:
    text = f"{task.key}/{trajectory.sample}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") / 2**32 < SHARE


accept_all = _verifier("accept_all", lambda task, trajectory: True)
coin = _verifier("coin", _coin)
