"""Figures and foreign text as words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from reviews import wording

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link", "link"),
        ("a\x9b2Jb", "ab"),
        ("price\u202ecup", "pricecup"),
        ("a\u2066b\u2069c", "abc"),
        ("a\u200bb\ufeffc", "abc"),
        ("a\U000e0041b", "ab"),
        ("a\x00b\x08c\x7f", "abc"),
        ("one\r\ntwo\rthree\tfour", "one\ntwo\nthree\tfour"),
        ("שלום עולם", "שלום עולם"),
    ],
)
def test_plain_text_keeps_words_and_drops_what_steers(hostile: str, harmless: str) -> None:
    assert wording.plain(hostile) == harmless


@given(st.text())
def test_plain_text_never_keeps_an_escape_or_an_override(text: str) -> None:
    assert not set(wording.plain(text)) & set("\x00\x07\x08\x1b\x9b\u202a\u202e\u2066\u2069")


@given(st.text())
def test_plain_text_is_plain_already(text: str) -> None:
    assert wording.plain(wording.plain(text)) == wording.plain(text)


def test_the_filter_escapes_too() -> None:
    template = Template("{% load pawl %}{{ text|plain }}")
    assert template.render(Context({"text": "<b>\x1b[1m&"})) == "&lt;b&gt;&amp;"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0.84, "0.8 s"),
        (42, "42 s"),
        (185, "3 min 05 s"),
        (7_800, "2 h 10 min"),
        (400_000, "4 days"),
    ],
)
def test_durations_in_their_largest_units(seconds: float | None, words: str) -> None:
    assert wording.duration(seconds) == words


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=50), "1 min ago"),
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(hours=30), "30 h ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=90), "3 months ago"),
        (timedelta(minutes=-5), "in 5 min"),
    ],
)
def test_moments_relative_to_now(gap: timedelta, words: str) -> None:
    assert wording.ago(NOW - gap, NOW) == words


@pytest.mark.parametrize(
    ("difference", "words"), [(0.613, "+61.3"), (-0.02, "−2.0"), (-0.0001, "0.0")]
)
def test_points_carry_their_sign(difference: float, words: str) -> None:
    assert wording.signed_points(difference) == words


@pytest.mark.parametrize(
    ("low", "high", "tone"), [(0.1, 0.3, "up"), (-0.1, 0.3, "flat"), (-0.3, -0.1, "down")]
)
def test_a_difference_is_grey_where_its_interval_spans_zero(
    low: float, high: float, tone: str
) -> None:
    template = Template("{% load pawl %}{% points d low high %}")
    text = template.render(Context({"d": (low + high) / 2, "low": low, "high": high}))
    assert f'class="delta {tone}"' in text


def test_json_that_fits_in_a_line_stays_in_one() -> None:
    cases = [{"args": [number], "expected": "x" * 40} for number in range(3)]
    lines = wording.folded_json({"cases": cases, "total": 3}).splitlines()
    assert lines[1] == '  "cases": ['
    assert lines[2] == '    {"args": [0], "expected": "' + "x" * 40 + '"},'
    assert lines[-2:] == ['  "total": 3', "}"]


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=100)
TREES = st.recursive(LEAVES, lambda t: st.lists(t) | st.dictionaries(st.text(), t), max_leaves=30)


@given(TREES)
def test_json_written_for_people_is_still_the_same_json(value: object) -> None:
    assert json.loads(wording.folded_json(value)) == value
