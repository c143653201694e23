"""Runs the model over the new tokens of many conversations, packed into one row.

No token is padded in the matrix products; only the small attention over own tokens is laid out
as a rectangle. Reads are cut into pieces of at most `BUDGET` cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch

from improvement.serving.engine.attention import Group, Prefix
from improvement.serving.engine.kv import Place

BUDGET = 1024  # cells (rows × columns) of one forward pass


@dataclass(slots=True)
class Row:
    """New tokens of one conversation, to be read after what its place holds."""

    tokens: Sequence[int]
    place: Place
    prefix: Prefix | None

    @property
    def _order(self) -> tuple[int, int, int]:
        return (id(self.place.block), id(self.prefix), self.place.slot)


class Runner:
    """The packed forward pass of a transformers decoder. `tokens_read` counts what went in."""

    def __init__(self, model: Any) -> None:
        self.decoder, self.head = model.get_decoder(), model.get_output_embeddings()
        self.device: torch.device = model.device
        self.tokens_read = 0

    def logits(self, rows: Sequence[Row]) -> torch.Tensor:
        """Logits (rows, vocabulary) after each row's last token."""
        lasts: list[torch.Tensor | None] = [None] * len(rows)
        for piece in _pieces(rows):
            for index, hidden in self._forward(piece):
                lasts[index] = hidden
        return self.head(torch.stack([h for h in lasts if h is not None]))

    def _forward(self, piece: list[tuple[int, Row]]) -> list[tuple[int, torch.Tensor]]:
        """The hidden state after each row's last token, by the row's index."""
        piece = sorted(piece, key=lambda item: item[1]._order)
        groups, positions, start = [], [], 0
        for _, members in groupby((row for _, row in piece), key=lambda row: row._order[:2]):
            rows = list(members)
            groups.append(self._group(rows, start))
            start = groups[-1].stop
            positions += [position for row in rows for position in _positions(row)]
        ids = [token for _, row in piece for token in row.tokens]
        output = self.decoder(
            input_ids=torch.tensor([ids], device=self.device),
            position_ids=torch.tensor([positions], device=self.device),
            use_cache=False,
            groups=groups,
        ).last_hidden_state[0]
        self.tokens_read += len(ids)
        lasts, end = [], 0
        for index, row in piece:
            row.place.length += len(row.tokens)
            end += len(row.tokens)
            lasts.append((index, output[end - 1]))
        return lasts

    def _group(self, rows: list[Row], start: int) -> Group:
        counts = [len(row.tokens) for row in rows]
        columns, total = max(counts), sum(counts)
        length = max(row.place.length + len(row.tokens) for row in rows)
        slots = [row.place.slot for row in rows]
        span, dense = slots[-1] + 1, len(rows)
        gather = 3 * dense < span  # copying few rows beats reading many dead ones
        in_order = columns == 1 and (gather or dense == span)
        index = list(range(dense)) if gather or dense == span else slots
        seen = torch.zeros(dense if gather else span, columns, dtype=torch.long)
        for i, row in zip(index, rows, strict=True):
            first = row.place.length
            seen[i, : len(row.tokens)] = torch.arange(first, first + len(row.tokens))

        def cells(values: Iterator[int]) -> torch.Tensor:
            return torch.tensor(list(values), device=self.device)

        hidden = torch.arange(length) > seen.unsqueeze(2)
        return Group(
            start=start,
            stop=start + total,
            prefix=rows[0].prefix,
            block=rows[0].place.block,
            slot=cells(row.place.slot for row in rows for _ in row.tokens),
            position=cells(row.place.length + j for row in rows for j in range(len(row.tokens))),
            row=None
            if in_order
            else cells(i for i, n in zip(index, counts, strict=True) for _ in range(n)),
            column=None if in_order else cells(j for n in counts for j in range(n)),
            rows=torch.tensor(slots, device=self.device) if gather else slice(0, span),
            hidden=hidden.to(self.device),
            length=length,
        )

    def read_prefix(self, prefix: Prefix, done: int) -> None:
        """Compute the keys and values of a prefix whose first `done` tokens are there."""
        place = Place(prefix.block, 0, done)
        while place.length < len(prefix.tokens):
            part = prefix.tokens[place.length : place.length + BUDGET // 2]
            self._forward([(0, Row(part, place, None))])


def _positions(row: Row) -> range:
    first = row.place.length + (len(row.prefix.tokens) if row.prefix else 0)
    return range(first, first + len(row.tokens))


def _pieces(rows: Sequence[Row]) -> Iterator[list[tuple[int, Row]]]:
    """Rows of like length together, long rows cut; each piece at most BUDGET cells."""
    piece: list[tuple[int, Row]] = []
    for index, row in sorted(enumerate(rows), key=lambda item: len(item[1].tokens)):
        if piece and (len(piece) + 1) * len(row.tokens) > BUDGET:
            yield piece
            piece = []
        for start in range(0, len(row.tokens), BUDGET):
            part = Row(row.tokens[start : start + BUDGET], row.place, row.prefix)
            if start + BUDGET < len(row.tokens):
                yield [(index, part)]
            else:
                piece.append((index, part))
    if piece:
        yield piece
