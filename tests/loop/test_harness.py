"""The harness: many attempts over one policy."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from improvement.agent.environments.till import Till
from improvement.agent.harness import Attempt, attempt_all, opening, seed_for
from improvement.records import (
    Bundle,
    Completion,
    Conversation,
    Observation,
    Sampling,
    TrajectoryRecord,
)
from tests.scripted import ScriptedPolicy

TILL = Till()
BUNDLE = Bundle("tiny", TILL.system_prompt, worked_examples=TILL.worked_examples)


def attempts(tasks: int = 5, samples: int = 3) -> list[Attempt]:
    records = [TILL.generate(seed, 1 + seed % 3) for seed in range(tasks)]
    return [Attempt(t, s, seed_for(1, t.key, s)) for t in records for s in range(samples)]


def play(policy: Any, given: list[Attempt], **options: Any) -> list[TrajectoryRecord]:
    turns = attempt_all(given, TILL, policy, BUNDLE, Sampling(), **options)
    return [record for finished in turns for record in finished]


def test_every_attempt_ends_once_whatever_the_width() -> None:
    given = attempts()
    wanted = Counter((a.task.key, a.sample) for a in given)
    for width in (1, 4, 100):
        records = play(ScriptedPolicy(0.6), given, width=width)
        assert Counter((r.task_key, r.sample) for r in records) == wanted


def test_the_window_is_never_wider_than_asked() -> None:
    widths = []

    class Watched(ScriptedPolicy):
        def generate(self, conversations: Any, sampling: Any) -> Any:
            widths.append(len(conversations))
            return super().generate(conversations, sampling)

    play(Watched(0.9), attempts(), width=4)
    assert max(widths) == 4


def test_finished_conversations_are_forgotten() -> None:
    policy = ScriptedPolicy(0.7)
    play(policy, attempts())
    assert policy._read == {}


def test_tokens_are_kept_in_order_with_what_was_sampled() -> None:
    record = play(ScriptedPolicy(1.0), attempts(1, 1))[0]
    roles = [s.role for s in record.segments]
    assert roles[0] == "prompt"
    assert roles.count("example") == len(TILL.worked_examples)
    assert roles.count("task") == 1
    assert roles.index("task") == 1 + len(TILL.worked_examples)
    sampled = [s for s in record.segments if s.sampled]
    assert len(sampled) == len([s for s in record.steps if s.sampled])
    assert all(len(s.logprobs) == len(s.token_ids) == len(s.entropies) for s in sampled)


def test_tool_calls_carry_arguments_results_and_errors() -> None:
    record = play(Says("price lamp", "price gold", "calc 1+1", "answer 7"), attempts(1, 1))[0]
    calls = [(s.tool, s.arguments) for s in record.steps if s.kind == "tool_call"]
    assert calls == [("price", "lamp"), ("price", "gold"), ("calc", "1+1"), ("answer", "7")]
    results = [s for s in record.steps if s.kind == "tool_result"]
    assert results[1].error == "the shop has no gold"
    assert results[2].content == "2"
    assert record.final_answer == "7"


class Says:
    """Writes the given commands in turn, then the last one for ever."""

    def __init__(self, *commands: str, finish: str = "stop") -> None:
        self.commands, self.finish = commands, finish
        self.heard: list[Conversation] = []

    def generate(self, conversations: Any, sampling: Any) -> list[Completion]:
        self.heard += conversations
        return [self._say(c) for c in conversations]

    def forget(self, keys: Any) -> None:
        pass

    def _say(self, c: Conversation) -> Completion:
        said = sum(m.role == "assistant" for m in c.messages) - 3 * 4
        text = self.commands[min(said, len(self.commands) - 1)]
        return Completion(text + "\n", ((1,),), (2,), (0.0,), (0.0,), self.finish)  # type: ignore[arg-type]


def test_a_model_that_never_answers_in_the_format_runs_out_of_turns() -> None:
    records = play(Says("I am a helpful assistant", finish="length"), attempts(2, 1))
    assert {r.outcome for r in records} == {"turns_exhausted"}
    assert all(r.clipped for r in records)
    assert all(sum(s.sampled for s in r.steps) == TILL.max_turns for r in records)


def test_an_error_is_read_by_the_agent_as_an_observation() -> None:
    policy = Says("price gold", "answer 1")
    play(policy, attempts(1, 1))
    assert policy.heard[-1].messages[-1].content == "error: the shop has no gold"


class Broken(Till):
    def start(self, task: Any) -> Any:
        class Episode:
            def act(self, text: str) -> Observation:
                raise ValueError("no till today")

            def goal_state(self) -> str:
                return ""

        return Episode()


def test_an_environment_that_raises_ends_its_attempt_as_an_error_with_a_name() -> None:
    turns = attempt_all(attempts(2, 1), Broken(), Says("answer 1"), BUNDLE, Sampling())
    records = [r for finished in turns for r in finished]
    assert {r.outcome for r in records} == {"environment_error"}
    assert "Episode.act raised ValueError: no till today" in records[0].error


def test_it_stops_when_told_to() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play(ScriptedPolicy(1.0), attempts(), check=stop)


def test_memory_is_read_with_the_system_line() -> None:
    bundle = Bundle("tiny", "You work.", memory=("Lamps are dear.",))
    assert opening(bundle, attempts(1, 1)[0].task)[0].content == "You work.\nLamps are dear."


def test_seeds_differ_by_run_task_and_sample() -> None:
    seeds = {seed_for(r, t, s) for r in (1, 2) for t in ("a", "b") for s in (0, 1)}
    assert len(seeds) == 8
    assert all(0 <= s < 2**63 for s in seeds)
