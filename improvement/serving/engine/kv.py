"""Keys and values of open conversations.

They lie in blocks of a fixed number of slots that have room for the same number of tokens. A
conversation that outgrows its slot moves to a roomier block; a block left empty is freed. So one
long conversation never widens the others, and memory follows what is really held.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

SLOTS = 32  # conversations in a block: wide enough for good products, small enough for the cache
ROOM = 64  # tokens; the room of a slot is a multiple of it


@dataclass(frozen=True, slots=True)
class KvShape:
    """What one token's keys and values look like."""

    layers: int
    heads: int
    width: int
    dtype: torch.dtype
    device: torch.device


class Block:
    """`keys[layer]` and `values[layer]` are (slots, heads, room, width), views of one tensor: a
    large one goes back to the system when it is freed, many small ones would not."""

    def __init__(self, shape: KvShape, slots: int, room: int) -> None:
        size = (2, shape.layers, slots, shape.heads, room, shape.width)
        # zeros, because what is masked must still be finite
        self.storage = torch.zeros(size, dtype=shape.dtype, device=shape.device)
        self.keys, self.values = (half.unbind(0) for half in self.storage)
        self.slots, self.room = slots, room
        self.free = list(range(slots))

    @property
    def empty(self) -> bool:
        return len(self.free) == self.slots

    def take(self) -> int:
        """The lowest free slot: rows that lie together are read without a copy."""
        self.free.sort()
        return self.free.pop(0)

    def copy_from(self, other: Block, source: int, target: int, length: int) -> None:
        """Copy the first `length` tokens of another block's slot."""
        self.storage[:, :, target, :, :length] = other.storage[:, :, source, :, :length]


@dataclass(slots=True)
class Place:
    """Where a conversation's own tokens lie, and how many of them there are."""

    block: Block
    slot: int
    length: int = 0


class KvStore:
    """All blocks of an engine."""

    def __init__(self, shape: KvShape) -> None:
        self.shape = shape
        self.blocks: list[Block] = []

    def reserve(self, place: Place | None, tokens: int) -> Place:
        """A place with room for `tokens`, holding what `place` held."""
        if place is not None and place.block.room >= tokens:
            return place
        room = -(-tokens // ROOM) * ROOM
        if room > 4 * ROOM:  # coarser steps for long ones: fewer moves
            room = -(-tokens // (4 * ROOM)) * 4 * ROOM
        block = next((b for b in self.blocks if b.room == room and b.free), None)
        if block is None:
            block = Block(self.shape, SLOTS, room)
            self.blocks.append(block)
        new = Place(block, block.take())
        if place is not None:
            block.copy_from(place.block, place.slot, new.slot, place.length)
            new.length = place.length
            self.release(place)
        return new

    def release(self, place: Place) -> None:
        """Give a slot back; an empty block's memory goes with it."""
        place.block.free.append(place.slot)
        if place.block.empty:
            self.blocks.remove(place.block)

    @property
    def held(self) -> int:
        """Conversations that hold a slot."""
        return sum(block.slots - len(block.free) for block in self.blocks)

    @property
    def bytes(self) -> int:
        """Memory of all blocks."""
        return sum(block.storage.nbytes for block in self.blocks)
