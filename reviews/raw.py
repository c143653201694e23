"""The whole record of a trajectory, but for its token ids, as JSON."""

from __future__ import annotations

from typing import Any

from improvement.models import Trajectory


def as_json(trajectory: Trajectory) -> dict[str, Any]:
    """Two queries: the steps and the verdicts."""
    facts = ("id", "purpose", "family", "level", "split", "sample", "outcome", "final_answer")
    more = ("clipped", "error", "answer", "sampled_tokens", "read_tokens", "latency_ms", "seed")
    columns = ("index", "kind", "content", "tool", "arguments", "error", "latency_ms", "tokens")
    verdicts = trajectory.verdicts.select_related("verifier").order_by("id")
    return {
        "agent": trajectory.agent.name,
        "candidate": str(trajectory.candidate),
        "task": {"key": trajectory.task.key, "prompt": trajectory.task.prompt},
        **{name: getattr(trajectory, name) for name in (*facts, *more, "sampling")},
        "created_at": trajectory.created_at.isoformat(),
        "steps": list(trajectory.steps.order_by("index").values(*columns, "sampled")),
        "verdicts": [
            {
                "verifier": str(v.verifier),
                "verifier_digest": v.verifier.digest,
                "answer": v.answer,
                "score": v.score,
                "evidence": v.evidence,
            }
            for v in verdicts
        ],
    }
