"""Every test of a page gets an artefact store of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> Path:
    settings.PAWL_STORE = tmp_path / "artefacts"
    return tmp_path / "artefacts"
