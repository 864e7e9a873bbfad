"""Sparse rows in four bytes an entry."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from hipwise.rows.postings import Postings


def _rows(count: int, width: int, seed: int) -> csr_matrix:
    chance = np.random.default_rng(seed)
    full = np.where(chance.random((count, width)) < 0.2, chance.random((count, width)), 0)
    return csr_matrix(full.astype(np.float32))


def _zeros(own: csr_matrix, kept: csr_matrix) -> NDArray[np.float32]:
    return np.zeros((own.shape[0], kept.shape[0]), dtype=np.float32)


def test_products_are_those_of_the_rows_but_for_rounding() -> None:
    own, kept = _rows(5, 80, 1), _rows(300, 80, 2)
    found = Postings(Postings.pack(kept, "kept"), "kept").add_products(own, _zeros(own, kept))
    exact = (own @ kept.T).toarray()
    # Each of about three shared columns is rounded to 1/127 of its largest value, by half a step at most.
    most = 0.5 / 127 * np.asarray(own.sum(axis=1)).ravel()
    assert np.all(np.abs(found - exact) <= most[:, None] + 1e-6)
    assert np.abs(found - exact).max() > 0
    assert exact.max() > 0.5


def test_products_are_added() -> None:
    own, kept = _rows(2, 30, 3), _rows(40, 30, 4)
    postings = Postings(Postings.pack(kept, "kept"), "kept")
    once = postings.add_products(own, _zeros(own, kept))
    assert postings.add_products(own, once.copy()) == pytest.approx(2 * once, abs=1e-5)


def test_rows_and_columns_without_entries() -> None:
    kept = _rows(40, 30, 5)
    empty = csr_matrix((1, 30), dtype=np.float32)
    assert not Postings(Postings.pack(kept, "kept"), "kept").add_products(empty, _zeros(empty, kept)).any()
    nothing = csr_matrix((3, 30), dtype=np.float32)
    own = _rows(2, 30, 6)
    assert not Postings(Postings.pack(nothing, "none"), "none").add_products(own, _zeros(own, nothing)).any()


def test_an_entry_takes_four_bytes() -> None:
    kept = _rows(300, 80, 7)
    packed = Postings.pack(kept, "kept")
    assert len(packed["kept_common"]) == 0
    assert packed["kept_codes"].nbytes == 4 * kept.nnz


def test_what_most_rows_have_is_a_table_of_bytes_and_counts_the_same() -> None:
    full = _rows(300, 20, 8).toarray()
    full[:250, [3, 11]] = 0.5
    asked = _rows(4, 20, 9).toarray()
    asked[0, 3] = asked[1, 11] = 0.7
    kept, own = csr_matrix(full), csr_matrix(asked)
    packed = Postings.pack(kept, "kept")
    assert packed["kept_common"].tolist() == [3, 11]
    assert packed["kept_table"].shape == (2, 300)
    assert len(packed["kept_codes"]) == kept.nnz - np.count_nonzero(full[:, [3, 11]])
    found = Postings(packed, "kept").add_products(own, _zeros(own, kept))
    assert found == pytest.approx((own @ kept.T).toarray(), abs=0.02)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 on"):
        Postings.pack(csr_matrix(np.array([[0.5, -0.1]], dtype=np.float32)), "kept")
    with pytest.raises(ValueError, match="fewer than"):
        Postings.pack(csr_matrix((1 << 24, 1), dtype=np.float32), "kept")
