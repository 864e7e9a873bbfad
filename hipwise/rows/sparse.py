"""Many sparse rows kept by row, four bytes an entry, of which a few are multiplied with another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import _sparsetools, csr_matrix

from hipwise.rows.codes import coded, gathered, rounded


class SparseRows:
    """For each row its columns and values, as `hipwise.rows.codes`."""

    def __init__(self, stored: Mapping[str, NDArray[Any]], name: str) -> None:
        """Take what `pack` made."""
        self._codes, self._ends, self._scale = (stored[f"{name}_{part}"] for part in ("codes", "ends", "scale"))

    @staticmethod
    def pack(rows: csr_matrix, name: str) -> dict[str, NDArray[Any]]:
        """Return arrays of which to make the rows again; their names begin with ``name``.

        Raises:
            ValueError: a value is below 0, or there are 16,777,216 columns or more.
        """
        steps, scale = rounded(rows, rows.shape[1])
        return {
            f"{name}_codes": coded(rows.indices, steps),
            f"{name}_ends": rows.indptr.astype(np.int32),
            f"{name}_scale": scale,
        }

    def products(self, own: csr_matrix, number: int, picked: NDArray[Any]) -> NDArray[Any]:
        """The inner product of row ``number`` of ``own`` with each of the rows ``picked`` (int32): float32, (len(picked),)."""
        part = slice(own.indptr[number], own.indptr[number + 1])
        asked = np.zeros(own.shape[1], dtype=np.float32)
        asked[own.indices[part]] = own.data[part]
        starts, columns, steps = gathered(self._codes, self._ends, picked)
        found = np.zeros(len(picked), dtype=np.float32)
        _sparsetools.csr_matvec(len(picked), len(asked), starts, columns, steps, asked, found)
        found *= self._scale[picked]
        return found
