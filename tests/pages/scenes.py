"""Whole situations for the pages: a candidate that waits for review, with a real artefact."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from improvement.models import Candidate
from improvement.store import Store
from tests import factories

BETTER = ((False, True),) * 6 + ((True, True),) * 3 + ((True, False),)
_numbers = itertools.count(1)


def keep_adapter(content: bytes = b"") -> str:
    """A small adapter in the store of this test; its digest."""
    root = Path(settings.PAWL_STORE)
    work = root.parent / f"work-{next(_numbers)}"
    work.mkdir(parents=True)
    (work / "adapter_model.safetensors").write_bytes(content or work.name.encode())
    (work / "adapter_config.json").write_text("{}")
    return Store(root).put(work)


def damage(candidate: Candidate) -> Path:
    """Change one byte of the candidate's adapter; the file."""
    file = Store(Path(settings.PAWL_STORE)).path(candidate.adapter_digest)
    file = file / "adapter_model.safetensors"
    file.write_bytes(b"!" + file.read_bytes()[1:])
    return file


def waiting(
    agent: Any = None, *, answer: str = "pass", items: Any = BETTER, **fields: Any
) -> Candidate:
    """A candidate that waits for review: champion, run, dataset, gate, artefact."""
    agent = agent or factories.make_agent()
    champion = agent.champion or factories.make_champion(agent)
    run = factories.make_run(agent, state="review")
    bundle = factories.make_bundle(adapter=keep_adapter(), worked_examples=())
    fields = {
        "run": run,
        "parent": champion,
        "dataset": factories.make_dataset(run),
        "bundle": asdict(bundle),
        "bundle_digest": bundle.digest,
        "adapter_digest": bundle.adapter,
    } | fields
    candidate = factories.make_candidate(agent, **fields)
    if items:
        factories.make_evaluation(candidate, items, answer=answer)
    return candidate


def seen(candidate: Candidate) -> dict[str, Any]:
    """What the decision form of this candidate carries now."""
    from reviews.evidence import evidence_digest

    candidate.refresh_from_db()
    return {
        "evidence_digest": evidence_digest(candidate),
        "expected_version": candidate.version,
    }


def approved(agent: Any = None) -> Candidate:
    """A candidate that a reviewer approved through the product's own verb: the champion now."""
    from reviews import decisions

    candidate = waiting(agent)
    reviewer = factories.make_user("reviewer")
    decisions.approve(candidate, reviewer=reviewer, reason="better", **seen(candidate))
    candidate.refresh_from_db()
    return candidate


def together(count: int, act: Callable[[], str]) -> list[str]:
    """What `count` threads got that started `act` at the same moment."""
    barrier, answers = threading.Barrier(count), []

    def run() -> None:
        barrier.wait()
        try:
            answers.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def promotion_back(agent: Any) -> None:
    """One rollback by nobody in particular."""
    from improvement import promotion

    promotion.roll_back(agent, actor=None, reason="back")
