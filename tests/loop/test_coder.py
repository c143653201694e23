"""The coder: rounds, reports, demonstrations, and what a hostile program comes to."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improvement.agent.environments import coder
from improvement.agent.environments.coder import (
    MOST_CHARACTERS,
    NO_CODE,
    ROUNDS,
    SAME_AGAIN,
    Coder,
    CoderEpisode,
    program,
)
from improvement.agent.environments.coder_report import SHOWN, plain, same, shown
from improvement.agent.environments.coder_tasks import call, named
from improvement.agent.harness import Attempt, attempt_all
from improvement.records import Bundle, Conversation, TaskRecord, TrajectoryRecord
from improvement.sandbox.records import SandboxRefused
from improvement.verifiers.build import build
from tests.scripted import ScriptedPolicy

RIGHT = "def take_away(n):\n    return n - 1\n"
WRONG = "def take_away(n):\n    return n + 1\n"
VISIBLE_ONLY = "def take_away(n):\n    return {4: 3, 10: 9}.get(n)\n"


def task() -> TaskRecord:
    return named("take_away").task(0, "one-liners")


def episode() -> CoderEpisode:
    return Coder().start(task())


def fenced(source: str) -> str:
    return f"```python\n{source}```\n"


def test_a_right_function_ends_the_attempt_in_the_first_round() -> None:
    e = episode()
    seen = e.act(fenced(RIGHT))
    assert seen.done
    assert (seen.tool, seen.arguments, seen.text) == ("tests", RIGHT, "all tests pass")
    assert e.goal_state() == RIGHT


def test_a_wrong_function_is_reported_and_repaired() -> None:
    e = episode()
    seen = e.act(fenced(WRONG))
    assert not seen.done
    assert seen.text == (
        "take_away(4) returned 5, expected 3\ntake_away(10) returned 11, expected 9"
    )
    assert e.act(fenced(RIGHT)).done
    assert e.goal_state() == RIGHT


def test_three_wrong_rounds_end_the_attempt_with_the_last_program() -> None:
    e = episode()
    assert [e.act(fenced(f"{WRONG}# {i}\n")).done for i in range(ROUNDS)] == [False, False, True]
    assert e.goal_state() == f"{WRONG}# 2\n"


def test_a_program_that_did_not_change_is_told_so() -> None:
    e = episode()
    assert SAME_AGAIN not in e.act(fenced(WRONG)).text
    assert e.act(fenced(WRONG)).text.endswith(SAME_AGAIN)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def take_away(n):\n    return m\n", "take_away(4) raised NameError"),
        ("def take_away(n)\n    return n\n", "the program raised SyntaxError"),
        ("def take_away():\n    return 3\n", "take_away(4) raised TypeError"),
        ("raise ValueError('no')\ndef take_away(n): pass\n", "the program raised ValueError: no"),
        ("def take_away(n):\n    return True\n", "returned True, expected 3"),
        ("def take_away(n):\n    return n - 1.0\n", "returned 3.0, expected 3"),
        ("def take_away(n):\n    return str(n - 1)\n", "returned '3', expected 3"),
        ("def take_away(n):\n    import os; os._exit(0)\n", "ended the program"),
        ("def take_away(n):\n    return 'x' * 10**6\n", "printed or returned too much"),
        ("def take_away(n):\n    while True: print('x' * 1000)\n", "printed or returned too much"),
    ],
)
def test_what_went_wrong_is_said_in_plain_words(source: str, words: str) -> None:
    seen = episode().act(fenced(source))
    assert words in seen.text
    assert not seen.done


def test_an_endless_loop_ends_and_is_reported() -> None:
    e = episode()
    seen = e.act(fenced("def take_away(n):\n    while True: pass\n"))
    assert "take_away(4) did not end in time" in seen.text
    assert e.act(fenced(RIGHT)).done


def test_a_value_with_its_own_equality_is_not_believed() -> None:
    always = (
        "class Same(int):\n    def __eq__(self, other): return True\n"
        "def take_away(n):\n    return Same(0)\n"
    )
    assert not episode().act(fenced(always)).done


@pytest.mark.parametrize(
    "text", ["", "I can't.", "```\n```", "```python\nx = 1\n```", "def other():"]
)
def test_without_the_function_the_agent_is_told_what_to_write(text: str) -> None:
    e = episode()
    seen = e.act(text)
    assert seen.text == f"error: {NO_CODE}"
    assert not seen.done
    assert e.goal_state() == ""


def test_three_rounds_without_code_end_the_attempt_and_fail() -> None:
    (record,) = attempts([["no", "no", "no"]])
    assert (record.outcome, record.final_answer) == ("answered", "")
    assert verdict(record) == "fail"


def test_a_round_without_code_keeps_the_program_of_the_round_before() -> None:
    e = episode()
    e.act(fenced(WRONG))
    e.act("hm")
    assert e.act("hm").done
    assert e.goal_state() == WRONG


def test_a_flood_of_text_is_not_run() -> None:
    e = episode()
    seen = e.act(fenced(RIGHT + "#" * MOST_CHARACTERS))
    assert seen.error.startswith("write at most 20,000 characters")
    assert e.goal_state() == ""


@pytest.mark.parametrize(
    "text",
    [
        fenced(RIGHT),
        f"Here it is:\n\n{fenced(RIGHT)}I hope it helps.",
        f"```\n{RIGHT}```",
        f"```py\n{RIGHT}",
        RIGHT,
        f"Sure!\n{RIGHT}",
        f"{fenced(WRONG)}Better:\n{fenced(RIGHT)}",
        f"{fenced(RIGHT)}Try it:\n```\nprint(1)\n```",
    ],
)
def test_the_program_is_found_in_what_a_model_writes(text: str) -> None:
    assert program(text, "take_away") == RIGHT


@given(st.text() | st.text(alphabet="`\n def f(python:x"))
def test_nothing_that_a_model_writes_breaks_the_search_for_a_program(text: str) -> None:
    found = program(text, "f")
    assert found == "" or "def f(" in found


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_a_value_is_shown_in_one_short_line(value: object) -> None:
    assert len(shown(value)) <= SHOWN + 1
    assert shown(value).isprintable()


def test_terminal_codes_are_taken_out_of_what_is_shown() -> None:
    assert plain("\x1b[31mred\x00\u202e") == " [31mred  "
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert shown(deep) == "a list that is too large to show"
    assert shown(10**5000) == "a int that is too large to show"


@pytest.mark.parametrize(
    ("found", "expected"),
    [(1, True), (1.0, 1), ((1, 2), [1, 2]), ([1, True], [1, 1]), ({"a": 1.0}, {"a": 1}), ("1", 1)],
)
def test_values_of_other_types_are_not_the_same(found: object, expected: object) -> None:
    assert not same(found, expected)
    assert same(found, found)


class Script(ScriptedPolicy):
    """Says given lines, one list a sample, with the tiny model's token ids."""

    def __init__(self, lines: Sequence[Sequence[str]]) -> None:
        super().__init__(1.0)
        self.lines = lines

    def _command(self, c: Conversation) -> str:
        said = sum(m.role == "assistant" for m in c.messages[1 + len(Coder().worked_examples) :])
        return self.lines[int(c.key.rpartition("/")[2])][said]


def attempts(lines: Sequence[Sequence[str]]) -> list[TrajectoryRecord]:
    env = Coder()
    bundle = Bundle("b", env.system_prompt, worked_examples=env.worked_examples)
    todo = [Attempt(task(), sample, seed=sample) for sample in range(len(lines))]
    turns = attempt_all(todo, env, Script(lines), bundle, env.decoding)
    return sorted((r for batch in turns for r in batch), key=lambda r: r.sample)


def verdict(record: TrajectoryRecord) -> str:
    return build(task().verifier).judge(task(), record).answer


def test_the_hidden_tests_decide_and_not_the_visible_ones() -> None:
    lines = [
        [fenced(RIGHT)],
        [fenced(WRONG), fenced(RIGHT)],
        [fenced(WRONG)] * 3,
        [fenced(VISIBLE_ONLY)],
    ]
    records = attempts(lines)
    assert [r.outcome for r in records] == ["answered"] * 4
    assert [sum(s.sampled for s in r.steps) for r in records] == [1, 2, 3, 1]
    assert [verdict(r) for r in records] == ["pass", "pass", "fail", "fail"]
    assert records[3].steps[-1].content == "all tests pass"
    heard = [s.content for s in records[1].steps if s.kind == "tool_result"]
    assert heard[0].startswith("take_away(4) returned 5, expected 3")


def test_a_sandbox_that_refuses_is_an_error_and_never_a_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> None:
        raise SandboxRefused("the network wall is missing")

    monkeypatch.setattr(coder, "sandbox", refuse)
    (record,) = attempts([[fenced(RIGHT)]])
    assert record.outcome == "environment_error"
    assert "the network wall is missing" in record.error
    assert verdict(record) == "error"


@pytest.mark.parametrize("name", ["take_away", "fibonacci", "tally"])
def test_what_the_agent_reads_holds_no_hidden_case(name: str) -> None:
    t = named(name).task(0, "x")
    said = Coder().start(t).act(f"def {name}(x):\n    return 'no'").text
    shown_, hidden = t.reference["cases"][:2], t.reference["cases"][2:]
    for case in shown_:
        assert call(name, case["args"]) in t.prompt
        assert call(name, case["args"]) in said
    for case in hidden:
        assert call(name, case["args"]) not in t.prompt + said


def test_demonstrations_are_of_training_functions_and_go_as_written() -> None:
    shown_ = Coder().demonstrations()
    assert all(sum(d.level == level for d in shown_) >= 2 for level in (1, 2, 3))
    assert len({d.key for d in shown_}) == len({d.fingerprint for d in shown_}) == len(shown_)
    rows = Coder()._written()["demonstrations"]
    for row, d in zip(rows, shown_, strict=True):
        function = named(row["function"])
        assert function.split == "train"
        t = function.task(row["variant"], d.family)
        assert (d.messages[0].content, d.fingerprint) == (t.prompt, t.fingerprint)
        e = _replay(Coder().start(t), d.messages[1:])
        assert build(t.verifier).judge(t, _record(t, e.goal_state())).answer == "pass"


def _replay(e: CoderEpisode, messages: Sequence[object]) -> CoderEpisode:
    turns = [(m.role, m.content) for m in messages]  # type: ignore[attr-defined]
    for i in range(0, len(turns), 2):
        assert turns[i][0] == "assistant"
        seen = e.act(turns[i][1])
        assert seen.done == (i == len(turns) - 1)
        assert seen.done or turns[i + 1] == ("user", seen.text)
    return e


def _record(t: TaskRecord, answer: str) -> TrajectoryRecord:
    from improvement.verifiers.base import trajectory_of

    return trajectory_of(t, answer)


def test_worked_examples_are_no_tasks_and_one_shows_a_repair() -> None:
    shown_ = Coder().worked_examples
    prompts = [m.content for m in shown_ if m.content.startswith("Write the Python function ")]
    assert len(prompts) == 3
    names = [p.removeprefix("Write the Python function ").partition("(")[0] for p in prompts]
    for name in names:
        with pytest.raises(KeyError):
            named(name)
    assert sum(" returned 5, expected 4" in m.content for m in shown_) == 1
