"""What changed: the candidate's bundle beside the champion's, field by field."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from improvement.models import Candidate
from improvement.records import Bundle, Message

Line = tuple[str, str]
"""("same" | "added" | "removed", text)"""


@dataclass(frozen=True, slots=True)
class Change:
    """One part of the bundle that differs. `lines` is a diff, where the part is a text."""

    label: str
    before: str
    after: str
    lines: Sequence[Line] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """All that differs, and the names of the parts that don't. `against` is None for the first
    candidate of an agent: it has nothing to differ from."""

    against: Candidate | None
    changed: Sequence[Change]
    same: Sequence[str]

    @property
    def sentence(self) -> str:
        """For example "a new adapter; worked examples dropped"."""
        if self.against is None:
            return "This is the first candidate: there is nothing to compare it with."
        if not self.changed:
            return f"Nothing: it is the same bundle as {self.against}."
        return "; ".join(_words(change) for change in self.changed)


def changes(candidate: Candidate, against: Candidate | None) -> Changes:
    """The differences between two bundles, in the order in which they matter."""
    if against is None:
        return Changes(None, (), ())
    old, new = against.as_bundle(), candidate.as_bundle()
    parts = [
        ("Adapter", _adapter(old), _adapter(new)),
        ("Base model", old.base_model, new.base_model),
        ("System prompt", old.system_prompt, new.system_prompt),
        ("Worked examples", _examples(old), _examples(new)),
        ("Tools", ", ".join(old.tools) or "none", ", ".join(new.tools) or "none"),
        ("Memory", _memory(old), _memory(new)),
        ("Decoding", _decoding(old), _decoding(new)),
    ]
    texts = {
        "System prompt": diff(old.system_prompt, new.system_prompt),
        "Worked examples": diff(transcript(old.worked_examples), transcript(new.worked_examples)),
        "Memory": diff("\n".join(old.memory), "\n".join(new.memory)),
    }
    changed = [
        Change(label, before, after, texts.get(label, ()))
        for label, before, after in parts
        if before != after or any(kind != "same" for kind, _ in texts.get(label, ()))
    ]
    labels = {change.label for change in changed}
    return Changes(against, changed, [label for label, *_ in parts if label not in labels])


def diff(old: str, new: str) -> list[Line]:
    """Every line of both texts, marked. Not a patch: nothing is left out."""
    kinds = {"  ": "same", "+ ": "added", "- ": "removed"}
    lines = difflib.ndiff(old.splitlines(), new.splitlines())
    return [(kinds[line[:2]], line[2:]) for line in lines if line[:2] in kinds]


def transcript(messages: Sequence[Message]) -> str:
    return "\n".join(f"{m.role}: {m.content.strip()}" for m in messages)


def _adapter(bundle: Bundle) -> str:
    return bundle.adapter[:12] or "none"


def _examples(bundle: Bundle) -> str:
    asked = sum(message.role == "user" for message in bundle.worked_examples)
    count = len(bundle.worked_examples)
    return f"{count} messages, {asked} from the user" if count else "none"


def _memory(bundle: Bundle) -> str:
    return f"{len(bundle.memory)} entries" if bundle.memory else "none"


def _decoding(bundle: Bundle) -> str:
    decoding = asdict(bundle.decoding)
    decoding["stop"] = list(decoding["stop"])
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in decoding.items())


def _words(change: Change) -> str:
    name = change.label.lower()
    if change.after == "none":
        return f"{name} dropped"
    return f"a new {name}" if change.label == "Adapter" else f"{name} changed"
