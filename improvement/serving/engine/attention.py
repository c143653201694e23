"""Attention over a shared prefix and over each conversation's own tokens.

The keys of a prefix are stored once; the queries of all conversations that share it meet them in
one matrix product (Hydragen, Juravsky et al. 2024, arXiv:2402.05099), and one softmax runs over
both parts. Registered with transformers as an attention implementation, so that any decoder whose
modules call the attention interface (Llama, Mistral, Qwen 2 and 3 ...) runs on it unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import AttentionInterface

from improvement.serving.engine.kv import Block

NAME = "pawl_shared_prefix"


@dataclass(slots=True)
class Prefix:
    """Tokens that several conversations begin with, and their keys and values (slot 0)."""

    tokens: tuple[int, ...]
    block: Block

    def keys(self, layer: int) -> torch.Tensor:
        return self.block.keys[layer][0, :, : len(self.tokens)]

    def values(self, layer: int) -> torch.Tensor:
        return self.block.values[layer][0, :, : len(self.tokens)]


@dataclass(slots=True)
class Group:
    """Rows of a step that lie in one block and share one prefix; its tokens are `start:stop`.

    `slot` and `position` (tokens,) say where each token's key is written. The queries are laid
    out as (rows, columns): `row` and `column` (tokens,) give each token's cell, None where the
    tokens already are the cells in order. `rows` selects the slots: a slice is read in place, an
    index is copied. `hidden` (rows, columns, length) marks the keys a cell must not see.
    """

    start: int
    stop: int
    prefix: Prefix | None
    block: Block
    slot: torch.Tensor
    position: torch.Tensor
    row: torch.Tensor | None
    column: torch.Tensor | None
    rows: slice | torch.Tensor
    hidden: torch.Tensor
    length: int


def attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    _mask: torch.Tensor | None,
    *,
    scaling: float,
    groups: list[Group],
    **_options: Any,
) -> tuple[torch.Tensor, None]:
    """(1, heads, tokens, width) → (1, tokens, heads, width); writes the new keys and values."""
    tokens, kv_heads, width = query.shape[2], key.shape[1], key.shape[3]
    queries = (query[0] * scaling).transpose(0, 1).reshape(tokens, kv_heads, -1, width)
    keys, values = key[0].transpose(0, 1), value[0].transpose(0, 1)
    outputs = torch.empty_like(queries)
    for group in groups:
        span = slice(group.start, group.stop)
        layer = module.layer_idx
        group.block.keys[layer][group.slot, :, group.position] = keys[span]
        group.block.values[layer][group.slot, :, group.position] = values[span]
        outputs[span] = _attend_group(queries[span], group, layer)
    return outputs.reshape(1, tokens, -1, width), None


def _attend_group(queries: torch.Tensor, group: Group, layer: int) -> torch.Tensor:
    """(tokens, kv heads, queries a head, width) of one group → the same shape."""
    tokens, kv_heads, per_head, width = queries.shape
    own_keys = group.block.keys[layer][group.rows, :, : group.length]
    own_values = group.block.values[layer][group.rows, :, : group.length]
    scores = _own_scores(queries, own_keys, group)
    if group.prefix is None:
        weights = torch.softmax(scores, -1, dtype=torch.float32).to(queries.dtype)
        return _own_outputs(weights, own_values, group)
    prefix_keys, prefix_values = group.prefix.keys(layer), group.prefix.values(layer)
    flat = queries.transpose(0, 1).reshape(kv_heads, tokens * per_head, width)
    shared = torch.bmm(flat, prefix_keys.transpose(1, 2))
    length = shared.shape[2]
    shared = shared.view(kv_heads, tokens, per_head, length)
    both = torch.cat([shared, scores.transpose(0, 1)], -1)
    weights = torch.softmax(both, -1, dtype=torch.float32).to(queries.dtype)
    left = weights[..., :length].reshape(kv_heads, tokens * per_head, length)
    output = torch.bmm(left, prefix_values).view(kv_heads, tokens, per_head, width)
    own = _own_outputs(weights[..., length:].transpose(0, 1), own_values, group)
    return output.transpose(0, 1) + own


def _own_scores(queries: torch.Tensor, keys: torch.Tensor, group: Group) -> torch.Tensor:
    """(tokens, kv heads, queries a head, length), hidden keys at minus infinity."""
    cells = _spread(queries, group, keys.shape[0])
    rows, columns, kv_heads, per_head, width = cells.shape
    cells = cells.transpose(1, 2).reshape(rows, kv_heads, columns * per_head, width)
    scores = torch.matmul(cells, keys.transpose(2, 3)).view(rows, kv_heads, columns, per_head, -1)
    scores.masked_fill_(group.hidden[:, None, :, None], float("-inf"))
    return _collect(scores.transpose(1, 2), group)


def _own_outputs(weights: torch.Tensor, values: torch.Tensor, group: Group) -> torch.Tensor:
    cells = _spread(weights, group, values.shape[0])
    rows, columns, kv_heads, per_head, length = cells.shape
    cells = cells.transpose(1, 2).reshape(rows, kv_heads, columns * per_head, length)
    outputs = torch.matmul(cells, values).view(rows, kv_heads, columns, per_head, -1)
    return _collect(outputs.transpose(1, 2), group)


def _spread(tokens: torch.Tensor, group: Group, rows: int) -> torch.Tensor:
    """Tokens (tokens, ...) laid out as cells (rows, columns, ...)."""
    if group.row is None:
        return tokens.unsqueeze(1)
    cells = tokens.new_zeros(rows, group.hidden.shape[1], *tokens.shape[1:])
    cells[group.row, group.column] = tokens
    return cells


def _collect(cells: torch.Tensor, group: Group) -> torch.Tensor:
    """The inverse of `_spread`."""
    return cells.squeeze(1) if group.row is None else cells[group.row, group.column]


AttentionInterface.register(NAME, attend)
