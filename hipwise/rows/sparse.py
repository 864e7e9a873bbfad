"""Many sparse rows kept by row, four bytes an entry, of which a few are multiplied with another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import _sparsetools, csr_matrix

_COLUMN_BITS = 24
_COLUMN = np.int32((1 << _COLUMN_BITS) - 1)
_FINEST = 127


class SparseRows:
    """An entry is one int32: the number of the column in 24 bits, the value in seven, beside one scale for the row."""

    def __init__(self, stored: Mapping[str, NDArray[Any]], name: str) -> None:
        """Take what `pack` made."""
        self._codes, self._ends, self._scale = (stored[f"{name}_{part}"] for part in ("codes", "ends", "scale"))

    @staticmethod
    def pack(rows: csr_matrix, name: str) -> dict[str, NDArray[Any]]:
        """Return arrays of which to make the rows again; their names begin with ``name``.

        Raises:
            ValueError: a value is below 0, or there are 16,777,216 columns or more.
        """
        if rows.shape[1] > int(_COLUMN) or (rows.nnz and rows.data.min() < 0):
            raise ValueError("sparse rows are of fewer than 16,777,216 columns, and of values from 0 on")
        counts = np.diff(rows.indptr)
        largest = np.zeros(rows.shape[0], dtype=np.float32)
        some = counts > 0
        largest[some] = np.maximum.reduceat(rows.data, rows.indptr[:-1][some]) if rows.nnz else 0
        scale = np.maximum(largest, np.float32(1e-12)) / np.float32(_FINEST)
        steps = np.rint(rows.data / np.repeat(scale, counts)).astype(np.int32)
        return {
            f"{name}_codes": rows.indices.astype(np.int32) | (steps << _COLUMN_BITS),
            f"{name}_ends": rows.indptr.astype(np.int32),
            f"{name}_scale": scale,
        }

    def products(self, own: csr_matrix, number: int, picked: NDArray[Any]) -> NDArray[Any]:
        """The inner product of row ``number`` of ``own`` with each of the rows ``picked`` (int32): float32, (len(picked),)."""
        part = slice(own.indptr[number], own.indptr[number + 1])
        asked = np.zeros(own.shape[1], dtype=np.float32)
        asked[own.indices[part]] = own.data[part]
        starts = np.zeros(len(picked) + 1, dtype=np.int32)
        np.cumsum(self._ends[picked + 1] - self._ends[picked], out=starts[1:])
        codes = np.empty(starts[-1], dtype=np.int32)
        # The routine gathers numbers of columns and values; both are in the code, so that it writes the same to the same place.
        _sparsetools.csr_row_index(len(picked), picked, self._ends, self._codes, self._codes, codes, codes)
        values = (codes >> _COLUMN_BITS).astype(np.float32)
        codes &= _COLUMN
        found = np.zeros(len(picked), dtype=np.float32)
        _sparsetools.csr_matvec(len(picked), len(asked), starts, codes, values, asked, found)
        found *= self._scale[picked]
        return found
