"""Plain helpers for text that several components share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# What phones put in for the keys on a keyboard; the training data has plain ones.
_SAME = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " "}
)

WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def plain(text: str) -> str:
    """Return ``text`` in lower case, in one Unicode form, with plain quotes and single spaces."""
    text = unicodedata.normalize("NFKC", text).translate(_SAME).lower()
    return " ".join(text.split())


def words(text: str) -> list[str]:
    """Return the words of ``text``: runs of letters and digits, an apostrophe inside allowed."""
    return WORD.findall(text)


def char_ngrams(words_of_text: list[str], shortest: int, longest: int) -> Iterator[str]:
    """Yield the n-grams of characters inside each word, a space at either end of it.

    A word shorter than an n is yielded once, as a whole, like scikit-learn's ``char_wb``.
    """
    for word in words_of_text:
        padded = f" {word} "
        length = len(padded)
        for size in range(shortest, longest + 1):
            if size >= length:
                yield padded
                break
            for start in range(length - size + 1):
                yield padded[start : start + size]
