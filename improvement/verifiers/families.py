"""What is known of the families of reasoning-gym 0.1.25: which are refused, and what the scorers
of the others may be given. Every family was tried with empty, junk, hedged and borrowed answers;
PAWL_FAULTS=large tries all of them again in tests/loop/test_generate_tasks.py."""

from __future__ import annotations

import re
from collections.abc import Mapping

REFUSED: Mapping[str, str] = {
    "coin_flip": "its scorer gives full marks to wrong probabilities",
    "complex_arithmetic": "its scorer gives full marks to “nan”",
    "composite": "it mixes families, is not repeatable, and can't be scored by family",
    "game_of_life_halting": "its scorer gives full marks to any text where the answer is True",
    "gsm_symbolic": "its scorer overlooks the sign and reads only the first number",
    "propositional_logic": "its scorer gives full marks to a premise that is repeated",
    "puzzle24": "its scorer gives full marks to sums over other numbers",
}

# Scorers that evaluate the answer as Python. Only text in which nothing can be called but
# mathematics, no attribute be reached and no text be quoted gets to them. Four of them evaluate
# only for partial credit, which passes nothing here, so that they need the plain form alone.
PLAIN: Mapping[str, re.Pattern[str]] = {
    "binary_matrix": re.compile(r"[\d\s-]{1,20000}"),
    "countdown": re.compile(r"[\d\s.+*/()-]{1,600}"),
    "intermediate_integration": re.compile(r"[\da-zA-Z\s.+*/^()-]{1,600}"),
    "n_queens": re.compile(r"[Q_\s]{1,2000}"),
    "polynomial_multiplication": re.compile(r"[\da-zA-Z\s.+*/^()-]{1,3000}"),
    "simple_integration": re.compile(r"[\da-zA-Z\s.+*/^()-]{1,600}"),
    "spiral_matrix": re.compile(r"[\d\s-]{1,200000}"),
    "string_insertion": re.compile(r"[A-Z]{1,2000}"),
}
WORD = re.compile(r"[a-zA-Z]{2,}")
WORDS = frozenset("sin cos tan exp log ln sqrt asin acos atan sinh cosh tanh pi".split())  # noqa: SIM905
DOT = re.compile(r"(?<!\d)\.|\.(?!\d)")  # not inside a number

# Scorers that read the first answer and overlook what follows: nothing may follow.
FIRST_ONLY = frozenset(
    {"fraction_simplification", "letter_jumble", "spell_backward", "time_intervals", "word_sorting"}
)


def unfit(family: str, answer: str, gold: str | None) -> str:
    """Why an answer is not given to the family's scorer, and so fails; "" where it is."""
    plain = PLAIN.get(family)
    if plain and answer.strip() and not _is_plain(plain, answer.strip()):
        return "the answer is not in the plain form that is asked for"
    if family in FIRST_ONLY and gold and len(answer.split()) > len(gold.split()):
        return "the answer says more than was asked"
    return ""


def _is_plain(plain: re.Pattern[str], answer: str) -> bool:
    """Only those characters, points in numbers alone, and no word but those of mathematics."""
    if not answer.isascii() or not plain.fullmatch(answer) or DOT.search(answer):
        return False
    named = "a-z" in plain.pattern
    return not named or all(word in WORDS for word in WORD.findall(answer))
