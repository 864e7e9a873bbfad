"""Reads and writes the few fields of ONNX files that matter here, and makes sessions of them.

ONNX files are protobuf messages. The ``onnx`` package, which knows them all, would add 60 MB to what is installed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The numbers of the fields of ONNX's messages, and of its types.
MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_INITIALIZER = 1, 5
NODE_INPUT, NODE_OUTPUT, NODE_OPERATION = 1, 2, 4
TENSOR_NAME, TENSOR_RAW = 8, 9
_MODEL_VERSION, _MODEL_OPERATORS = 1, 8
_GRAPH_NAME, _GRAPH_INPUT, _GRAPH_OUTPUT = 2, 11, 12
_NODE_ATTRIBUTE, _NODE_DOMAIN = 5, 7
_TENSOR_SIZE, _TENSOR_TYPE = 1, 2
_TYPES = {"float32": 1, "int8": 3, "int32": 6}
_FORMAT, _OPERATORS = 9, 17
#: onnxruntime's own operators.
RUNTIME = "com.microsoft"


def session(model_file: bytes) -> Any:
    """Return an ``onnxruntime.InferenceSession`` that computes on the calling thread; threads may share it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Waiting threads sleep; spinning, they take the cores from whatever else runs on a small machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena keeps the memory of the largest input for good.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    made = onnxruntime.InferenceSession(model_file, options, providers=["CPUExecutionProvider"])
    # It holds the file for good, in case that other providers are set later ("TODO: This is bad", says its source): 22 MB here.
    made._model_bytes = None
    return made


# ------------------------------------------------------------------------------------------------ writing


def model(name: str, parts: Sequence[bytes], inputs: Sequence[bytes], outputs: Sequence[bytes]) -> bytes:
    """Return a file: parts: from `node` and `tensor`; inputs, outputs: from `value`."""
    graph = [
        *parts,
        _message(_GRAPH_NAME, name.encode()),
        *(_message(_GRAPH_INPUT, content) for content in inputs),
        *(_message(_GRAPH_OUTPUT, content) for content in outputs),
    ]
    operators = [_message(1, domain) + _number(2, version) for domain, version in ((b"", _OPERATORS), (RUNTIME.encode(), 1))]
    return b"".join(
        [
            _number(_MODEL_VERSION, _FORMAT),
            _message(MODEL_GRAPH, b"".join(graph)),
            *(_message(_MODEL_OPERATORS, operator) for operator in operators),
        ]
    )


def node(operation: str, inputs: Sequence[str], outputs: Sequence[str], attribute: bytes = b"", domain: str = RUNTIME) -> bytes:
    """Return an operation of the graph; attribute: from `integer` or `real`; an empty input is one that is left out."""
    parts = [_message(NODE_INPUT, name.encode()) for name in inputs]
    parts += [_message(NODE_OUTPUT, name.encode()) for name in outputs]
    parts += [_message(NODE_OPERATION, operation.encode()), attribute, _message(_NODE_DOMAIN, domain.encode())]
    return _message(GRAPH_NODE, b"".join(parts))


def integer(name: str, number: int) -> bytes:
    """Return an attribute that is a whole number."""
    return _message(_NODE_ATTRIBUTE, _message(1, name.encode()) + _number(3, number) + _number(20, 2))


def real(name: str, number: float) -> bytes:
    """Return an attribute that is a float32."""
    return _message(_NODE_ATTRIBUTE, _message(1, name.encode()) + _varint(2 << 3 | 5) + struct.pack("<f", number) + _number(20, 1))


def tensor(name: str, values: NDArray[Any]) -> bytes:
    """Return stored values: float32, int8 or int32.

    Raises:
        KeyError: they are of another type.
    """
    parts = [_number(_TENSOR_SIZE, size) for size in values.shape]
    parts += [_number(_TENSOR_TYPE, _TYPES[str(values.dtype)]), _message(TENSOR_NAME, name.encode())]
    return _message(GRAPH_INITIALIZER, b"".join([*parts, _message(TENSOR_RAW, values.tobytes())]))


def value(name: str, kind: str, shape: Sequence[str | int]) -> bytes:
    """Return the description of an input or output; a size that is a word may be any.

    Raises:
        KeyError: the kind is none of float32, int8, int32.
    """
    sizes = [_message(1, _number(1, size) if isinstance(size, int) else _message(2, size.encode())) for size in shape]
    described = _message(1, _number(1, _TYPES[kind]) + _message(2, b"".join(sizes)))
    return _message(1, name.encode()) + _message(2, described)


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, content: int) -> bytes:
    return _varint(number << 3) + _varint(content)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


# ------------------------------------------------------------------------------------------------ reading


def fields(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield the number and the content of each field of a protobuf message.

    Raises:
        ValueError, IndexError: it is none.
    """
    position = 0
    while position < len(content):
        tag, position = _read_varint(content, position)
        kind = tag & 7
        begin = position
        if kind == 0:
            _, position = _read_varint(content, position)
        elif kind == 2:
            length, begin = _read_varint(content, position)
            position = begin + length
            if position > len(content):
                raise ValueError("a field is longer than its message")
        elif kind in (1, 5):
            position += 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        yield tag >> 3, content[begin:position]


def field(content: memoryview, wanted: int) -> memoryview:
    """Return the first field of that number.

    Raises:
        ValueError: there is none.
    """
    for number, found in fields(content):
        if number == wanted:
            return found
    raise ValueError(f"no field {wanted}")


def texts(content: memoryview, wanted: int) -> list[str]:
    """Return all fields of that number as text.

    Raises:
        ValueError: one is no UTF-8.
    """
    return [text(found) for number, found in fields(content) if number == wanted]


def text(content: memoryview) -> str:
    """Return a field's content as text.

    Raises:
        ValueError: it is no UTF-8.
    """
    return bytes(content).decode("utf-8")


def floats(content: memoryview) -> NDArray[Any]:
    """Return a tensor's raw content, float32.

    Raises:
        ValueError: its length is no multiple of four.
    """
    return np.frombuffer(content, dtype=np.float32)


def _read_varint(content: memoryview, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = content[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
        shift += 7
