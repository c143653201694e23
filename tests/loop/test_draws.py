"""How often training draws an example."""

from __future__ import annotations

from improvement.records import Example
from improvement.training.recipe import TrainSettings, drawn


def test_an_example_is_drawn_as_often_as_its_weight_says() -> None:
    few = [Example(f"e{i}", (1, 2), (False, True), weight=w) for i, w in enumerate((2, 1, 0.5))]
    batches = drawn(few, TrainSettings(batch=7))
    keys = [e.key for _ in range(10) for e in next(batches)]
    assert [keys.count(f"e{i}") for i in range(3)] == [40, 20, 10]
