"""Many dense rows kept in a byte a value, to be multiplied with a few others by integer arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipwise import onnx_format as onnx

_FINEST = 127
_ASKED, _FOUND = "asked", "found"


class DenseRows:
    """Rows of bytes and a scale for each, multiplied by onnxruntime, which knows the processor's instructions for bytes.

    A quarter of the memory of float32, which is what such a product waits for: with 19,000 rows of 192 it takes 0.2 ms instead of
    0.5, with two of a message's parts at once 0.2 instead of 1.4. What is lost is 0.001 of a cosine, if the rows are turned to
    `axes`, along which no value is large. Measured with VNNI: on a processor without it onnxruntime adds pairs of products in 16
    bits, which a few of the largest would exceed. (Its option against that, ``session.x64quantprecision``, aborted the process.)
    """

    def __init__(self, stored: Mapping[str, NDArray[Any]], name: str) -> None:
        """Take what `pack` made."""
        kept = stored[f"{name}_bytes"]
        parts = [
            onnx.tensor("rows", np.ascontiguousarray(kept.T)),
            onnx.tensor("scale", stored[f"{name}_scale"]),
            onnx.node("DynamicQuantizeMatMul", [_ASKED, "rows", "scale"], [_FOUND]),
        ]
        inputs = [onnx.value(_ASKED, "float32", ["some", kept.shape[1]])]
        outputs = [onnx.value(_FOUND, "float32", ["some", kept.shape[0]])]
        self._session = onnx.session(onnx.model("rows", parts, inputs, outputs))

    @staticmethod
    def pack(rows: NDArray[Any], name: str) -> dict[str, NDArray[Any]]:
        """Return arrays of which to make rows again: int8 (rows, columns) and float32 (rows,); their names begin with ``name``."""
        scale = np.maximum(np.abs(rows).max(axis=1, initial=0), 1e-12) / _FINEST
        return {f"{name}_bytes": np.rint(rows / scale[:, None]).astype(np.int8), f"{name}_scale": scale.astype(np.float32)}

    @staticmethod
    def unpacked(packed: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
        """Return the rows as they are after rounding: float32, (rows, columns)."""
        rows = packed[f"{name}_bytes"].astype(np.float32)
        rows *= packed[f"{name}_scale"][:, None]
        return rows

    def products(self, own: NDArray[Any]) -> NDArray[Any]:
        """The inner product of each row of ``own`` with each row kept here: float32, (rows of own, rows here).

        The rows of ``own`` are rounded to 8 bits as well, with one scale for all of them, so that a product changes by some
        thousandths with what else is asked at the same time.
        """
        found: NDArray[Any] = self._session.run(None, {_ASKED: own.astype(np.float32, copy=False)})[0]
        return found


def axes(rows: NDArray[Any], most: int) -> NDArray[Any]:
    """The strongest axes of the space that rows (n, d) lie in, turned at random: float32, (d, ``most`` or d, if that is less).

    Products along them are those along the axes themselves. But what all rows have in common lies along the strongest one, so that
    the largest value of a row would be ten times the others, and a byte too coarse for these. Deterministic.
    """
    strongest = np.linalg.eigh((rows.T @ rows).astype(np.float64))[1][:, -most:]
    width = strongest.shape[1]
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((width, width)))[0]
    return np.ascontiguousarray((strongest @ turn).astype(np.float32))
