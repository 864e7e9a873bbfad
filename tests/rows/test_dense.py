"""Dense rows in a byte a value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hipwise.rows.dense import DenseRows, axes


def _rows(count: int, width: int, seed: int) -> NDArray[Any]:
    """Rows of length 1 that have much in common, as sentences of one field have."""
    chance = np.random.default_rng(seed)
    rows = chance.standard_normal((count, width)) + 1.5
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32)


def test_products_are_those_of_the_rows_but_for_rounding() -> None:
    own, kept = _rows(3, 64, 1), _rows(500, 64, 2)
    turned = axes(kept, 64)
    found = DenseRows(DenseRows.pack(kept @ turned, "kept"), "kept").products(own @ turned)
    assert found.dtype == np.float32
    assert found.shape == (3, 500)
    assert np.abs(found - own @ kept.T).max() < 0.01
    assert np.abs(found - own @ kept.T).max() > 0


def test_a_row_is_as_near_to_the_others_alone_as_beside_another() -> None:
    own, kept = _rows(2, 64, 3), _rows(200, 64, 4)
    rows = DenseRows(DenseRows.pack(kept, "kept"), "kept")
    assert rows.products(own[:1])[0] == pytest.approx(rows.products(own)[0], abs=0.01)


def test_a_value_takes_a_byte() -> None:
    packed = DenseRows.pack(_rows(200, 64, 5), "kept")
    assert packed["kept_bytes"].nbytes == 200 * 64
    assert set(packed) == {"kept_bytes", "kept_scale"}


def test_unpacked_rows_are_what_is_multiplied() -> None:
    kept = _rows(200, 64, 6)
    packed = DenseRows.pack(kept, "kept")
    assert np.abs(DenseRows.unpacked(packed, "kept") - kept).max() < 0.5 * kept.max() / 127 + 1e-6
    own = _rows(1, 64, 7)
    assert DenseRows(packed, "kept").products(own) == pytest.approx(own @ DenseRows.unpacked(packed, "kept").T, abs=0.01)


def test_a_row_of_zeros() -> None:
    kept = np.vstack([_rows(3, 16, 8), np.zeros((1, 16), dtype=np.float32)])
    found = DenseRows(DenseRows.pack(kept, "kept"), "kept").products(_rows(1, 16, 9))
    assert found[0, 3] == 0
    assert np.all(np.isfinite(found))


def test_axes_keep_products_and_spread_the_values() -> None:
    rows = _rows(300, 48, 10)
    turned = rows @ axes(rows, 48)
    assert turned @ turned.T == pytest.approx(rows @ rows.T, abs=1e-5)
    strongest = np.linalg.eigh(rows.T @ rows)[1]
    assert np.abs(turned).max() < 0.7 * np.abs(rows @ strongest).max()
    assert axes(rows, 12).shape == (48, 12)
    assert axes(rows, 100).shape == (48, 48)
    assert np.array_equal(axes(rows, 12), axes(rows, 12))
