"""Memory that only loading needed."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Return freed memory to the system.

    glibc keeps what was freed between blocks still in use: 40 MB after the weights of the sentence encoder were read, and as much
    again after the model was unpacked.
    """
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)
