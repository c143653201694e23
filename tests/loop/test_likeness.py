"""How alike two prompts are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improvement.ingest.likeness import LIKE, band_keys, estimate, shingles, signature

CLIPS = (
    "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in "
    "May. How many clips did Natalia sell altogether in April and May?"
)


def alike(one: str, other: str) -> float:
    return float(estimate(signature(one), signature(other)[None])[0])


def exact(one: str, other: str) -> float:
    a, b = set(shingles(one).tolist()), set(shingles(other).tolist())
    return len(a & b) / len(a | b)


@pytest.mark.parametrize(
    "other",
    [
        CLIPS.upper(),
        CLIPS.replace(",", " –").replace("?", "!!"),
        CLIPS.replace(" ", "\n  "),
        CLIPS.replace("48", "50"),
        CLIPS.replace("friends", "pals"),
        f"Question: {CLIPS}",
        CLIPS.replace("A", "Ａ"),
    ],
)
def test_near_duplicates_are_alike(other: str) -> None:
    assert alike(CLIPS, other) >= LIKE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 12 + 345?", "What is 12 + 346?"),  # another number is another problem
        ("customer wants 3 lamp", "customer wants 4 chair"),
        (CLIPS, "Weng earns $12 an hour for babysitting. Yesterday, she did 50 minutes of it."),
        ("a", "b"),
        ("日", "月"),
    ],
)
def test_other_problems_are_not(one: str, other: str) -> None:
    assert alike(one, other) < LIKE


def test_a_script_without_spaces_is_compared_too() -> None:
    text = "小明有三个苹果，他又买了五个苹果，一共有多少个？请写出你的计算过程和最后的答案。"
    assert alike(text, text.replace("，", " ")) == 1
    assert alike(text, text.replace("五个", "六个")) >= LIKE
    assert alike(text, "今天的天气很好，我们一起去公园散步吧，晚上再去看一场电影。") < LIKE


def test_a_template_with_other_numbers_is_one_problem_when_it_is_long() -> None:
    assert alike(CLIPS, CLIPS.replace("48", "7")) >= LIKE


def test_the_estimate_is_near_the_truth() -> None:
    texts = [CLIPS[n:] + CLIPS[:n] for n in range(0, 120, 10)] + [CLIPS[n:] for n in range(60)]
    errors = [alike(CLIPS, text) - exact(CLIPS, text) for text in texts]
    assert float(np.sqrt(np.mean(np.square(errors)))) < 0.06
    assert abs(float(np.mean(errors))) < 0.04


def test_pairs_above_8_share_a_band() -> None:
    words = [f"w{n}" for n in range(400)]
    found = 0
    for start in range(0, 300, 3):
        text = " ".join(words[start : start + 60])
        other = " ".join(words[start + 4 : start + 64])
        found += bool(set(band_keys(signature(text))) & set(band_keys(signature(other))))
    assert exact(" ".join(words[:60]), " ".join(words[4:64])) > 0.8
    assert found >= 98


@settings(deadline=None)
@given(st.text())
def test_any_text_has_a_signature_and_is_like_itself(text: str) -> None:
    found = signature(text)
    assert found.shape == (128,)
    assert found.dtype == np.uint32
    assert alike(text, text) == 1
    keys = band_keys(found)
    assert len(keys) == 16
    assert all(-(2**63) <= key < 2**63 for key in keys)


@settings(deadline=None)
@given(st.text(min_size=1))
def test_case_and_spaces_at_the_ends_do_not_matter(text: str) -> None:
    assert (signature(text) == signature(f"  {text}\n")).all()


def test_a_long_text_is_quick_and_has_few_shingles() -> None:
    assert len(shingles("".join(chr(97 + n * n % 26) for n in range(200_000)))) <= 50_000
