"""From attempts to verdicts, in order: two threads judge while the file is read on."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from improvement.records import Judgement
from improvement.verifiers.base import (
    SpecError,
    broken,
    failed,
    shown,
    timed,
    trajectory_of,
    unusable,
)
from improvement.verifying.outputs import NOTHING, Attempt
from improvement.verifying.tasks import Bench

THREADS = 2
AHEAD = 4 * THREADS
NONE = {"expected": None, "found": None, "step": None}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one line came to. `verifier` is a kind, or None where none was asked."""

    attempt: Attempt
    verifier: str | None
    judged: Judgement

    def as_json(self) -> str:
        """One line of ASCII: no byte of a model's output reaches a terminal as it is."""
        carried = {} if self.attempt.id is NOTHING else {"id": self.attempt.id}
        row = {
            **carried,
            "task": self.attempt.task or None,
            "verdict": self.judged.answer,
            "score": self.judged.score,
            "verifier": self.verifier,
            "evidence": dict(self.judged.evidence),
            "milliseconds": round(self.judged.latency_ms, 3),
        }
        try:
            return json.dumps(row, allow_nan=False, default=shown)
        except (ValueError, TypeError, RecursionError):
            reason = shown(self.judged.evidence.get("reason"))
            row["evidence"] = {**NONE, "reason": reason, "note": "the evidence is no JSON"}
            return json.dumps(row)


def verdicts(bench: Bench, attempts: Iterable[Attempt]) -> Iterator[Verdict]:
    """One verdict an attempt, in their order. Memory does not grow with their number."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="verify") as pool:
        waiting: deque[Future[Verdict] | Verdict] = deque()
        try:
            for attempt in attempts:
                waiting.append(_begun(bench, attempt, pool))
                while waiting and (len(waiting) >= AHEAD or _is_done(waiting[0])):
                    yield _done(waiting.popleft())
            while waiting:
                yield _done(waiting.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _is_done(one: Future[Verdict] | Verdict) -> bool:
    return isinstance(one, Verdict) or one.done()


def _done(one: Future[Verdict] | Verdict) -> Verdict:
    return one if isinstance(one, Verdict) else one.result()


def _begun(bench: Bench, attempt: Attempt, pool: ThreadPoolExecutor) -> Future[Verdict] | Verdict:
    """The verdict at once where no verifier needs to be asked, else one to wait for."""
    if attempt.fault:
        return Verdict(attempt, None, _error(attempt, attempt.fault))
    task = bench.find(attempt.task)
    if task is None:
        said = f"the file of tasks has no task {shown(attempt.task)!a}"
        more = f" (it has {len(bench.skipped)} lines that are no task)" if bench.skipped else ""
        return Verdict(attempt, None, _error(attempt, said + more))
    try:
        verifier = bench.verifier_of(task)
    except SpecError as error:
        return Verdict(attempt, None, _error(attempt, str(error)))
    if attempt.trouble:
        return Verdict(attempt, verifier.kind, failed(NONE, attempt.trouble))
    trajectory = trajectory_of(task, attempt.output)
    judge = partial(_judged, attempt, verifier.kind, partial(verifier.judge, task, trajectory))
    if bad := unusable(task, trajectory):
        return _unless_it_passes(judge(), bad)  # now: it may be large, and must not wait here
    return pool.submit(judge)


def _unless_it_passes(said: Verdict, bad: Judgement) -> Verdict:
    """What the verifier says of an unusable output (it knows what it expected), as long as it
    does not let it pass."""
    if said.judged.answer != "pass":
        return said
    return Verdict(said.attempt, said.verifier, _with_evidence(bad))


def _judged(attempt: Attempt, kind: str, judge: partial[Judgement]) -> Verdict:
    def safely() -> Judgement:
        try:
            return judge()
        except Exception as error:
            return _error(attempt, f"the verifier raised {type(error).__name__}: {error!s:.300}")

    return Verdict(_lightened(attempt), kind, _with_evidence(timed(safely)))


def _with_evidence(judged: Judgement) -> Judgement:
    evidence = {**NONE, **judged.evidence}
    return Judgement(judged.answer, judged.score, evidence, judged.latency_ms)


def _lightened(attempt: Attempt) -> Attempt:
    """Without its output, which may be large."""
    return Attempt(attempt.line, attempt.task, "", attempt.id)


def _error(attempt: Attempt, reason: str) -> Judgement:
    evidence: dict[str, Any] = {**NONE, "line": attempt.line}
    return broken(evidence, f"line {attempt.line}: {reason}")
