"""Examples are exactly what was sampled; demonstrations teach the end of a turn too."""

from __future__ import annotations

import pytest

from improvement.records import Demonstration, Message, Segment, Step, TrajectoryRecord
from improvement.training.examples import from_demonstration, from_trajectory, signature_of
from improvement.training.tokens import encoder
from tests.tiny_model import tiny_model


def trajectory(*segments: Segment, steps: tuple[Step, ...] = ()) -> TrajectoryRecord:
    return TrajectoryRecord("t", 0, steps, segments, "answered", "3", False, 1.0, 0)


ATTEMPT = trajectory(
    Segment("prompt", (1, 2)),
    Segment("example", (3, 4, 5)),
    Segment("task", (6,)),
    Segment("turn", (7, 8), sampled=True, logprobs=(-1.0, -1.0), entropies=(0.1, 0.1)),
    Segment("turn", (9,)),
    Segment("turn", (8,), sampled=True, logprobs=(-1.0,), entropies=(0.1,)),
)


def test_only_sampled_tokens_are_learned_and_their_ids_are_kept() -> None:
    example = from_trajectory(ATTEMPT, key="a", keep_examples=True)
    assert example.token_ids == (1, 2, 3, 4, 5, 6, 7, 8, 9, 8)
    assert [i for i, learn in enumerate(example.learn) if learn] == [6, 7, 9]
    assert example.source == "own"


def test_worked_examples_are_left_out_when_the_candidate_goes_without() -> None:
    example = from_trajectory(ATTEMPT, key="a", keep_examples=False)
    assert example.token_ids == (1, 2, 6, 7, 8, 9, 8)
    assert sum(example.learn) == 3


def test_it_refuses_an_attempt_in_which_nothing_was_written() -> None:
    with pytest.raises(ValueError, match="attempt-7 has no token to learn"):
        from_trajectory(trajectory(Segment("prompt", (1,))), key="attempt-7", keep_examples=True)


def test_two_attempts_that_make_the_same_calls_have_one_signature() -> None:
    call = Step("tool_call", "calc  2*3", tool="calc", arguments="2*3", sampled=True)
    spaced = Step("tool_call", "calc 2*3 ", tool="calc", arguments=" 2*3", sampled=True)
    other = Step("tool_call", "calc 3*2", tool="calc", arguments="3*2", sampled=True)
    first, second, third = (signature_of(trajectory(steps=(s,))) for s in (call, spaced, other))
    assert first == second != third


def test_a_demonstration_teaches_the_words_of_the_assistant_and_the_end_of_its_turn(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    from transformers import AutoTokenizer

    base = tiny_model(tmp_path_factory.mktemp("base"))
    tokenizer = AutoTokenizer.from_pretrained(base)
    talk = (
        Message("user", "customer wants 3 lamp"),
        Message("assistant", "price lamp"),
        Message("user", "12"),
        Message("assistant", "answer 36"),
    )
    example = from_demonstration(
        Demonstration("d", "till", 1, talk, "f"), encode=encoder(base), system_prompt="the till"
    )
    written = [i for i, learn in zip(example.token_ids, example.learn, strict=True) if learn]
    assert tokenizer.decode(written) == "price lamp<|im_end|>answer 36<|im_end|>"
    turns = [{"role": m.role, "content": m.content} for m in (Message("system", "the till"), *talk)]
    assert tokenizer.decode(example.token_ids) == tokenizer.apply_chat_template(
        turns, tokenize=False
    )
    assert example.source == "human"
