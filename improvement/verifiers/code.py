"""The program in a model's text. Text work only: nothing here parses or compiles, since the
text is hostile and a parser in this process could be made to crash or to eat its memory.

How the program is found:
1. Fenced blocks (``` or ~~~, closed or cut off). Blocks of another language are left out. The last
   block that defines the entry point is it, with those earlier blocks before it that define
   names which it uses. Where none defines it, all of them are joined.
2. No fence: the text itself, without lines of prose before the code and after the function.
3. With a prompt (HumanEval), what defines the entry point comes after the whole prompt, so that
   its imports and helpers stay; anything else continues the prompt's function.
"""

from __future__ import annotations

import re
import textwrap

MOST_CHARACTERS = 200_000
PYTHON = {"", "python", "py", "python3", "ipython"}

_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*([\w+.#-]*)[^`\n]*$")
_DEFINES = re.compile(
    r"^(?:(?:async[ ]+)?def|class)[ ]+(\w+)|^(\w+)[ ]*(?::[^=\n]{1,100})?=(?!=)"
    r"|^import[ ]+(.+)|^from[ ]+[\w.]+[ ]+import[ ]+(.+)",
    re.MULTILINE,
)
_FUTURE = re.compile(r"^from __future__ import [\w, ]+$", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_]\w*")
_LIST_ITEM = re.compile(r"^(?:[-*>] |\d+[.)] |\*\*)")
_SENTENCE = re.compile(r"^[A-Z][\w'’]*[,!:]?(?: |$)(?!=|\+=|-=|:=)")
_GOES_ON = re.compile(r"(?:def|class|async def|import|from)\b|[@#)\]}]")


class NoProgram(ValueError):
    """The text holds no program that could be run; the message says why."""


def program(text: str, entry: str, prompt: str = "") -> str:
    """The source of the program in `text` that defines `entry`, after `prompt` where one is given.

    NoProgram when the text is empty or longer than MOST_CHARACTERS.
    """
    if len(text) > MOST_CHARACTERS:
        size = f"{len(text):,}"
        raise NoProgram(f"the answer has {size} characters; {MOST_CHARACTERS:,} are read as code")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise NoProgram("the answer is empty")
    blocks = fenced(text)
    found = _choose(blocks, entry) if blocks else _without_chatter(text, entry)
    if not found.strip():
        raise NoProgram("there is no code between the fences of the answer")
    if not prompt:
        return joined(found)
    return after(prompt, found) if defines(found, entry) else continued(prompt, found)


def fenced(text: str) -> list[str]:
    """The Python blocks between fences, in order; the last one may lack its closing fence."""
    blocks: list[str] = []
    lines: list[str] = []
    opened: re.Match[str] | None = None
    for line in text.split("\n"):
        fence = _FENCE.match(line) if len(line) <= 200 else None
        if opened is None:
            opened, lines = fence, []
        elif fence and not fence[3] and fence[2].startswith(opened[2]):
            blocks += _block(opened, lines)
            opened = None
        else:
            lines.append(line.removeprefix(opened[1]))
    return blocks + (_block(opened, lines) if opened else [])


def defines(source: str, name: str) -> bool:
    """Whether a line at the margin defines `name`."""
    return name in names(source)


def names(source: str) -> set[str]:
    """The names that lines at the margin define: functions, classes, assignments, imports."""
    found: set[str] = set()
    for match in _DEFINES.finditer(source):
        imported = match[3] or match[4]
        found.update(_imported(imported) if imported else [match[1] or match[2]])
    return found


def joined(*sources: str) -> str:
    """The sources one after the other, what they import from `__future__` first, as Python asks."""
    whole = "\n".join(source.strip("\n") + "\n" for source in sources if source.strip())
    future = _FUTURE.findall(whole)
    return "".join(f"{line}\n" for line in future) + (_FUTURE.sub("", whole) if future else whole)


def after(prompt: str, source: str) -> str:
    """`source` after the whole prompt, whose last function is closed first."""
    return joined(f"{prompt.rstrip()}\n{_body_indent(prompt)}pass\n", source)


def continued(prompt: str, body: str) -> str:
    """`body` as the continuation of the prompt's last function, its margin repaired where the
    model dropped it; what follows the function is kept while it is code."""
    lines = body.strip("\n").split("\n")
    indent = _body_indent(prompt)
    if lines[0][:1] not in (" ", "\t"):
        lines = _indented(lines, indent)
    end = next((i for i, line in enumerate(lines) if i and _stops(line)), len(lines))
    return f"{prompt.rstrip()}\n" + "\n".join(lines[:end]) + "\n"


def _block(opened: re.Match[str], lines: list[str]) -> list[str]:
    return ["\n".join(lines) + "\n"] if opened[3].lower() in PYTHON else []


def _choose(blocks: list[str], entry: str) -> str:
    last = next((i for i, b in reversed(list(enumerate(blocks))) if defines(b, entry)), None)
    if last is None:
        return "\n".join(blocks)
    kept = [blocks[last]]
    wanted, made = set(_WORD.findall(kept[0])), names(kept[0])
    for block in reversed(blocks[:last]):
        makes = names(block)
        if entry not in makes and makes & (wanted - made):
            kept.append(block)
            wanted.update(_WORD.findall(block))
            made |= makes
    return "\n".join(reversed(kept))


def _imported(clause: str) -> list[str]:
    """The names that an import clause binds: "a.b as c, d" binds c and d."""
    parts = (part.strip("() \t").split(" as ")[-1] for part in clause.split(","))
    return [part.strip().split(".")[0] for part in parts if part]


def _without_chatter(text: str, entry: str) -> str:
    lines = text.strip("\n").split("\n")
    start = next((i for i, line in enumerate(lines) if line.strip() and not _prose(line)), 0)
    lines = lines[start:]
    defined = next((i for i, line in enumerate(lines) if defines(line, entry)), len(lines))
    after_it = range(defined + 1, len(lines))
    end = next((i for i in after_it if _prose(lines[i])), len(lines))
    return "\n".join(lines[:end]) + "\n"


def _prose(line: str) -> bool:
    """Whether a line at the margin clearly is a sentence or a list item and no code."""
    if _LIST_ITEM.match(line):
        return True
    return bool(_SENTENCE.match(line)) and line.count(" ") >= 2 and not names(line)


def _stops(line: str) -> bool:
    """Whether a line after a continuation is no part of it: at the margin, and not a definition."""
    return bool(line.strip()) and line[0] not in " \t" and not _GOES_ON.match(line)


def _body_indent(prompt: str) -> str:
    """The margin of the body of the prompt's last function."""
    lines = prompt.rstrip().split("\n")
    head = max((i for i, x in enumerate(lines) if re.match(r"[ \t]*(async )?def ", x)), default=0)
    outer = lines[head][: len(lines[head]) - len(lines[head].lstrip())]
    ends = next((i for i in range(head, len(lines)) if lines[i].rstrip().endswith(":")), head)
    first = next((x for x in lines[ends + 1 :] if x.strip()), "")
    margin = first[: len(first) - len(first.lstrip())]
    return margin if len(margin) > len(outer) else outer + "    "


def _indented(lines: list[str], indent: str) -> list[str]:
    """A body that lost its margin: in its first line only, or everywhere."""
    rest = [line for line in lines[1:] if line.strip()]
    margins = [len(line) - len(line.lstrip()) for line in rest]
    opens = lines[0].rstrip().endswith(":")
    first_only = bool(margins) and min(margins) >= len(indent)
    if first_only and opens:
        first_only = margins[0] > len(indent)
    if first_only:
        return [indent + lines[0], *lines[1:]]
    return textwrap.indent("\n".join(lines), indent).split("\n")
