"""The local engine against plain transformers and peft, on a tiny random model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from improvement.records import Completion, Conversation, Message, Sampling
from improvement.serving.local import LocalEngine, LocalPolicy
from improvement.store import directory_digest
from tests.tiny_model import tiny_adapter, tiny_model

SYSTEM = Message("system", "You work at the till. Each turn, write exactly one command.")
GREEDY = Sampling(temperature=0.0, max_new_tokens=10, stop=("\n",))
HOT = Sampling(temperature=1.0, max_new_tokens=10, stop=())


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def adapter(base: Path) -> Path:
    return tiny_adapter(base.parent / "adapter", base)


@pytest.fixture(scope="module")
def engine(base: Path) -> LocalEngine:
    return LocalEngine(base, device="cpu", dtype=torch.float32)


@pytest.fixture
def policy(engine: LocalEngine) -> Iterator[LocalPolicy]:
    policy = engine.policy()
    yield policy
    policy.forget(list(policy.open))
    assert engine.kv.held == 0


def plain(base: Path, adapter: Path | None) -> Any:
    """The model as transformers and peft run it."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    return PeftModel.from_pretrained(model, adapter) if adapter else model


def conversation(index: int, *extra: Message, words: int | None = None) -> Conversation:
    wish = Message("user", "customer wants 3 lamp " * (index + 1 if words is None else words))
    return Conversation(f"c{index}", (SYSTEM, wish, *extra), seed=index)


def after(before: Conversation, completion: Completion, observation: str) -> Conversation:
    new = (Message("assistant", completion.text), Message("user", observation))
    return Conversation(before.key, (*before.messages, *new), before.seed)


def flat(completion: Completion) -> list[int]:
    return [*(t for piece in completion.read for t in piece), *completion.token_ids]


@torch.inference_mode()
def reference_turn(model: Any, context: list[int], tokenizer: Any, limit: int) -> list[int]:
    """Greedy continuation by plain `generate`, ended at eos or at a newline."""
    output = model.generate(
        input_ids=torch.tensor([context]),
        attention_mask=torch.ones(1, len(context), dtype=torch.long),
        max_new_tokens=limit,
        do_sample=False,
    )[0, len(context) :].tolist()
    for i in range(1, len(output) + 1):
        if output[i - 1] == tokenizer.eos_token_id or "\n" in tokenizer.decode(output[:i]):
            return output[:i]
    return output


@pytest.mark.parametrize("adapted", [False, True])
def test_it_writes_what_plain_generate_writes(
    engine: LocalEngine, base: Path, adapter: Path, adapted: bool
) -> None:
    policy = engine.policy(adapter if adapted else None)
    model = plain(base, adapter if adapted else None)
    open_ones = [conversation(i) for i in range(6)]
    contexts: dict[str, list[int]] = {c.key: [] for c in open_ones}
    for turn in range(4):
        completions = policy.generate(open_ones, GREEDY)
        for one, completion in zip(open_ones, completions, strict=True):
            contexts[one.key] += [t for piece in completion.read for t in piece]
            expected = reference_turn(model, contexts[one.key], engine.tokenizer, 10)
            assert list(completion.token_ids) == expected
            contexts[one.key] += completion.token_ids
        open_ones = [
            after(one, c, "12 " * (i + turn))
            for i, (one, c) in enumerate(zip(open_ones, completions, strict=True))
        ]
        policy.forget([open_ones.pop(turn % 2).key])
    policy.forget(list(policy.open))
    assert engine.kv.held == 0
    assert engine.kv.blocks == []


def test_a_few_out_of_many_go_on_alone(
    engine: LocalEngine, base: Path, policy: LocalPolicy
) -> None:
    """Rows far apart in a block are gathered instead of read in place."""
    model, crowd = plain(base, None), [conversation(i, words=3) for i in range(12)]
    first = policy.generate(crowd, HOT)
    pairs = [(crowd[i], first[i]) for i in (8, 11)]
    second = policy.generate([after(one, c, "12") for one, c in pairs], GREEDY)
    for (_, before), completion in zip(pairs, second, strict=True):
        context = flat(before) + [t for piece in completion.read for t in piece]
        expected = reference_turn(model, context, engine.tokenizer, 10)
        assert list(completion.token_ids) == expected


def test_what_it_reads_is_what_the_template_renders(
    engine: LocalEngine, policy: LocalPolicy
) -> None:
    one = conversation(1)
    first = policy.generate([one], GREEDY)[0]
    two = after(one, first, "36")
    second = policy.generate([two], GREEDY)[0]
    assert len(first.read) == 3  # system, user, opening
    assert len(second.read) == 3  # closing, user, opening
    turns = [{"role": m.role, "content": m.content} for m in two.messages]
    text = engine.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    read = [t for piece in second.read for t in piece]
    assert engine.tokenizer.decode(flat(first) + read) == text


def test_logprobs_and_entropies_are_those_of_a_full_forward(
    base: Path, adapter: Path, engine: LocalEngine
) -> None:
    policy, model = engine.policy(adapter), plain(base, adapter)
    ones = [conversation(i) for i in range(3)]
    for one, completion in zip(ones, policy.generate(ones, HOT), strict=True):
        ids = flat(completion)
        with torch.inference_mode():
            logits = model(torch.tensor([ids])).logits[0, -len(completion.token_ids) - 1 : -1]
        everything = torch.log_softmax(logits, -1)
        chosen = everything[range(len(completion.token_ids)), list(completion.token_ids)]
        assert torch.allclose(torch.tensor(completion.logprobs), chosen, atol=1e-3)
        entropy = -(everything.exp() * everything).sum(-1)
        assert torch.allclose(torch.tensor(completion.entropies), entropy, atol=1e-3)
        policy.forget([one.key])


def test_a_seed_gives_the_same_words_in_any_company(policy: LocalPolicy) -> None:
    crowd = [conversation(i) for i in range(7)]
    together = policy.generate(crowd, HOT)[3]
    policy.forget(list(policy.open))
    alone = policy.generate([crowd[3]], HOT)[0]
    assert alone.token_ids == together.token_ids
    policy.forget(["c3"])
    other = Conversation("c3", crowd[3].messages, seed=99)
    assert policy.generate([other], HOT)[0].token_ids != alone.token_ids


def test_the_shared_prompt_is_read_once_and_across_calls(
    engine: LocalEngine, policy: LocalPolicy
) -> None:
    one_token = Sampling(max_new_tokens=1, stop=())
    ones = [conversation(i, words=2) for i in range(8)]
    before = engine.runner.tokens_read
    completions = policy.generate(ones, one_token)
    length = sum(map(len, completions[0].read))
    assert engine.runner.tokens_read - before == length - 1 + 8
    before = engine.runner.tokens_read
    more = [Conversation(f"d{i}", c.messages) for i, c in enumerate(ones)]
    policy.generate(more, one_token)
    assert engine.runner.tokens_read - before == 8


def test_a_second_turn_reads_only_what_is_new(engine: LocalEngine, policy: LocalPolicy) -> None:
    one = conversation(0)
    first = policy.generate([one], GREEDY)[0]
    before = engine.runner.tokens_read
    second = policy.generate([after(one, first, "12")], GREEDY)[0]
    new = 1 + sum(map(len, second.read)) + len(second.token_ids) - 1
    assert engine.runner.tokens_read - before == new


def test_adapters_are_switched_and_the_base_returns_to_the_bit(
    engine: LocalEngine, adapter: Path, base: Path
) -> None:
    original = load_file(base / "model.safetensors")
    bare, adapted = engine.policy(), engine.policy(adapter)
    one = conversation(2)
    words = [p.generate([one], GREEDY)[0].logprobs for p in (bare, adapted)]
    bare.forget([one.key])
    again = bare.generate([one], GREEDY)[0].logprobs
    assert words[0] == pytest.approx(again, abs=1e-5)
    assert words[0] != words[1]
    weights = dict(engine.model.named_parameters())
    assert all(torch.equal(weights[name], tensor) for name, tensor in original.items())
    assert adapted.digest == f"{engine.base_digest}+{directory_digest(adapter)}"
    for policy in (bare, adapted):
        policy.forget([one.key])


def test_finish_reasons(engine: LocalEngine, policy: LocalPolicy) -> None:
    seen = set()
    for i in range(40):
        one = Conversation(f"f{i}", conversation(0).messages, seed=i)
        sampling = Sampling(temperature=1.5, max_new_tokens=30, stop=("e",))
        completion = policy.generate([one], sampling)[0]
        ended = completion.token_ids[-1] in engine.eos_ids
        stopped = "e" in completion.text
        seen.add((ended, stopped, completion.finish_reason))
        assert "<|im_end|>" not in completion.text
        assert (completion.finish_reason == "stop") == (ended or stopped)
        if ended:
            second = policy.generate([after(one, completion, "12")], GREEDY)[0]
            newline = engine.tokenizer.encode("\n", add_special_tokens=False)
            assert list(second.read[0]) == newline
    assert (
        policy.generate([conversation(7)], Sampling(max_new_tokens=1, stop=()))[0].finish_reason
        == "length"
    )
    assert (False, True, "stop") in seen
    assert any(ended for ended, _, _ in seen)


def test_it_refuses_a_conversation_that_does_not_continue(policy: LocalPolicy) -> None:
    one = conversation(0)
    completion = policy.generate([one], GREEDY)[0]
    wrong = Conversation(
        one.key, (*one.messages, Message("assistant", completion.text + "no"), SYSTEM)
    )
    with pytest.raises(ValueError, match="does not continue"):
        policy.generate([wrong], GREEDY)
    assert one.key not in policy.open
    with pytest.raises(ValueError, match="same key"):
        policy.generate([one, one], GREEDY)


def test_a_conversation_too_long_is_told(policy: LocalPolicy, engine: LocalEngine) -> None:
    with pytest.raises(ValueError, match=r"c0 has \d+ tokens"):
        policy.generate([conversation(0, words=200)], GREEDY)
    assert engine.kv.held == 0


def test_a_long_one_does_not_widen_the_others(engine: LocalEngine, policy: LocalPolicy) -> None:
    first = Message("user", "go")
    ones = [Conversation(f"s{i}", (SYSTEM, first, Message("user", "a"))) for i in range(20)]
    long = Message("user", "customer wants 3 lamp " * 30)
    policy.generate([*ones, Conversation("long", (SYSTEM, first, long))], GREEDY)
    assert sorted(block.room for block in engine.kv.blocks)[0] == 64
    assert len(engine.kv.blocks) == 2
