"""How alike two prompts are: MinHash signatures of their shingles (Broder 1997), and LSH bands.

A prompt is read as units: each letter or symbol is one; a number is one thing (5 units of its
own), so that "12 + 345" is not like "12 + 346"; a character of a script that writes no spaces
counts twice. Case, white space and sentence punctuation are ignored. A shingle is 5 units in a
row. The Jaccard similarity of two sets of shingles is estimated from 128 permutations, with a
standard error of .035 at .8; LIKE lies below .8 by more than that, so that a pair that is alike
is seldom missed. Paraphrase is not caught: it shares few shingles.
"""

from __future__ import annotations

import re
import unicodedata
from zlib import crc32

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray

PERMUTATIONS = 128
BANDS, ROWS = 16, 6  # a pair of similarity s shares a band with 1-(1-s^6)^16: .992 at .8
LIKE = 0.75
UNITS = 5
MOST_SHINGLES = 50_000

Signature = NDArray[np.uint32]

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
SYMBOL = re.compile(r"[^\w\s]")
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
NO_PUNCTUATION = str.maketrans(dict.fromkeys(".,;:!?'\"`…“”‘’«»。、·-–—_", " "))
_PRIVATE = 0x100000  # code points that no text uses stand for numbers
_MIX = np.array([1, 0x01000193, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F], dtype=np.uint32)
_MODEL = MinHash(num_perm=PERMUTATIONS, seed=1, hashfunc=int, scheme="affine32")


def signature(text: str) -> Signature:
    """128 uint32: equal for texts that are equal but for case, spaces and punctuation."""
    hashed = MinHash(
        num_perm=PERMUTATIONS,
        hashfunc=int,
        permutations=_MODEL.permutations,
        scheme="affine32",
    )
    hashed.update_batch(shingles(text))
    found: Signature = hashed.hashvalues
    return found


def shingles(text: str) -> NDArray[np.uint32]:
    """The hash of every run of 5 units, each once; one shingle where the text is shorter."""
    units = np.frombuffer(_units(text), dtype="<u4")
    if len(units) < UNITS:
        units = np.pad(units, (0, UNITS - len(units)))
    windows = np.lib.stride_tricks.sliding_window_view(units, UNITS)
    hashes = np.zeros(len(windows), dtype=np.uint32)
    for column in range(UNITS):
        hashes = (hashes ^ (windows[:, column] * _MIX[column])) * np.uint32(0x9E3779B1)
        hashes ^= hashes >> np.uint32(15)
    return np.unique(hashes)[:MOST_SHINGLES]


def estimate(one: Signature, many: NDArray[np.uint32]) -> NDArray[np.float64]:
    """The similarity of a signature to each row of `many`."""
    found: NDArray[np.float64] = (many == one).mean(axis=1)
    return found


def band_keys(found: Signature) -> list[int]:
    """A signed 64-bit key for each band; texts that share one may be alike."""
    rows = found[: BANDS * ROWS].astype(np.uint64).reshape(BANDS, ROWS)
    keys = np.arange(1, BANDS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for column in range(ROWS):
        keys = (keys ^ rows[:, column]) * np.uint64(0xFF51AFD7ED558CCD)
        keys ^= keys >> np.uint64(32)
    signed: list[int] = keys.view(np.int64).tolist()
    return signed


def _units(text: str) -> bytes:
    """The units as UTF-32: regular expressions and `translate` do the work."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = NUMBER.sub(_number, plain).translate(NO_PUNCTUATION)
    plain = SYMBOL.sub(r" \g<0> ", plain)
    if not plain.isascii():
        plain = UNSPACED.sub(r"\g<0>\g<0>", plain)
    return f" {' '.join(plain.split())} ".encode("utf-32-le", "surrogatepass")


def _number(found: re.Match[str]) -> str:
    """A number as 5 units of its own, so that another number shares no shingle with it."""
    drawn = crc32(found[0].replace(",", "").encode())
    places = ((drawn * (2 * place + 1) >> 8) % 0xFFFE for place in range(UNITS))
    return f" {''.join(chr(_PRIVATE + place) for place in places)} "
