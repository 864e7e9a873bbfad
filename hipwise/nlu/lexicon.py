"""Sets of words kept as sorted 32-bit hashes: 57,000 English words take 230 KB instead of 6 MB.

A word that is not in the set is taken for one that is about once in 75,000 times; nothing here minds.
"""

from __future__ import annotations

import gzip
import json
import zlib
from bisect import bisect_left
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasa.shared.exceptions import RasaException


class WordSet:
    """An immutable set of words."""

    __slots__ = ("_members", "hashes")

    def __init__(self, hashes: NDArray[Any]) -> None:
        """Take sorted uint32 hashes."""
        self.hashes = hashes
        self._members = hashes.data

    @classmethod
    def of(cls, words: Iterable[str]) -> WordSet:
        """Return the set of ``words``."""
        return cls(np.unique(np.fromiter((_hash(word) for word in words), dtype=np.uint32)))

    def __contains__(self, word: str) -> bool:
        value = _hash(word)
        # For a single word three times as fast as numpy's own.
        place = bisect_left(self._members, value)
        return place < len(self._members) and self._members[place] == value

    def __len__(self) -> int:
        return len(self.hashes)


def _hash(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


@cache
def frequent(language: str, least: int) -> tuple[str, ...]:
    """Return the words of a language that occur at least ``least`` times in film subtitles, from pyspellchecker's lists.

    Needed in training only; what is learnt from them is stored with the model.

    Raises:
        RasaException: the package is not installed.
    """
    spec = find_spec("spellchecker")
    if spec is None or not spec.submodule_search_locations:
        raise RasaException("training needs the package pyspellchecker; run `uv sync`")
    # Its own class takes five times as long to read the same file.
    path = Path(next(iter(spec.submodule_search_locations))) / "resources" / f"{language}.json.gz"
    counts: dict[str, int] = json.loads(gzip.decompress(path.read_bytes()))
    return tuple(sorted(word for word, count in counts.items() if count >= least))
