"""mypy, strict, over both apps."""

import subprocess
import sys

import pytest
from django.conf import settings


@pytest.mark.slow
def test_every_signature_is_typed():
    done = subprocess.run(
        [sys.executable, "-m", "mypy"],
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
