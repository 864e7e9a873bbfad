"""Sets of words kept as sorted 32-bit hashes: 57,000 English words take 230 KB instead of 6 MB.

A word that is not in the set is taken for one that is about once in 75,000 times; nothing here minds.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import cache

import numpy as np
from rasa.shared.exceptions import RasaException


class WordSet:
    """An immutable set of words."""

    __slots__ = ("hashes", "_members")

    def __init__(self, hashes: np.ndarray) -> None:
        """Take sorted uint32 hashes."""
        self.hashes = hashes
        self._members = hashes.data

    @classmethod
    def of(cls, words: Iterable[str]) -> WordSet:
        """Return the set of ``words``."""
        return cls(np.unique(np.fromiter((_hash(word) for word in words), dtype=np.uint32)))

    def __contains__(self, word: str) -> bool:
        value = _hash(word)
        place = int(np.searchsorted(self.hashes, np.uint32(value)))
        return place < len(self.hashes) and int(self.hashes[place]) == value

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
    try:
        from spellchecker import SpellChecker
    except ImportError as error:
        raise RasaException("training needs the package pyspellchecker; run `uv sync`") from error
    counts = SpellChecker(language=language).word_frequency.dictionary
    return tuple(sorted(word for word, count in counts.items() if count >= least))
