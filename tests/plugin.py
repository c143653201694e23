"""Loaded before Django's settings: the tests get a PAWL_HOME of their own."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="pawl-test-"))
os.environ["PAWL_HOME"] = str(HOME)
os.environ.setdefault("PAWL_SECRET_KEY", "only-for-the-tests-" + "x" * 40)
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def pytest_unconfigure() -> None:
    """Stop the services that fixtures started, and remove their data."""
    from improvement.services import embedded

    embedded.stop(HOME)
    shutil.rmtree(HOME, ignore_errors=True)
