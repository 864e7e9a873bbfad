"""Many sparse rows kept by column, four bytes an entry, to be multiplied with a few others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import _sparsetools, csr_matrix

from hipwise.rows.codes import coded, gathered, rounded

# A column that more of the rows have than this is kept as a byte for every row: less memory, and a third less time.
_COMMON = 0.3


class Postings:
    """For each column the rows that have it, and how much of it: what a search engine calls postings.

    Entries are as `hipwise.rows.codes` has them. A row's number and its value as scipy keeps them take twice as much; what this
    loses is 0.4 % of the largest value of a column at most. What nearly every row has (" th", "hip") is kept as a table of bytes
    instead.
    """

    def __init__(self, stored: Mapping[str, NDArray[Any]], name: str) -> None:
        """Take what `pack` made."""
        self._codes, self._ends, self._scale = (stored[f"{name}_{part}"] for part in ("codes", "ends", "scale"))
        self._common, self._table = stored[f"{name}_common"], stored[f"{name}_table"]

    @staticmethod
    def pack(rows: csr_matrix, name: str) -> dict[str, NDArray[Any]]:
        """Return arrays of which to make postings of the same rows; their names begin with ``name``.

        Raises:
            ValueError: a value is below 0, or there are 16,777,216 rows or more.
        """
        columns = rows.tocsc()
        columns.sort_indices()
        steps, scale = rounded(columns, columns.shape[0])
        counts = np.diff(columns.indptr)
        common = np.flatnonzero(counts > _COMMON * columns.shape[0]).astype(np.int32)
        table = np.zeros((len(common), columns.shape[0]), dtype=np.uint8)
        rare = np.ones(columns.nnz, dtype=bool)
        for row, column in zip(table, common, strict=True):
            part = slice(columns.indptr[column], columns.indptr[column + 1])
            row[columns.indices[part]] = steps[part]
            rare[part] = False
        counts[common] = 0
        return {
            f"{name}_codes": coded(columns.indices[rare], steps[rare]),
            f"{name}_ends": np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
            f"{name}_scale": scale,
            f"{name}_common": common,
            f"{name}_table": table,
        }

    def add_products(self, own: csr_matrix, out: NDArray[Any]) -> NDArray[Any]:
        """Add the inner product of each row of ``own`` with each row kept here: out is float32, (rows of own, rows here)."""
        for number, result in enumerate(out):
            part = slice(own.indptr[number], own.indptr[number + 1])
            columns = own.indices[part].astype(np.int32, copy=False)
            factors = own.data[part].astype(np.float32, copy=False) * self._scale[columns]
            if len(self._common):
                place = np.minimum(np.searchsorted(self._common, columns), len(self._common) - 1)
                hit = self._common[place] == columns
                result += factors[hit] @ self._table[place[hit]].astype(np.float32)
            starts, rows, steps = gathered(self._codes, self._ends, columns)
            _sparsetools.csc_matvec(len(result), len(columns), starts, rows, steps, factors, result)
        return out
