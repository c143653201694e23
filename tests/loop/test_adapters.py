"""Adapters that must not be served."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from improvement.serving.adapters import AdapterDamaged
from improvement.serving.local import LocalEngine
from improvement.store import directory_digest
from tests.tiny_model import tiny_adapter, tiny_model


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tiny_model(tmp_path_factory.mktemp("models") / "base")
    return tiny_adapter(base.parent / "adapter", base)


@pytest.fixture(scope="module")
def engine(adapter: Path) -> LocalEngine:
    return LocalEngine(adapter.parent / "base", device="cpu", dtype=torch.float32)


@pytest.mark.parametrize("damage", ["byte", "extra", "symlink", "pickle", "missing", "config"])
def test_a_damaged_adapter_is_refused(
    engine: LocalEngine, adapter: Path, tmp_path: Path, damage: str
) -> None:
    digest = directory_digest(adapter)
    copy = tmp_path / digest
    copy.mkdir()
    for file in adapter.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    assert engine.policy(copy).adapter_digest == digest
    weights = copy / "adapter_model.safetensors"
    if damage == "byte":
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
    elif damage == "extra":
        (copy / "note.json").write_text("{}")
    elif damage == "symlink":
        weights.rename(tmp_path / "moved")
        weights.symlink_to(tmp_path / "moved")
    elif damage == "pickle":
        weights.rename(copy / "adapter_model.bin")
    elif damage == "missing":
        weights.unlink()
    else:
        config = copy / "adapter_config.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), "lora_alpha": 64}))
    with pytest.raises(AdapterDamaged, match=str(copy)):
        engine.policy(copy)


def test_an_adapter_of_another_base_or_kind_is_refused(
    engine: LocalEngine, adapter: Path, tmp_path: Path
) -> None:
    for file in adapter.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    tensors = load_file(adapter / "adapter_model.safetensors")
    wide = {n: t.repeat(1, 2) if "lora_A" in n else t for n, t in tensors.items()}
    save_file(wide, tmp_path / "adapter_model.safetensors")
    with pytest.raises(AdapterDamaged, match="another base"):
        engine.policy(tmp_path)
    (tmp_path / "adapter_config.json").write_text('{"use_dora": true}')
    with pytest.raises(AdapterDamaged, match="use_dora"):
        engine.policy(tmp_path)
