"""Sealed blocks: keyed, fresh, in proportion, and tamper-evident."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improvement.agent.environments.till import Till
from improvement.evaluation.blocks import (
    Block,
    BlockExhausted,
    Stratum,
    allocate,
    block_seed,
    draw,
)
from improvement.records import TaskRecord

SECRET = b"sixteen bytes or more"
LEVELS = [Stratum("level 1", 1, 3.0), Stratum("level 2", 2, 1.0)]


def make(seed: int, level: int, space: int = 10_000) -> TaskRecord:
    """A generator like an environment's: some of what it makes is for training."""
    number = seed % space
    split = "heldout" if number % 3 else "train"
    name = f"{level}-{number}"
    return TaskRecord(name, f"level {level}", level, split, name, {"answer": "1"}, f"fp {name}")


def test_the_seed_is_the_keyed_hash_of_gate_and_candidate() -> None:
    mac = hmac.new(SECRET, b"gate 7\0abc", hashlib.sha256).digest()
    assert block_seed(SECRET, "gate 7", "abc") == int.from_bytes(mac[:8], "big") >> 1
    assert 0 <= block_seed(SECRET, "gate 7", "abc") < 2**63


def test_secret_gate_and_candidate_each_change_the_seed() -> None:
    seeds = {
        block_seed(SECRET, "gate 7", "abc"),
        block_seed(SECRET + b"!", "gate 7", "abc"),
        block_seed(SECRET, "gate 8", "abc"),
        block_seed(SECRET, "gate 7", "abd"),
        block_seed(SECRET, "gate 7a", "bc"),
    }
    assert len(seeds) == 5


@pytest.mark.parametrize(
    ("secret", "gate", "candidate"),
    [(b"short", "g", "c"), (SECRET, "", "c"), (SECRET, "g", ""), (SECRET, "g\0", "c")],
)
def test_a_weak_secret_or_an_unfrozen_candidate_is_refused(
    secret: bytes, gate: str, candidate: str
) -> None:
    with pytest.raises(ValueError, match=r"16 bytes|gate id"):
        block_seed(secret, gate, candidate)


def test_a_block_is_held_out_fresh_distinct_and_in_proportion() -> None:
    taken = {f"fp 1-{number}" for number in range(5_000)}
    block = draw(make, LEVELS, 1, 200, taken)
    fingerprints = {task.fingerprint for task in block.tasks}
    assert len(fingerprints) == len(block.tasks) == 200
    assert not fingerprints & taken
    assert {task.split for task in block.tasks} == {"heldout"}
    assert [task.level for task in block.tasks] == [1] * 150 + [2] * 50


def test_the_same_gate_draws_the_same_block_and_another_seed_another() -> None:
    first, again, other = (draw(make, LEVELS, seed, 100, set()) for seed in (1, 1, 2))
    assert first == again
    assert first.digest != other.digest
    shared = {t.fingerprint for t in first.tasks} & {t.fingerprint for t in other.tasks}
    assert len(shared) < 10


def test_drawing_leaves_the_set_of_taken_fingerprints_alone() -> None:
    taken = {"fp 1-1"}
    draw(make, LEVELS, 1, 20, taken)
    assert taken == {"fp 1-1"}


def test_an_exhausted_generator_is_named() -> None:
    with pytest.raises(BlockExhausted, match="level 1, level 1: only 66 of 90 fresh held-out"):
        draw(lambda seed, level: make(seed, level, 100), LEVELS[:1], 1, 90, set())


def test_a_generator_that_gives_another_family_or_no_fingerprint_is_refused() -> None:
    with pytest.raises(ValueError, match="another stratum"):
        draw(lambda seed, level: make(seed, 2), LEVELS[:1], 1, 5, set())
    with pytest.raises(ValueError, match="no fingerprint"):
        draw(lambda s, lv: replace(make(s, lv), fingerprint=""), LEVELS[:1], 1, 5, set())
    with pytest.raises(ValueError, match="one key"):
        draw(lambda s, lv: replace(make(s, lv), key="same"), LEVELS[:1], 1, 5, set())


def test_the_digest_notices_any_change_to_a_task_or_to_the_order() -> None:
    block = draw(make, LEVELS, 1, 10, set())
    first, *rest = block.tasks
    for changed in (
        [replace(first, reference={"answer": "2"}), *rest],
        [replace(first, prompt="easier"), *rest],
        [replace(first, level=2), *rest],
        [*rest, first],
        rest,
    ):
        assert Block.of(changed).digest != block.digest
    assert Block.of(block.tasks) == block
    assert len(block.item_digests) == 10


@given(st.lists(st.floats(0.05, 20), min_size=1, max_size=8), st.integers(0, 3000))
def test_items_are_allocated_in_proportion(weights: list[float], n: int) -> None:
    strata = [Stratum("f", level, weight) for level, weight in enumerate(weights)]
    try:
        counts = allocate(strata, n)
    except ValueError:
        assert min(n * weight / sum(weights) for weight in weights) < 1
        return
    assert sum(counts) == n
    for count, weight in zip(counts, weights, strict=True):
        assert abs(count - n * weight / sum(weights)) < 1 + 1e-9


@pytest.mark.parametrize(
    "strata",
    [
        [],
        [Stratum("f", 1), Stratum("f", 1)],
        [Stratum("f", 1, 0.0)],
        [Stratum("f", 1, float("nan"))],
        [Stratum("f", 1, 1.0), Stratum("g", 1, 0.0001)],
    ],
)
def test_strata_that_cannot_make_a_block_are_refused(strata: list[Stratum]) -> None:
    with pytest.raises(ValueError, match=r"distinct|no item for"):
        allocate(strata, 100)


def test_the_till_can_be_drawn_from() -> None:
    till = Till()
    strata = [Stratum(family, level) for level, family in till.families.items()]
    block = draw(till.generate, strata, block_seed(SECRET, "g", "c"), 90, set())
    assert {task.family for task in block.tasks} == set(till.families.values())
