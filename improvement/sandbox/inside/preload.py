"""What every program finds imported: the zygote reads it while it may still read files.

After the change of user the interpreter's own files can be out of reach (a Python under /root), so
the same list is loaded everywhere and a program never depends on where Python is installed.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import pkgutil
import sys
import sysconfig
import types
import warnings
from collections.abc import Callable
from importlib.machinery import BuiltinImporter, PathFinder

# No use to a function under test, slow to load, or with an effect of its own.
SKIPPED = frozenset(
    """antigravity this idlelib tkinter turtle turtledemo test ensurepip venv lib2to3 distutils
    pydoc_data msilib winreg winsound msvcrt nt readline rlcompleter curses ossaudiodev nis crypt
    spwd webbrowser sqlite3 dbm xmlrpc wsgiref smtpd smtplib ftplib imaplib
    poplib nntplib telnetlib socketserver ssl asyncore asynchat cgi cgitb imghdr sndhdr aifc audioop
    chunk sunau uu xdrlib pipes mailcap mailbox pty tty pdb bdb trace
    zipapp pyclbr pydoc compileall py_compile modulefinder symtable tabnanny nturl2path
    ntpath""".split()  # noqa: SIM905 - a table of words
)
PACKAGES = (
    "collections",
    "encodings",
    "concurrent.futures",
    "importlib",
    "json",
    "html",
    "logging",
)
DEEP = (
    "xml.etree.ElementTree",
    "urllib.parse",
    "unittest.mock",
    "os.path",
    "email.message",
    "email.generator",
    "email.policy",
    "_strptime",  # datetime.strptime imports it when it is first called
    "urllib.request",
    "multiprocessing.shared_memory",
)


def standard() -> None:
    names = [n for n in sys.stdlib_module_names if n not in SKIPPED and not n.startswith("_")]
    for name in [*sorted(names), *DEEP]:
        load(name)
    for package in PACKAGES:
        load(package)
        for found in pkgutil.iter_modules(sys.modules[package].__path__):
            if found.name not in SKIPPED and not found.name.startswith("_"):
                load(f"{package}.{found.name}")


def load(name: str) -> None:
    """Import what this Python has of the list; a module it was built without is no fault."""
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(name)


EXPRESSIONS = (
    "$\\frac{1}{2} + \\sqrt{x}$",
    "$[1,2)$",
    "$\\boxed{\\{1,2\\}}$",
    "$x=3$",
    "$\\sin(x)$",
    "$\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}$",
    "$50\\%$",
    "$\\int_0^1 x dx$",
    "$\\sum_{i=1}^{3} i$",
    "$1 < x < 2$",
    "12,345",
)


def _math() -> None:
    from math_verify import parse, verify

    importlib.import_module("sympy.assumptions.wrapper")
    for text in EXPRESSIONS:
        found = parse(text, parsing_timeout=None)
        verify(found, parse(text, parsing_timeout=None), timeout_seconds=None)
        verify(found, parse("$0.5+x^{1/2}$", parsing_timeout=None), timeout_seconds=None)


# What its families import when they are first used.
LAZILY = (
    "sympy.assumptions.wrapper",
    "sympy.combinatorics",
    "sympy.integrals.heurisch",
    "sympy.integrals.manualintegrate",
    "sympy.integrals.prde",
    "sympy.integrals.rde",
    "sympy.integrals.risch",
    "sympy.polys.polymatrix",
    "sympy.sets.setexpr",
    "sympy.tensor.tensor",
    "numpy.random",
)


class _Undrawn(types.ModuleType):
    """In the place of a plotting library: one family's dependency imports one, draws nothing, and
    the real one insists on a folder that it can write to."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return object


def _reasoning_gym() -> None:
    for name in ("matplotlib", "matplotlib.pyplot", "matplotlib.animation"):
        sys.modules[name] = _Undrawn(name)
    for name in ("matplotlib.collections", "mpl_toolkits", "mpl_toolkits.mplot3d"):
        sys.modules[name] = _Undrawn(name)
    load("pycosat")  # compiled, often left out, and no scorer uses it
    sys.modules.setdefault("pycosat", _Undrawn("pycosat"))
    gym = importlib.import_module("reasoning_gym")
    for found in pkgutil.walk_packages(gym.__path__, "reasoning_gym."):
        load(found.name)
    for name in LAZILY:
        load(name)


def close_imports(kit: str) -> None:
    """Whether an import works may not depend on where this Python is: what is loaded is all there
    is. The libraries of a kit stay open, for what they import late."""
    wanted = [finder for finder in sys.meta_path if finder is BuiltinImporter]
    if kit == "python":
        sys.meta_path[:] = wanted
    else:
        sys.meta_path[:] = [*wanted, PathFinder]
    for name in [name for name in sys.modules if name.partition(".")[0] == "improvement"]:
        del sys.modules[name]


KITS: dict[str, Callable[[], None]] = {"math": _math, "reasoning_gym": _reasoning_gym}
"""What each kit does beforehand: it exercises its libraries, because they import lazily."""


def kit(name: str, places: list[str]) -> None:
    """Load everything. ImportError when a library of the kit is missing."""
    standard()
    if name in KITS:
        there = [place for place in places if os.path.isdir(place)]
        sys.path += there or [sysconfig.get_paths()["purelib"]]
        KITS[name]()
