"""Makes tasks of reasoning-gym families: a program of its own, so that its hundred modules, its
use of memory and its faults stay out of the caller's process. No model's text ever comes here.

Reads one JSON request, writes one JSON object a line: tasks, or why a family's level gave none.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import signal
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from improvement.sandbox.inside import tagged

MOST_BYTES = 1 << 20
PATIENCE = 60  # seconds for one task
SOLVER = "pycosat"  # compiled; only zebra_puzzles uses it
DRAWING = (
    *("matplotlib", "matplotlib.pyplot", "matplotlib.animation", "matplotlib.collections"),
    *("mpl_toolkits", "mpl_toolkits.mplot3d"),
)


def main() -> None:
    signal.signal(signal.SIGALRM, _too_slow)
    request = json.load(sys.stdin)
    out = sys.stdout
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in _answer(request):
            out.write(json.dumps(row) + "\n")
            out.flush()


class _Unused(ModuleType):
    """Stands for a module that is imported at once, needed or not, and that no task uses."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


def _too_slow(*_: object) -> None:
    raise TimeoutError(f"a task took more than {PATIENCE} s to make")


def _answer(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    solver = importlib.util.find_spec(SOLVER) is not None
    for name in (*DRAWING, *(() if solver else (SOLVER,))):
        sys.modules[name] = _Unused(name)
    from reasoning_gym.factory import CURRICULA, DATASETS

    if request.get("list"):
        for family in sorted(DATASETS):
            yield {"family": family, "levels": _levels(CURRICULA.get(family))}
        return
    for family, level, count in request["wanted"]:
        if family == "zebra_puzzles" and not solver:
            yield _problem(family, level, f"needs {SOLVER} (pip install {SOLVER}; a C compiler)")
            continue
        try:
            yield from _tasks(family, level, count, request["seed"])
        except Exception as error:  # a family's own fault is told, not raised
            signal.alarm(0)
            yield _problem(family, level, f"{type(error).__name__}: {error}")


def _tasks(family: str, level: int, count: int, seed: int) -> Iterator[dict[str, Any]]:
    from reasoning_gym.factory import CURRICULA, DATASETS

    drawn = hashlib.sha256(f"{family}:{level}:{seed}".encode()).digest()
    fields = {"seed": int.from_bytes(drawn[:4], "big") >> 1, "size": count}
    if family in CURRICULA:
        curriculum = CURRICULA[family]()
        curriculum.set_global_level(level - 1)
        config = curriculum.generate_configuration(fields)
    else:
        config = DATASETS[family][1](**fields)
    dataset = DATASETS[family][0](config)
    for index in range(count):
        signal.alarm(PATIENCE)
        entry = dataset[index]
        signal.alarm(0)
        metadata = tagged.encode(plain(entry["metadata"]), MOST_BYTES)
        yield {
            "family": family,
            "level": level,
            "index": index,
            "question": str(entry["question"]),
            "answer": plain(entry["answer"]),
            "metadata": metadata,
        }


def plain(value: Any) -> Any:
    """Values of exact types instead of subclasses (text that numpy or a parser made)."""
    if isinstance(value, dict):
        return {plain(key): plain(inner) for key, inner in value.items()}
    for kind in (list, tuple, set, frozenset):
        if isinstance(value, kind):
            return kind(plain(inner) for inner in value)
    for exact in (str, float):
        if isinstance(value, exact):
            return exact(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _levels(curriculum: Any) -> int:
    """How many levels differ; 1 without a curriculum."""
    if curriculum is None:
        return 1
    attributes = curriculum().attributes.values()
    return max((len(attribute.levels) for attribute in attributes), default=1)


def _problem(family: str, level: int, message: str) -> dict[str, Any]:
    return {"family": family, "level": level, "problem": message[:300]}


if __name__ == "__main__":
    main()
