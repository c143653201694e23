"""The model judge: a rubric, put to a model several times.

A model's opinion, so never deterministic, and licensed by people's labels alone. What the attempt
did wrong is a fail; a judge that can't be reached, writes nonsense or contradicts itself is an
error. Limits: it reads the task's prompt, the reference answer and the final answer, not the steps
in between; a fence keeps an attempt's instructions apart but can't make a model obey it, which is
why the junk battery tries.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from improvement.records import Judgement, TaskRecord, TrajectoryRecord, canonical_json, digest_of
from improvement.verifiers import base
from improvement.verifiers.base import Verifier, Workshop
from improvement.verifiers.judging.answers import Verdict, clean, parse
from improvement.verifiers.judging.cache import Cache
from improvement.verifiers.judging.client import Server, Source
from improvement.verifiers.judging.local import Local
from improvement.verifiers.judging.patience import Patience
from improvement.verifiers.judging.prompt import WORDS, Order, Question, messages, schema
from improvement.verifiers.judging.spec import complete
from improvement.verifiers.judging.troubles import Nonsense, Trouble
from improvement.verifiers.judging.votes import Vote, tally

AGAIN = 1_000_003  # added to the seed when an answer was nonsense


@dataclass(frozen=True, slots=True)
class Judge:
    """Pass when most valid votes say so; the score is their share."""

    settings: Mapping[str, Any]
    source: Source = field(repr=False)
    cache: Cache = field(default_factory=Cache)
    kind: str = "judge"
    version: str = "1"
    deterministic: bool = False
    needs_person: bool = False

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        return base.timed(lambda: self._judge(task, trajectory))

    def gold(self, task: TaskRecord) -> str | None:
        """The reference answer: a judge that refuses it is not to be trusted."""
        answer = task.reference.get("answer")
        return answer if isinstance(answer, str) else None

    def _judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        reference = _reference(task)
        evidence: dict[str, Any] = {
            "expected": None if reference is None else base.shown(reference),
            "found": base.shown(trajectory.final_answer) or None,
            "step": base.deciding_step(trajectory),
            "model": self.settings["model"],
            "votes": [],
        }
        if self.settings["compare"] and reference is None:
            return base.broken(evidence, f"task {task.key} has no reference answer to compare with")
        if not _sound(f"{task.prompt}{reference}"):
            return base.broken(evidence, f"the text of task {task.key} is not valid UTF-8")
        if bad := base.unusable(task, trajectory) or self._unread(evidence, trajectory):
            return Judgement(bad.answer, bad.score, {**evidence, **bad.evidence})
        seen = reference if self.settings["compare"] or self.settings["show_reference"] else None
        question = Question(self.settings["rubric"], task.prompt, trajectory.final_answer, seen)
        return self._voted(question, evidence)

    def _unread(self, evidence: dict[str, Any], trajectory: TrajectoryRecord) -> Judgement | None:
        """The fail of an answer that no model needs to be paid for."""
        length, longest = len(trajectory.final_answer), self.settings["longest"]
        if not trajectory.final_answer.strip():
            return base.failed(evidence, "the answer is empty")
        if length > longest:
            reason = f"the answer has {length:,} characters; this judge reads {longest:,}"
            return base.failed(evidence, reason)
        return None

    def _voted(self, question: Question, evidence: dict[str, Any]) -> Judgement:
        votes: list[Vote] = []
        try:
            for seed in range(1, self.settings["votes"] + 1):
                votes.append(self._vote(question, seed))
            answer, score, reason = tally(votes, self.settings["votes"])
        except Trouble as trouble:
            answer, score, reason = "error", None, str(trouble)
        evidence["votes"] = [vote.as_json() for vote in votes]
        return Judgement(answer, score, {**evidence, "reason": reason})

    def _vote(self, question: Question, seed: int) -> Vote:
        try:
            if self.settings["compare"]:
                return self._compared(question, seed)
            said, cached = self._heard(question, "alone", seed)
        except Nonsense as nonsense:
            return Vote(seed, "void", str(nonsense))
        return Vote(seed, "pass" if said.word == "pass" else "fail", said.reason, cached)

    def _compared(self, question: Question, seed: int) -> Vote:
        """One vote in both orders: a judge that prefers a place to an answer has none."""
        first, cached = self._heard(question, "attempt first", seed)
        second, also_cached = self._heard(question, "attempt second", seed)
        swapped = {"first": "second", "second": "first", "equal": "equal"}[second.word]
        if first.word != swapped:
            return Vote(seed, "void", "it contradicted itself when the answers changed places")
        worse = first.word == "second"
        return Vote(seed, "fail" if worse else "pass", first.reason, cached and also_cached)

    def _heard(self, question: Question, order: Order, seed: int) -> tuple[Verdict, bool]:
        """(verdict, from the cache). An answer that is nonsense is asked for once more."""
        plain = [[m.role, m.content] for m in messages(question, order, mark="")]
        key = digest_of([base.digest(self), plain, seed])
        if known := self.cache.get(key, WORDS[order]):
            return known, True
        try:
            verdict = self._asked(question, order, seed)
        except Nonsense:
            verdict = self._asked(question, order, seed + AGAIN)
        self.cache.put(key, verdict)
        return verdict, False

    def _asked(self, question: Question, order: Order, seed: int) -> Verdict:
        conversation = messages(question, order, mark=secrets.token_hex(8))
        verdict = parse(self.source.ask(conversation, seed, schema(order)), WORDS[order])
        # only now, and before it is cut: JSON's escapes or the cut could leave a part of the key
        return Verdict(verdict.word, clean(self.source.hide(verdict.reason)))


def make(
    settings: Mapping[str, Any], workshop: Workshop, patience: Patience | None = None
) -> Verifier:
    """`patience` is for tests: how long failed requests wait."""
    whole = complete(settings, workshop)
    return Judge(whole, _source(whole, workshop, patience or Patience()), Cache(workshop.cache))


def _source(settings: Mapping[str, Any], workshop: Workshop, patience: Patience) -> Source:
    if "endpoint" not in settings and workshop.local is not None:
        return Local(settings["model"], workshop.local, workshop.budget)
    name = settings["endpoint"]
    options = {
        option: settings[option]
        for option in ("temperature", "max_tokens")
        if settings[option] is not None
    }
    return Server(name, workshop.endpoints[name], workshop.budget, options, patience)


def _sound(text: str) -> bool:
    """Whether `text` is valid UTF-8 (a lone surrogate is not)."""
    return text == text.encode("utf-8", "replace").decode()


def _reference(task: TaskRecord) -> str | None:
    """The reference answer as text, where the task has one."""
    answer = task.reference.get("answer")
    return answer if answer is None or isinstance(answer, str) else canonical_json(answer)
