"""The text that an interpreter inside the walls starts with (`python -I -S -c TEXT`).

All of `inside/` as text, importable from a dictionary: so nothing has to be mounted or readable
there. It holds code only, never a task or an answer.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

PACKAGE = "improvement.sandbox.inside"
LOADER = """
import sys, types
from importlib.machinery import ModuleSpec
SOURCES = {sources!r}
class Loader:
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=name in PACKAGES) if name in SOURCES else None
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        exec(compile(SOURCES[module.__name__], module.__name__, "exec"), module.__dict__)
PACKAGES = {packages!r}
sys.meta_path.insert(0, Loader())
from {package}.zygote import main
main({kit!r}, {places!r})
"""


@cache
def _sources() -> dict[str, str]:
    found = {"improvement": "", "improvement.sandbox": ""}
    for path in sorted((Path(__file__).parent / "inside").glob("*.py")):
        name = PACKAGE if path.stem == "__init__" else f"{PACKAGE}.{path.stem}"
        found[name] = path.read_text(encoding="utf-8")
    return found


def text(kit: str, places: list[str]) -> str:
    """The program of a zygote for a kit whose libraries are in `places`."""
    packages = ("improvement", "improvement.sandbox", PACKAGE)
    return LOADER.format(
        sources=_sources(), packages=packages, package=PACKAGE, kit=kit, places=places
    )


def digest() -> str:
    """Changes with any line that runs inside."""
    return hashlib.sha256(repr(sorted(_sources().items())).encode()).hexdigest()
