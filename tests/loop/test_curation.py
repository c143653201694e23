"""Curation keeps verified successes only, says why it drops, and doesn't depend on order."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improvement.training.dataset import curate
from improvement.training.manifest import (
    CLIPPED,
    CONTAMINATED,
    DUPLICATE,
    NO_SHARE,
    NOT_VERIFIED,
    PER_TASK,
    TOTAL,
    CuratedItem,
    CurationPolicy,
)


def item(key: str, **changes: object) -> CuratedItem:
    plain = CuratedItem(
        key, "own", "till", 1, fingerprint=f"f-{key}", signature=f"s-{key}",
        tokens_sha256=f"t-{key}", verified=True,
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def reasons(manifest: object) -> dict[str, str]:
    return {d.key: d.reason for d in manifest.dropped}  # type: ignore[attr-defined]


items = st.lists(
    st.builds(
        CuratedItem,
        key=st.uuids().map(str),
        source=st.sampled_from(["own", "own", "human", "external"]),
        family=st.just("till"),
        level=st.integers(1, 3),
        fingerprint=st.sampled_from("abcdefgh"),
        signature=st.sampled_from("xyz"),
        tokens_sha256=st.just("0"),
        verified=st.booleans(),
        clipped=st.booleans(),
    ),
    unique_by=lambda i: i.key,
    max_size=40,
)
policies = st.builds(
    CurationPolicy,
    per_task=st.integers(1, 3),
    total=st.integers(1, 12),
    human_share=st.sampled_from([0.0, 0.2, 0.5]),
    min_human_draws=st.sampled_from([0, 10]),
    seed=st.integers(0, 3),
)


@settings(max_examples=150, deadline=None)
@given(items, policies, st.sets(st.sampled_from("abcdefgh"), max_size=3), st.randoms())
def test_what_holds_for_every_dataset(given_items, policy, heldout, random) -> None:  # type: ignore[no-untyped-def]
    manifest = curate(given_items, policy, heldout)
    shuffled = list(given_items)
    random.shuffle(shuffled)
    assert curate(shuffled, policy, heldout).digest == manifest.digest
    kept = {e.key for e in manifest.entries}
    assert kept | set(reasons(manifest)) == {i.key for i in given_items}
    assert len(manifest.entries) + len(manifest.dropped) == len(given_items)
    assert not any(e.fingerprint in heldout for e in manifest.entries)
    assert {d.key for d in manifest.contaminated} == {
        i.key for i in given_items if i.fingerprint in heldout
    }
    own = [e for e in manifest.entries if e.source == "own"]
    assert len(own) <= policy.total
    assert all(n <= policy.per_task for n in Counter(e.fingerprint for e in own).values())
    by_key = {i.key: i for i in given_items}
    assert all(by_key[k].verified and not by_key[k].clipped for k in kept)
    pairs = [(by_key[k].fingerprint, by_key[k].signature) for k in kept]
    assert len(set(pairs)) == len(pairs)
    assert all(0 < e.weight <= policy.max_draws for e in manifest.entries)
    assert json.loads(json.dumps(manifest.as_json()))["policy"]["seed"] == policy.seed


def test_every_reason_is_recorded() -> None:
    given_items = [
        item("a", fingerprint="task", signature="1"),
        item("b", fingerprint="task", signature="1"),
        item("c", fingerprint="task", signature="2"),
        item("d", verified=False),
        item("e", clipped=True),
        item("f", fingerprint="sealed"),
        item("g"),
        item("h", source="human"),
    ]
    policy = CurationPolicy(per_task=1, total=1, human_share=0.0)
    found = Counter(reasons(curate(given_items, policy, {"sealed"})).values())
    assert found[NOT_VERIFIED] == found[CLIPPED] == found[CONTAMINATED] == found[TOTAL] == 1
    assert found[NO_SHARE] == 1
    assert found[DUPLICATE] + found[PER_TASK] == 2


def test_people_get_their_declared_share_of_the_draws_at_each_level() -> None:
    own = [item(f"o{i}", level=1 + i % 2) for i in range(80)]
    human = [item(f"h{i}", source="human", level=1 + i % 2) for i in range(10)]
    manifest = curate(own + human, CurationPolicy(human_share=0.2, share_by_level={2: 0.5}))
    for level, share in ((1, 0.2), (2, 0.5)):
        draws = Counter[str]()
        for entry in manifest.entries:
            if entry.level == level:
                draws[entry.source] += entry.weight  # type: ignore[assignment]
        assert draws["human"] / draws.total() == pytest.approx(share)
    assert manifest.human_share + manifest.self_generated_share == pytest.approx(1)


def test_a_level_known_from_people_alone_is_drawn_as_often_as_asked() -> None:
    own = [item(f"o{i}") for i in range(40)]
    human = [item(f"h{i}", source="human", level=2) for i in range(8)]
    manifest = curate(own + human, CurationPolicy(min_human_draws=32))
    assert sum(e.weight for e in manifest.entries if e.level == 2) == pytest.approx(32)


def test_the_total_leaves_as_many_different_tasks_as_it_can() -> None:
    given_items = [
        item(f"{task}{i}", fingerprint=task) for task in ("p", "q", "r", "s") for i in range(3)
    ]
    manifest = curate(given_items, CurationPolicy(per_task=3, total=4))
    assert {e.fingerprint for e in manifest.entries} == {"p", "q", "r", "s"}


def test_it_refuses_two_items_with_one_key() -> None:
    with pytest.raises(ValueError, match="'a' more than once"):
        curate([item("a"), item("a")], CurationPolicy())
