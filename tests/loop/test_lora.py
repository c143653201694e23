"""Training: exact loss, only on what was written; stops, resumes and fails cleanly."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from transformers import AutoModelForCausalLM

from improvement.records import Example, Progress
from improvement.training import checkpoint, gradient, model
from improvement.training.lora import train
from improvement.training.recipe import (
    BaseModelUnusable,
    Cancelled,
    NothingToLearn,
    StorageFailed,
    TrainingDiverged,
    TrainingError,
    TrainResult,
    TrainSettings,
)
from tests.tiny_model import tiny_adapter, tiny_model

SETTINGS = TrainSettings(
    batch=4, epochs=1, min_steps=12, learning_rate=1e-2, rank=4, alpha=8, checkpoint_every=3,
    precision="float32",
)  # fmt: skip
ABOUT = {"base_model": "tiny", "manifest": "m" * 64}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny products gain nothing from threads, and lose much on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def whole(base: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    """A training that nothing disturbed."""
    return run(base, tmp_path_factory.mktemp("whole"))


def examples(n: int = 10) -> list[Example]:
    """Till-like sequences: a common prompt, then turns of which every second one is written."""
    dice = random.Random(1)
    prompt = [dice.randrange(3, 300) for _ in range(12)]
    made = []
    for i in range(n):
        ids = [*prompt, *(dice.randrange(3, 300) for _ in range(dice.randrange(9, 25)))]
        learn = [t >= 12 and (t // 5) % 2 == 0 for t in range(len(ids))]
        made.append(Example(f"e{i}", tuple(ids), tuple(learn)))
    made[1] = dataclasses.replace(made[0], key="e1")  # the same again, as a repeat in a batch
    return made


def run(base: Path, work: Path, settings: TrainSettings = SETTINGS, **options: Any) -> TrainResult:
    options = {"on_progress": lambda p: None, "should_stop": lambda: False, **options}
    given = options.pop("examples", None) or examples()
    return train(given, settings, base, work, about=ABOUT, **options)


def weights(result: TrainResult) -> bytes:
    return (result.directory / "adapter_model.safetensors").read_bytes()


def plain_loss(base: Path, batch: list[Example]) -> torch.Tensor:
    """The mean loss of the batch, one unpadded sequence after the other, labels -100."""
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    total = torch.zeros(())
    for e in batch:
        labels = [i if learn else -100 for i, learn in zip(e.token_ids, e.learn, strict=True)]
        out = plain(input_ids=torch.tensor([e.token_ids]), labels=torch.tensor([labels]))
        total = total + out.loss * sum(e.learn[1:])
    return total / sum(sum(e.learn[1:]) for e in batch)


@pytest.mark.parametrize("rows", [10_000, 40])
def test_the_loss_is_that_of_plain_transformers(base: Path, rows: int) -> None:
    cpu = torch.device("cpu")
    packed = model.load(base, SETTINGS, cpu, torch.float32)
    loss, computed = gradient.accumulate(packed, examples(), rows, cpu, torch.float32)
    assert loss == pytest.approx(plain_loss(base, examples()).item(), abs=1e-4)
    assert computed < sum(len(e.token_ids) for e in examples())  # the prompt was read once


def test_the_gradient_is_that_of_plain_transformers(base: Path, tmp_path: Path) -> None:
    from peft import PeftModel

    adapter = tiny_adapter(tmp_path / "start", base)
    cpu = torch.device("cpu")
    settings = dataclasses.replace(SETTINGS, rank=4, alpha=8)
    packed = model.load(base, settings, cpu, torch.float32, adapter)
    gradient.accumulate(packed, examples(), 40, cpu, torch.float32)
    plain = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapter, is_trainable=True
    )
    for e in examples():
        labels = [i if learn else -100 for i, learn in zip(e.token_ids, e.learn, strict=True)]
        out = plain(input_ids=torch.tensor([e.token_ids]), labels=torch.tensor([labels]))
        (out.loss * sum(e.learn[1:]) / sum(sum(x.learn[1:]) for x in examples())).backward()
    expected = {n: p.grad for n, p in plain.named_parameters() if p.requires_grad}
    for name, weight in packed.named_parameters():
        if weight.requires_grad:
            torch.testing.assert_close(weight.grad, expected[name], atol=1e-4, rtol=1e-3)


def test_tokens_that_were_only_read_have_no_part_in_the_loss(base: Path) -> None:
    """Changing what follows the last written token changes nothing."""
    cpu = torch.device("cpu")
    packed = model.load(base, SETTINGS, cpu, torch.float32)
    one = Example("a", (5, 6, 7, 8, 9, 10), (False, False, True, True, False, False))
    other = dataclasses.replace(one, token_ids=(5, 6, 7, 8, 200, 201))
    first, second = (gradient.accumulate(packed, [e], 99, cpu, torch.float32) for e in (one, other))
    assert first == second


def test_it_learns_a_small_set_and_leaves_a_complete_adapter(base: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    settings = dataclasses.replace(SETTINGS, min_steps=40)
    result = run(base, tmp_path, settings, on_progress=seen.append)
    assert result.losses[-1] < 0.5 * result.losses[0]
    assert [p.done for p in seen] == list(range(1, 41))
    assert seen[-1].figures.keys() >= {"loss", "tokens_per_second", "learning_rate"}
    names = {"adapter_model.safetensors", "adapter_config.json", "README.md", "training.json"}
    assert {p.name for p in result.directory.iterdir()} == names
    card = (result.directory / "README.md").read_text()
    assert "tiny" in card
    assert "m" * 64 in card
    lineage = json.loads((result.directory / "training.json").read_text())
    assert lineage["figures"]["losses"] == list(result.losses)
    assert lineage["settings"]["rank"] == 4


def test_peft_reads_the_adapter_and_finds_the_trained_loss(base: Path, whole: TrainResult) -> None:
    from peft import PeftModel

    served = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), whole.directory
    )
    e = examples()[0]
    labels = [i if learn else -100 for i, learn in zip(e.token_ids, e.learn, strict=True)]
    with torch.no_grad():
        loss = served(input_ids=torch.tensor([e.token_ids]), labels=torch.tensor([labels])).loss
    assert loss.item() < plain_loss(base, [e]).item()


def test_a_training_killed_and_resumed_ends_with_the_same_bits(
    base: Path, tmp_path: Path, whole: TrainResult
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.loop.train_child", base, tmp_path / "killed"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("8 "):  # after the checkpoint of step 6, before that of step 9
            child.send_signal(signal.SIGKILL)
            break
    assert child.wait() == -signal.SIGKILL
    resumed = run(base, tmp_path / "killed")
    assert resumed.resumed_at == 6
    assert resumed.losses == whole.losses
    assert weights(resumed) == weights(whole)


def test_a_cancelled_training_saves_its_place_and_goes_on(
    base: Path, tmp_path: Path, whole: TrainResult
) -> None:
    done: list[Progress] = []
    with pytest.raises(Cancelled, match="after 4 of 12 steps"):
        run(base, tmp_path / "cut", on_progress=done.append, should_stop=lambda: len(done) == 4)
    resumed = run(base, tmp_path / "cut")
    assert resumed.resumed_at == 4
    assert weights(resumed) == weights(whole)


def test_a_damaged_checkpoint_is_passed_over(
    base: Path, tmp_path: Path, whole: TrainResult
) -> None:
    shutil.copytree(whole.directory.parent, tmp_path, dirs_exist_ok=True)
    newest = max(tmp_path.glob("checkpoint-*"))
    data = bytearray(newest.read_bytes())
    data[-1] ^= 1
    newest.write_bytes(data)
    again = run(base, tmp_path)
    assert again.resumed_at == 9
    assert weights(again) == weights(whole)


def test_a_checkpoint_of_another_training_is_not_taken(
    base: Path, tmp_path: Path, whole: TrainResult
) -> None:
    shutil.copytree(whole.directory.parent, tmp_path, dirs_exist_ok=True)
    other = dataclasses.replace(SETTINGS, seed=1, min_steps=3)
    assert run(base, tmp_path, other).resumed_at == 0
    assert [p.name[:19] for p in tmp_path.glob("checkpoint-*")] == ["checkpoint-00000003"]


def test_a_full_disk_leaves_nothing_half_written(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: TrainResult
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(StorageFailed, match=r"No space left on device.*Make room and resume"):
        run(base, tmp_path / "full")
    assert not list((tmp_path / "full").iterdir())
    monkeypatch.undo()
    assert weights(run(base, tmp_path / "full")) == weights(whole)


def test_a_loss_that_is_no_number_stops_training(base: Path, tmp_path: Path) -> None:
    broken = tiny_model(tmp_path / "nan")
    tensors = safetensors.torch.load_file(broken / "model.safetensors")
    tensors["model.norm.weight"][0] = float("nan")
    safetensors.torch.save_file(tensors, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(TrainingDiverged, match=r"step 1 .*Lower the learning rate"):
        run(broken, tmp_path / "work")
    assert not (tmp_path / "work" / "adapter").exists()


def test_it_continues_from_the_champion_and_refuses_one_of_another_rank(
    base: Path, tmp_path: Path, whole: TrainResult
) -> None:
    few = dataclasses.replace(SETTINGS, min_steps=2)
    longer = run(base, tmp_path / "second", few, start_adapter=whole.directory)
    assert longer.losses[0] < whole.losses[0]
    other = dataclasses.replace(SETTINGS, rank=2)
    with pytest.raises(TrainingError, match="another rank"):
        run(base, tmp_path / "third", other, start_adapter=whole.directory)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda e: [dataclasses.replace(x, weight=0) for x in e], NothingToLearn, "Collect more"),
        (lambda e: [Example("long", (5,) * 600, (True,) * 600)], TrainingError, "long has 600"),
    ],
)
def test_it_refuses_examples_it_can_not_learn_from(
    base: Path, tmp_path: Path, change: Callable[[Any], Any], error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        run(base, tmp_path, examples=change(examples()))


def test_a_missing_base_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(BaseModelUnusable, match=r"nowhere holds no base model.*doctor"):
        run(tmp_path / "nowhere", tmp_path / "work")


def test_it_refuses_a_model_that_changes_its_logits_afterwards(base: Path) -> None:
    cpu = torch.device("cpu")
    packed = model.load(base, SETTINGS, cpu, torch.float32)
    gradient.check(packed, examples(), cpu)
    capped = packed.get_base_model()
    whole_model = type(capped).forward

    class Capped(type(capped)):  # type: ignore[misc]
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            out = whole_model(self, *args, **kwargs)
            out.logits = out.logits / 2
            return out

    capped.__class__ = Capped
    with pytest.raises(BaseModelUnusable, match="changes its logits"):
        gradient.check(packed, examples(), cpu)


def test_bfloat16_trains_too(base: Path, tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, precision="bfloat16", min_steps=6)
    result = run(base, tmp_path, settings)
    assert result.precision == "bfloat16"
    assert result.losses[-1] < result.losses[0]
