"""Where the sandbox finds its interpreter, its libraries and its walls.

Settings come from the environment, because rooms that compute know no Django:
PAWL_SANDBOX_RUNTIME is a command (a container runtime) that takes the place of sandlock.
"""

from __future__ import annotations

import os
import shlex
import sys
import sysconfig
from pathlib import Path

KITS = ("python", "math", "reasoning_gym")
SYSTEM = ("/usr/lib", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null", "/dev/urandom")


def runtime() -> list[str]:
    """The command prefix that replaces sandlock; empty where there is none."""
    return shlex.split(os.environ.get("PAWL_SANDBOX_RUNTIME", ""))


def interpreter() -> str:
    return os.path.realpath(sys.executable)


def libraries(kit: str) -> list[str]:
    """Where a kit's libraries are; the plain kit has none."""
    if kit == "python":
        return []
    paths = sysconfig.get_paths()
    return list(dict.fromkeys([paths["purelib"], paths["platlib"]]))


def readable(kit: str) -> list[str]:
    """All that the zygote may read: Python's own files, shared libraries, the kit's libraries."""
    base = Path(interpreter()).parent.parent
    lib = base / sys.platlibdir
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    python = [interpreter(), str(lib / name), str(base / "lib" / name)]
    python += [str(found) for folder in {lib, base / "lib"} for found in folder.glob("libpython*")]
    python += [sysconfig.get_paths()["stdlib"], sysconfig.get_paths()["platstdlib"]]
    wanted = [*SYSTEM, *python, *libraries(kit)]
    return [path for path in dict.fromkeys(map(os.path.realpath, wanted)) if os.path.exists(path)]
