"""Sparse rows in four bytes an entry."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from hipwise.rows.sparse import SparseRows


def _rows(count: int, width: int, seed: int) -> csr_matrix:
    chance = np.random.default_rng(seed)
    full = np.where(chance.random((count, width)) < 0.2, chance.random((count, width)), 0)
    return csr_matrix(full.astype(np.float32))


def test_products_are_those_of_the_picked_rows_but_for_rounding() -> None:
    own, kept = _rows(5, 80, 1), _rows(300, 80, 2)
    rows = SparseRows(SparseRows.pack(kept, "kept"), "kept")
    picked = np.array([299, 0, 17, 17], dtype=np.int32)
    for number in range(5):
        exact = (own[number] @ kept[picked].T).toarray().ravel()
        # Each shared value is rounded to 1/127 of the row's largest, by half a step at most.
        assert np.abs(rows.products(own, number, picked) - exact).max() <= 0.5 / 127 * own[number].sum() + 1e-6
        assert exact.max() > 0.3


def test_rows_without_entries() -> None:
    full = _rows(4, 30, 3).toarray()
    full[[1, 3]] = 0
    rows = SparseRows(SparseRows.pack(csr_matrix(full), "kept"), "kept")
    own = csr_matrix(np.vstack([np.ones(30), np.zeros(30)]).astype(np.float32))
    found = rows.products(own, 0, np.arange(4, dtype=np.int32))
    assert found == pytest.approx(full.sum(axis=1), abs=0.05)
    assert found[1] == found[3] == 0
    assert not rows.products(own, 1, np.arange(4, dtype=np.int32)).any()
    nothing = SparseRows(SparseRows.pack(csr_matrix((3, 30), dtype=np.float32), "none"), "none")
    assert not nothing.products(own, 0, np.arange(3, dtype=np.int32)).any()


def test_an_entry_takes_four_bytes() -> None:
    kept = _rows(300, 80, 4)
    assert SparseRows.pack(kept, "kept")["kept_codes"].nbytes == 4 * kept.nnz


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 on"):
        SparseRows.pack(csr_matrix(np.array([[0.5, -0.1]], dtype=np.float32)), "kept")
    with pytest.raises(ValueError, match="fewer than"):
        SparseRows.pack(csr_matrix((1, 1 << 24), dtype=np.float32), "kept")
