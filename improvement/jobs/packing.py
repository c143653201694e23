"""Trajectory records to rows and back. Tokens are packed, never a row a token."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import asdict

from improvement.models import Agent, Candidate, Run, Step, Task, Tokens, Trajectory
from improvement.records import Sampling, Segment, TrajectoryRecord
from improvement.records import Step as StepRecord


def rows_of(
    record: TrajectoryRecord,
    *,
    agent: Agent,
    run: Run,
    task: Task,
    candidate: Candidate,
    purpose: str,
    sampling: Sampling,
) -> tuple[Trajectory, list[Step], Tokens]:
    """The unsaved rows of one attempt."""
    trajectory = Trajectory(
        agent=agent,
        run=run,
        task=task,
        candidate=candidate,
        purpose=purpose,
        family=task.family,
        level=task.level,
        split=task.split,
        sample=record.sample,
        outcome=record.outcome,
        final_answer=_clean(record.final_answer),
        clipped=record.clipped,
        error=_clean(record.error),
        steps_count=len(record.steps),
        sampled_tokens=record.sampled_tokens,
        read_tokens=record.read_tokens,
        latency_ms=record.latency_ms,
        seed=record.seed,
        sampling=asdict(sampling),
    )
    steps = [_step(trajectory, i, step) for i, step in enumerate(record.steps)]
    return trajectory, steps, _tokens(trajectory, record.segments)


def record_of(trajectory: Trajectory) -> TrajectoryRecord:
    """The record of a stored attempt (its steps and tokens are read)."""
    steps = trajectory.steps.all()
    return TrajectoryRecord(
        task_key=trajectory.task.key,
        sample=trajectory.sample,
        steps=tuple(_step_record(s) for s in steps),
        segments=_segments(trajectory.tokens),
        outcome=trajectory.outcome,  # type: ignore[arg-type]
        final_answer=trajectory.final_answer,
        clipped=trajectory.clipped,
        latency_ms=trajectory.latency_ms,
        seed=trajectory.seed,
        error=trajectory.error,
    )


def _clean(text: str) -> str:
    """PostgreSQL's text holds no NUL; a model may write one."""
    return text.replace("\x00", "␀")


def _step(trajectory: Trajectory, index: int, step: StepRecord) -> Step:
    return Step(
        trajectory=trajectory,
        index=index,
        kind=step.kind,
        content=_clean(step.content),
        tool=_clean(step.tool)[:120],
        arguments=_clean(step.arguments),
        error=_clean(step.error),
        latency_ms=step.latency_ms,
        tokens=step.tokens,
        sampled=step.sampled,
    )


def _step_record(s: Step) -> StepRecord:
    return StepRecord(
        kind=s.kind,  # type: ignore[arg-type]
        content=s.content,
        tool=s.tool,
        arguments=s.arguments,
        error=s.error,
        latency_ms=s.latency_ms,
        tokens=s.tokens,
        sampled=s.sampled,
    )


def _tokens(trajectory: Trajectory, segments: Sequence[Segment]) -> Tokens:
    return Tokens(
        trajectory=trajectory,
        segments=[[s.role, len(s.token_ids), s.sampled] for s in segments],
        token_ids=array("i", (i for s in segments for i in s.token_ids)).tobytes(),
        logprobs=array("f", (x for s in segments for x in s.logprobs)).tobytes(),
        entropies=array("f", (x for s in segments for x in s.entropies)).tobytes(),
    )


def _segments(tokens: Tokens) -> tuple[Segment, ...]:
    ids, logprobs, entropies = array("i"), array("f"), array("f")
    ids.frombytes(bytes(tokens.token_ids))
    logprobs.frombytes(bytes(tokens.logprobs))
    entropies.frombytes(bytes(tokens.entropies))
    found, at, written = [], 0, 0
    for role, length, sampled in tokens.segments:
        piece = tuple(ids[at : at + length])
        end = written + length if sampled else written
        found.append(
            Segment(
                role, piece, sampled, tuple(logprobs[written:end]), tuple(entropies[written:end])
            )
        )
        at, written = at + length, end
    return tuple(found)
