"""A runtime with real walls for the tests: what follows on the command line runs behind sandlock,
with this process's own stdin and stdout, as a container runtime would do it."""

import os
import sys
from pathlib import Path

import sandlock

sys.path.insert(0, str(Path(__file__).parents[2]))
from improvement.sandbox import config

command = [config.interpreter(), *sys.argv[2:]]  # sys.argv[1] is python3
readable = config.readable("python")
walls = sandlock.Sandbox(fs_readable=readable, fs_writable=["/dev/null"], clean_env=True)
mode = sandlock.StdioMode
with walls.popen(command, mode.INHERIT, mode.INHERIT, mode.NULL) as process:
    os.close(0)
    os.close(1)
    process.wait()
