"""Deciding, before anything parses it, whether a text is mathematics that may be parsed.

The parsers behind the `math` verifier end in libraries that can evaluate text, so what goes in is
held to a small alphabet: ASCII letters, digits, LaTeX commands, operators and brackets. No quotes,
no double underscore, nothing that reads like an attribute, at most 1,000 characters.
"""

from __future__ import annotations

import re

LONGEST = 1_000
MOST_BRACKETS = 60

_SIGNS = {
    "−": "-", "×": "\\times ", "·": "\\cdot ", "⋅": "\\cdot ", "÷": "/", "≤": "\\leq ",
    "≥": "\\geq ", "≠": "\\neq ", "π": "\\pi ", "∞": "\\infty ", "∪": "\\cup ", "∩": "\\cap ",
    "∈": "\\in ", "°": "^\\circ ", "\u00a0": " ", "\u202f": " ", "\u2009": " ",
}  # fmt: skip
_TABLE = str.maketrans(_SIGNS)
_ALPHABET = re.compile(r"[A-Za-z0-9 \t\r\n+\-*/^_=<>()\[\]{}|,.:;!%&$\\]*")
_ATTRIBUTE = re.compile(r"[A-Za-z_)\]}]\s*\.\s*[A-Za-z_]|__")
_PYTHON = re.compile(
    r"(?<![\\A-Za-z])(?:import|exec|eval|lambda|getattr|setattr|globals|locals|compile)(?![A-Za-z])"
)
_DROPPED = re.compile(  # what the parsers behind would leave out without a word
    r"[0-9]\s*_|\\(?:approx|sim|[lcd]?dots)(?![A-Za-z])"
    r"|\\(?:text|textbf|mathrm|mbox)\{[^{}]*(?:[0-9\\]|\b(?:or|and|not)\b)"
)
_DOLLAR = re.compile(r"(?<!\\)(?<!^)\$|^\$(?![0-9])")
_APART = re.compile(r"[0-9.]\s+[0-9]")
_FUNCTIONS = "sin cos tan cot sec csc arcsin arccos arctan log ln exp pi theta alpha beta gamma"
_BARE = re.compile(rf"(?<![\\A-Za-z])({'|'.join(_FUNCTIONS.split())})(?![A-Za-z])")
_SCIENTIFIC = re.compile(r"(?<![A-Za-z\\])([0-9.]+)[eE]([+-]?[0-9]{1,4})(?![0-9A-Za-z])")
_DELIMITERS = (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"))
_WORDS = re.compile(r"\\(?:text|textbf|mathrm|mbox)\{([^{}\\]*)\}|([A-Za-z]{3,}(?:[ -][A-Za-z]+)*)")


class NotMathematics(ValueError):
    """The text is not read as mathematics; the message says why."""


def expression(text: str) -> str:
    """The text as LaTeX of the small alphabet; NotMathematics says why it is refused."""
    plain = _undelimited(text.strip()).translate(_TABLE).strip()
    plain = plain.removesuffix(".").rstrip()
    if not plain:
        raise NotMathematics("it is empty")
    if len(plain) > LONGEST:
        raise NotMathematics(f"it has {len(plain):,} characters and {LONGEST:,} are read")
    if not _ALPHABET.fullmatch(plain):
        odd = next(c for c in plain if not _ALPHABET.fullmatch(c))
        raise NotMathematics(f"it holds the character {odd!a}")
    if _ATTRIBUTE.search(plain) or _PYTHON.search(plain):
        raise NotMathematics("it reads like a program")
    if _APART.search(plain):
        raise NotMathematics("it holds several numbers side by side")
    if _DROPPED.search(plain):
        raise NotMathematics("it holds more than one value, or an approximation")
    if _DOLLAR.search(plain) or plain.endswith("\\"):
        raise NotMathematics("it holds several formulas or a stray mark")
    if sum(map(plain.count, "([{")) > MOST_BRACKETS:
        raise NotMathematics(f"it has more than {MOST_BRACKETS} brackets")
    plain = _SCIENTIFIC.sub(r"\1\\times 10^{\2}", plain.replace("**", "^"))
    return _BARE.sub(r"\\\1", plain)


def words(text: str) -> str | None:
    """The words of an answer that is words ("east", "\\text{No solution}"), alike in any case;
    None for mathematics. A parser would read words as a product of letters."""
    found = _WORDS.fullmatch(_undelimited(text.strip()).removesuffix(".").strip())
    if not found or _BARE.fullmatch(text.strip()):
        return None
    said = found[1] if found[1] is not None else found[2]
    return " ".join(said.casefold().split()) or None


def repeats(answer: str, gold: str, prompt: str) -> bool:
    """Whether the answer is a calculation that stands in the question already, in other words
    than the reference: "2+3" is equal to 5, and still no answer to "What is 2+3?"."""
    said, asked = _bare(answer), _bare(prompt)
    is_calculation = len(said) > 2 and re.search(r"[0-9a-z)][+\-*/^]|\\", said)
    return bool(is_calculation) and said in asked and said != _bare(gold)


def _bare(text: str) -> str:
    """Without spaces, braces and the marks around formulas."""
    return re.sub(r"[\s${}]|\\[()\[\]]", "", text.translate(_TABLE)).casefold()


def _undelimited(text: str) -> str:
    for begin, end in _DELIMITERS:
        inner = text[len(begin) : len(text) - len(end)]
        if text.startswith(begin) and text.endswith(end) and inner.strip() and begin not in inner:
            return inner.strip()
    return text
