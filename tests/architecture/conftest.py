"""mypy takes a minute of one processor: it runs beside the other tests, and is asked last."""

from __future__ import annotations

import pytest

from tests.architecture import beside


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    asked = [item for item in items if item.name == "test_every_signature_is_typed"]
    if asked:
        beside.begin()
        items[:] = [item for item in items if item not in asked] + asked
