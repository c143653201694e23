"""Our trainer beside TRL's SFTTrainer: `PAWL_BASE_DIR=… python -m tests.bench.bench_training`.

Same base model, precision, LoRA layers, batch, optimiser and pre-tokenised sequences; TRL is given
`input_ids` and `labels` as they are. Steps are timed after one warm-up step, in turns, so that a
busy neighbour slows both. CPU seconds are printed too: they hardly depend on neighbours.
"""

from __future__ import annotations

import logging
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from improvement.records import Demonstration, Example, Message
from improvement.training.examples import from_demonstration
from improvement.training.lora import train
from improvement.training.precision import choose
from improvement.training.recipe import TrainSettings
from improvement.training.tokens import encoder

SYSTEM = (
    "You work at the till. Each turn, write exactly one command: price NAME, calc EXPRESSION, "
    "or answer NUMBER."
)
THINGS = ["lamp", "rug", "chair", "table", "vase", "book", "clock", "mug", "pen", "bag"]
Timed = tuple[float, float]  # wall and CPU seconds a step


def sales(base: Path, n: int, *, common_beginning: bool) -> list[Example]:
    """Dialogues at the till, like the demo agent's. Without a common beginning, each has a
    different first word, so that nothing of one can be used for another."""
    encode, dice, made = encoder(base), random.Random(0), []
    for i in range(n):
        (one, other), (a, b, p, q) = dice.sample(THINGS, 2), (dice.randrange(2, 99) for _ in "abpq")
        lines = [
            ("user", f"customer wants {a} {one} and {b} {other}"),
            ("assistant", f"price {one}"),
            ("user", f"{p}"),
            ("assistant", f"price {other}"),
            ("user", f"{q}"),
            ("assistant", f"calc {a}*{p}+{b}*{q}"),
            ("user", f"{a * p + b * q}"),
            ("assistant", f"answer {a * p + b * q}"),
        ]
        talk = tuple(Message(role, text) for role, text in lines)  # type: ignore[arg-type]
        system = SYSTEM if common_beginning else f"{i} {SYSTEM}"
        demonstration = Demonstration(f"sale-{i}", "till", 1, talk, str(i))
        made.append(from_demonstration(demonstration, encode=encode, system_prompt=system))
    return made


def ours(base: Path, examples: Sequence[Example], batch: int, steps: int, dtype: Any) -> Timed:
    marks: list[Timed] = []
    precision = str(dtype).removeprefix("torch.")
    settings = TrainSettings(
        batch=batch, max_steps=steps, min_steps=steps, checkpoint_every=10**6, precision=precision
    )
    with tempfile.TemporaryDirectory() as work:
        train(
            examples, settings, base, Path(work), about={},
            should_stop=lambda: False,
            on_progress=lambda p: marks.append((p.done / p.rate, time.process_time())),
        )  # fmt: skip
    last = -2 if len(marks) > 2 else -1  # the last step's CPU time includes writing the checkpoint
    timed = len(marks) + last
    return ((marks[-1][0] - marks[0][0]) / (len(marks) - 1), (marks[last][1] - marks[0][1]) / timed)


def trl(base: Path, examples: Sequence[Example], batch: int, steps: int, dtype: Any) -> Timed:
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    begun: list[Timed] = []
    ended: list[Timed] = []

    class Clock(TrainerCallback):
        def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
            begun.append((time.perf_counter(), time.process_time()))

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            ended.append((time.perf_counter(), time.process_time()))

    rows = [
        {
            "input_ids": list(e.token_ids),
            "labels": [i if w else -100 for i, w in zip(e.token_ids, e.learn, strict=True)],
        }
        for e in examples
    ]
    cpu = not torch.cuda.is_available()
    with tempfile.TemporaryDirectory() as work:
        SFTTrainer(
            model=AutoModelForCausalLM.from_pretrained(base, dtype=dtype),
            args=SFTConfig(
                work, per_device_train_batch_size=batch, max_steps=steps, learning_rate=4e-4,
                use_cpu=cpu, bf16=dtype is torch.bfloat16, gradient_checkpointing=False,
                report_to="none", save_strategy="no", logging_strategy="no", disable_tqdm=True,
                lr_scheduler_type="cosine", warmup_steps=1, weight_decay=0.0,
            ),
            train_dataset=Dataset.from_list(rows),
            peft_config=LoraConfig(
                r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"
            ),
            callbacks=[Clock()],
        ).train()  # fmt: skip
    return tuple(  # type: ignore[return-value]
        statistics.mean(e[i] - b[i] for b, e in list(zip(begun, ended, strict=True))[1:])
        for i in (0, 1)
    )


def main(batch: int = 8, steps: int = 4, turns: int = 1) -> float:
    """Prints the comparison; the ratio of tokens a second, ours over TRL's, of the till's data."""
    base = Path(os.environ.get("PAWL_BASE_DIR", ""))
    if not (base / "config.json").is_file():
        sys.exit("Set PAWL_BASE_DIR to the directory of a base model (config.json, safetensors).")
    logging.disable(logging.WARNING)
    _, dtype = choose()
    common = sales(base, batch * steps, common_beginning=True)
    apart = sales(base, batch * steps, common_beginning=False)
    arms: dict[str, tuple[Callable[..., Timed], list[Example]]] = {
        "ours": (ours, common),
        "TRL": (trl, common),
        "ours, no common beginning": (ours, apart),
    }
    length, learned = (
        statistics.mean(x)
        for x in zip(*((len(e.token_ids), sum(e.learn)) for e in common))  # noqa: B905
    )
    print(
        f"{length:.0f} tokens a sequence, {learned:.0f} learned, batch {batch}, {dtype}, "
        f"{torch.get_num_threads()} threads, {turns} x {steps - 1} timed steps an arm"
    )
    times: dict[str, list[Timed]] = {name: [] for name in arms}
    for _ in range(turns):
        for name, (run, data) in arms.items():
            times[name].append(run(base, data, batch, steps, dtype))
    speeds = {}
    for name, (_, data) in arms.items():
        tokens = batch * statistics.mean(len(e.token_ids) for e in data)
        wall, cpu = (tokens / statistics.mean(t[i] for t in times[name]) for i in (0, 1))
        speeds[name] = (wall, cpu)
        print(f"{name:28}{wall:8.0f} tokens/s {cpu:8.0f} tokens/CPU-s")
    ratios = [speeds["ours"][i] / speeds["TRL"][i] for i in (0, 1)]
    print(
        f"ours / TRL: {ratios[0]:.2f} by the clock, {ratios[1]:.2f} by CPU time (goal: 1 or more)"
    )
    return ratios[0]


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
