"""Sparse entries in four bytes: what `hipwise.rows.postings` keeps by column and `hipwise.rows.sparse` by row.

A line is a column there and a row here; an entry is one int32, its place in the line in 24 bits and its value in seven, beside one
scale for the line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import _sparsetools, csc_matrix, csr_matrix

_BITS = 24
_PLACE = np.int32((1 << _BITS) - 1)
_FINEST = 127


def rounded(lines: csr_matrix | csc_matrix, length: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return each value in steps of its line's scale (int32, 0 to 127) and the scales (float32). length: of a line.

    Raises:
        ValueError: a value is below 0, or lines have 16,777,216 places or more.
    """
    if length > int(_PLACE) or (lines.nnz and lines.data.min() < 0):
        raise ValueError("lines have fewer than 16,777,216 places, and values from 0 on")
    counts = np.diff(lines.indptr)
    largest = np.zeros(len(counts), dtype=np.float32)
    some = counts > 0
    largest[some] = np.maximum.reduceat(lines.data, lines.indptr[:-1][some]) if lines.nnz else 0
    scale = np.maximum(largest, np.float32(1e-12)) / np.float32(_FINEST)
    return np.rint(lines.data / np.repeat(scale, counts)).astype(np.int32), scale


def coded(places: NDArray[Any], steps: NDArray[Any]) -> NDArray[Any]:
    """Return entries of their places and steps: int32."""
    codes: NDArray[Any] = places.astype(np.int32) | (steps << _BITS)
    return codes


def gathered(codes: NDArray[Any], ends: NDArray[Any], lines: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the entries of some lines, one after the other: where each begins, the places (int32), the steps (float32).

    lines: int32. With scipy's routine: its own indexing would do most of its work in Python, where all that is answered at the same
    time waits for each other.
    """
    starts = np.zeros(len(lines) + 1, dtype=np.int32)
    np.cumsum(ends[lines + 1] - ends[lines], out=starts[1:])
    found = np.empty(starts[-1], dtype=np.int32)
    # The routine gathers places and values; both are in the code, so that it writes the same to the same place.
    _sparsetools.csr_row_index(len(lines), lines, ends, codes, codes, found, found)
    steps = (found >> _BITS).astype(np.float32)
    found &= _PLACE
    return starts, found, steps
