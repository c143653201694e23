"""The demo agent's world: a shop's till.

A customer's wish ("3 lamps and 2 rugs") must be answered with the right total, found through
`price NAME`, `calc EXPRESSION` and `answer NUMBER`, one command a turn. The level of a task is
the number of different items in the wish.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from improvement.agent.calculator import CannotCalculate, calculate
from improvement.records import (
    Demonstration,
    Message,
    Observation,
    Sampling,
    Split,
    TaskRecord,
    digest_of,
)

ITEMS = tuple(
    """
    apron axe bag ball basket bell belt bench boot bottle bowl box brick broom brush bucket
    candle cap chair clock coat comb cork crate cup desk drum fan fork frame glove gong
    hammer hat helmet hook jar jug kettle key kite ladder lamp lantern lock map mask mirror
    mop mug nail needle net oar pan pen pillow pin pipe plank plate plug pot purse rake ring
    robe rope rug saddle sail saw scarf shirt shoe shovel sock spoon stool table tent thread
    tile towel tray vase vest violin wagon wheel whistle wig yoyo
    """.split()  # noqa: SIM905
)
SYSTEM_PROMPT = (
    "You work at the till. Each turn, write exactly one command: "
    "price NAME, calc EXPRESSION, or answer NUMBER."
)
# Shares of the fingerprint space: 60 % train, 10 % dev, 30 % held-out.
_SPLITS: tuple[tuple[int, Split], ...] = ((60, "train"), (70, "dev"), (100, "heldout"))


def plural(name: str) -> str:
    """The word for several of them: box → boxes, lamp → lamps."""
    return name + ("es" if name.endswith(("x", "s", "sh", "ch")) else "s")


def wish_of(order: Sequence[tuple[str, int]]) -> str:
    """The customer's words for [(item, quantity), …]."""
    parts = [f"{quantity} {plural(name)}" for name, quantity in order]
    return "customer wants " + (
        parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    )


def fingerprint_of(order: Sequence[tuple[str, int]], prices: Mapping[str, int]) -> str:
    """Equal for the same items, quantities and prices, in whatever order they are asked for."""
    return digest_of(sorted([name, quantity, prices[name]] for name, quantity in order))


def split_of(fingerprint: str) -> Split:
    """The one split that a fingerprint belongs to, for ever and on every machine."""
    bucket = int(fingerprint[:8], 16) % 100
    return next(split for bound, split in _SPLITS if bucket < bound)


class TillEpisode:
    """One customer at the till."""

    def __init__(self, prices: Mapping[str, int]) -> None:
        self._prices = prices
        self._names = {plural(name): name for name in prices} | {name: name for name in prices}
        self._answered = ""

    def act(self, text: str) -> Observation:
        lines = text.strip().splitlines()
        command, _, rest = (lines[0] if lines else "").strip().partition(" ")
        rest = rest.strip()
        match command.lower():
            case "price":
                return self._price(rest)
            case "calc":
                return self._calc(rest)
            case "answer":
                return self._answer(rest)
        return Observation(error="write price NAME, calc EXPRESSION or answer NUMBER")

    def goal_state(self) -> str:
        return self._answered

    def _price(self, name: str) -> Observation:
        known = self._names.get(name.lower().strip("."))
        if known is None:
            return Observation("price", name, error=f"the shop has no {name[:40]}")
        return Observation("price", name, result=f"it costs {self._prices[known]}")

    def _calc(self, expression: str) -> Observation:
        try:
            return Observation("calc", expression, result=calculate(expression))
        except CannotCalculate as refusal:
            return Observation("calc", expression, error=str(refusal))

    def _answer(self, number: str) -> Observation:
        try:
            self._answered = calculate(number.strip("$. "))
        except CannotCalculate as refusal:
            return Observation("answer", number, error=str(refusal))
        return Observation("answer", number, result="thank you", done=True)


class Till:
    """The shop: tasks from a seed, the price list inside, demonstrations by hand."""

    name = "till"
    tools = ("price", "calc", "answer")
    families = {1: "one item", 2: "two items", 3: "three items"}
    max_turns = 6  # three items take five turns; one is to spare for a mistake
    system_prompt = SYSTEM_PROMPT
    decoding = Sampling()

    @property
    def worked_examples(self) -> tuple[Message, ...]:
        """Four customers served right, as messages; none of them is a task."""
        return tuple(message for d in self._written()[:4] for message in d.messages)

    def demonstrations(self) -> Sequence[Demonstration]:
        return self._written()[4:]

    def generate(self, seed: int, level: int) -> TaskRecord:
        if level not in self.families:
            raise ValueError(f"the till has levels {list(self.families)}, not {level}")
        dice = random.Random(f"till:{level}:{seed}")  # noqa: S311  tasks, not secrets
        names = dice.sample(ITEMS, level)
        order = [(name, dice.randint(2, 9)) for name in names]
        prices = {name: dice.randint(2, 49) for name in ITEMS}
        fingerprint = fingerprint_of(order, prices)
        total = sum(quantity * prices[name] for name, quantity in order)
        return TaskRecord(
            key=f"till-{level}-{fingerprint[:16]}",
            family=self.families[level],
            level=level,
            split=split_of(fingerprint),
            prompt=wish_of(order),
            reference={"prices": prices, "answer": str(total)},
            fingerprint=fingerprint,
        )

    def start(self, task: TaskRecord) -> TillEpisode:
        return TillEpisode(task.reference["prices"])

    def _written(self) -> list[Demonstration]:
        rows = json.loads(Path(__file__).with_name("till_demonstrations.json").read_text())
        return [_demonstration(row) for row in rows]


def _demonstration(row: Mapping[str, object]) -> Demonstration:
    order = [(str(n), int(q)) for n, q in row["order"]]  # type: ignore[attr-defined]
    turns = [Message(role, text) for role, text in row["turns"]]  # type: ignore[attr-defined]
    fingerprint = fingerprint_of(order, dict(row["prices"]))  # type: ignore[call-overload]
    return Demonstration(
        key=str(row["key"]),
        family=Till.families[len(order)],
        level=len(order),
        messages=(Message("user", wish_of(order)), *turns),
        fingerprint=fingerprint,
    )
