"""The few fields of ONNX files that are read and written."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from hipwise import onnx_format as onnx


def _file() -> tuple[bytes, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    parts = [onnx.tensor("rows", rows), onnx.node("MatMul", ["asked", "rows"], ["found"], domain="")]
    asked, found = onnx.value("asked", "float32", ["some", 2]), onnx.value("found", "float32", ["some", 3])
    return onnx.model("a product", parts, [asked], [found]), rows


def test_what_is_written_runs() -> None:
    file, rows = _file()
    asked = np.array([[1, 2], [0, 1]], dtype=np.float32)
    assert onnx.session(file).run(None, {"asked": asked})[0] == pytest.approx(asked @ rows)


def test_a_session_does_not_hold_the_file() -> None:
    # onnxruntime kept the bytes of each for good, beside its own copy of the weights: 22 MB.
    file, _ = _file()
    held = sys.getrefcount(file)
    session = onnx.session(file)
    assert sys.getrefcount(file) == held
    assert session.get_outputs()[0].name == "found"


def test_what_is_written_is_read_again() -> None:
    file, rows = _file()
    graph = onnx.field(memoryview(file), onnx.MODEL_GRAPH)
    tensor = onnx.field(graph, onnx.GRAPH_INITIALIZER)
    assert onnx.text(onnx.field(tensor, onnx.TENSOR_NAME)) == "rows"
    assert onnx.floats(onnx.field(tensor, onnx.TENSOR_RAW)) == pytest.approx(rows.ravel())
    node = onnx.field(graph, onnx.GRAPH_NODE)
    assert onnx.texts(node, onnx.NODE_INPUT) == ["asked", "rows"]
    assert onnx.text(onnx.field(node, onnx.NODE_OPERATION)) == "MatMul"


@pytest.mark.parametrize("broken", [b"\x3a\x05\x0a", b"\x0b", b"\x80"])
def test_what_is_no_protobuf_is_refused(broken: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        list(onnx.fields(memoryview(broken)))


def test_a_field_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no field 99"):
        onnx.field(memoryview(_file()[0]), 99)
