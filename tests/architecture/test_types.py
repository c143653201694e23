"""mypy, strict, over both apps."""

import pytest

from tests.architecture import beside


@pytest.mark.slow
def test_every_signature_is_typed():
    status, said = beside.result()
    assert status == 0, said
