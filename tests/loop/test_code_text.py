"""Finding the program in a model's text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improvement.verifiers.code import MOST_CHARACTERS, NoProgram, fenced, program

F = "def f(x):\n    return x + 1\n"
PROMPT = 'import math\n\ndef helper(x):\n    return x\n\ndef f(x):\n    """Adds one."""\n'
BODY = "    y = x + 1\n    return y\n"


def value(source: str, name: str = "f", *args: object) -> object:
    """What our own, harmless test text computes: shows that the program is whole."""
    space: dict[str, object] = {}
    exec(source, space)
    return space[name](*args)  # type: ignore[operator]


@pytest.mark.parametrize(
    "text",
    [
        F,
        f"```python\n{F}```",
        f"```\n{F}```",
        f"~~~py\n{F}~~~",
        f"Here you are:\n\n````python\n{F}````\n\nIt adds one.",
        f"```python\n{F}",
        f"```Python\r\n{F}```\r\nDone.".replace("\n", "\r\n"),
        "1. First:\n   ```python\n   def f(x):\n       return x + 1\n   ```\n",
        f"Sure! Here is the function:\n\n{F}\nThis function adds one to x.",
        f"\ufeff{F}",
        f"```bash\npip install x\n```\n```python\n{F}```\n```text\n2\n```",
        f"```python\ndef f(x):\n    return x\n```\nOops, better:\n```python\n{F}```",
        f"```python\n{F}```\nTry it:\n```python\nprint(f(1), 1 / 0)\n```",
        f"MOST: int = 5\n{F}- adds one\n- returns it",
        "from __future__ import annotations\n" + F,
        "f = lambda x: x + 1",
    ],
)
def test_the_function_is_found(text: str) -> None:
    assert value(program(text, "f"), "f", 1) == 2


def test_helpers_in_earlier_blocks_are_kept() -> None:
    text = "```python\nimport math\n```\n```python\ndef g(x):\n    return math.floor(x)\n```\n"
    text += "```python\nprint(1 / 0)\n```\n```\ndef f(x):\n    return g(x)\n```"
    found = program(text, "f")
    assert value(found, "f", 1.5) == 1
    assert "1 / 0" not in found


def test_blocks_that_define_nothing_asked_for_are_joined() -> None:
    assert program("```\na = 1\n```\n```\nb = 2\n```", "f") == "a = 1\n\nb = 2\n"


@pytest.mark.parametrize(
    "completion",
    [
        BODY,
        BODY.removeprefix("    "),
        "y = x + 1\nreturn y",
        "if x:\n        x += 1\n    return x",
        "if x:\n    x += 1\nreturn x",
        f"```python\n{BODY}```",
        f"```python\n{F}```",
        F,
        f"Here it is:\n\n{F}",
        BODY + "\nprint(f(1) / 0)\n",
        BODY + "\nThis adds one.\n",
        BODY + "\ndef other(",
        "from __future__ import annotations\n" + F,
    ],
)
def test_a_completion_continues_or_redefines_the_prompts_function(completion: str) -> None:
    source = program(completion, "f", PROMPT)
    if not completion.endswith("other("):
        assert value(source, "f", 1) == 2
        assert value(source, "helper", 3) == 3
    else:
        assert "def other(" in source


def test_a_prompt_without_a_docstring_is_closed_before_a_redefinition() -> None:
    assert value(program(F, "f", "def f(\n    x: int,\n) -> int:\n"), "f", 1) == 2
    assert value(program(F, "f", "def f(x):\n  '''two blanks'''\n"), "f", 1) == 2


@pytest.mark.parametrize("text", ["", " \n\n", "x" * (MOST_CHARACTERS + 1)])
def test_no_program_is_said_so(text: str) -> None:
    with pytest.raises(NoProgram):
        program(text, "f")


@given(st.text(alphabet="`~ \n\tabdef():=.#*-\ufeff\x00\udc80\"'A1", max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_a_program_or_a_reason(text: str) -> None:
    for prompt in ("", PROMPT):
        try:
            assert program(text, "f", prompt).endswith("\n")
        except NoProgram:
            assert not text.removeprefix("\ufeff").strip() or not "".join(fenced(text)).strip()
    assert all(block.endswith("\n") for block in fenced(text))


@pytest.mark.parametrize(
    "text",
    ["```a\n" * 40_000, "~~~\na\n~~~\n" * 9_000, "A " * 90_000, "f: " * 60_000, "from " * 40_000],
)
def test_hostile_lengths_are_read(text: str) -> None:
    assert program(text, "f")
