"""From what a patient typed to plain tokens: case, apostrophes, contractions, SMS-speak, stretched and misspelt words.

Misspellings are mended towards the safety vocabulary only, and never away from an ordinary English word that happens to lie
near it ("feel" is not "fell"): those are listed in knowledge/safety.yml under ``left_alone``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from rapidfuzz.distance import OSA

# What is longer is read at both ends; a channel turns such a message down anyway, but not before it was checked.
MAX_CHARS = 40_000

STOP, QUESTION, COMMA = ".", "?", ","

_TOKEN = re.compile(
    r"\d+(?:[.,/]\d+)?"  # 38.5, 10/10
    r"|[a-z]+(?:'[a-z]+)*"
    r"|\?"
    r"|[.!;\n\r]+"
    r"|[,:()\[\]\u2013\u2014/]|(?<=\s)-+(?=\s)"
    r"|[&+]"
)
# The letters are those that Unicode does not take apart into a plain one and an accent.
_PLAIN = str.maketrans({**dict.fromkeys("‘’ʼ´`′‛＇", "'"), **dict(zip("łŁøØđĐı", "lLoOdDi", strict=True))})
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_VOWELS = re.compile(r"[aeiou]")
_CACHE_SIZE = 8192


def fold(text: str) -> str:
    """Lower case, plain apostrophes, no accents, no invisible characters."""
    if len(text) > MAX_CHARS:
        text = text[: MAX_CHARS // 2] + "\n" + text[-MAX_CHARS // 2 :]
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", text.translate(_PLAIN)).casefold()
    return "".join(c for c in text if unicodedata.category(c) not in ("Mn", "Cf"))


class Normaliser:
    """Turns text into tokens.

    spellings: token -> the words it stands for ("cant" -> "cannot", "2day" -> "today"); keys may hold digits.
    vocabulary: the words that a misspelling may be mended to.
    left_alone: words that are never mended.
    """

    def __init__(self, spellings: Mapping[str, str], vocabulary: Iterable[str], left_alone: Iterable[str]) -> None:
        self._spellings = {key: tuple(value.split()) for key, value in spellings.items()}
        self._vocabulary = frozenset(vocabulary)
        self._known = self._vocabulary | frozenset(left_alone)
        self._by_initial: dict[str, list[str]] = {}
        self._skeletons: dict[str, str] = {}
        for word in sorted(w for w in self._vocabulary if len(w) >= 4):
            self._by_initial.setdefault(word[0], []).append(word)
            skeleton = _VOWELS.sub("", word)
            if len(skeleton) >= 3 and len(word) <= len(skeleton) + 2:
                self._skeletons.setdefault(skeleton, word)
        self._cache: dict[str, tuple[str, ...]] = {}
        alnum = [k for k in self._spellings if not k.isalpha() and "'" not in k]
        keys = "|".join(re.escape(k) for k in sorted(alnum, key=len, reverse=True))
        self._mixed = re.compile(rf"(?<![a-z0-9])(?:{keys})(?![a-z0-9])") if keys else None

    def tokens(self, text: str) -> list[str]:
        """Tokens of the text; ``.`` ends a sentence, ``?`` ends a question, ``,`` stands for any lesser pause."""
        folded = fold(text)
        if self._mixed is not None:
            folded = self._mixed.sub(lambda m: " ".join(self._spellings[m[0]]), folded)
        out: list[str] = []
        for match in _TOKEN.finditer(folded):
            raw = match[0]
            first = raw[0]
            if "a" <= first <= "z":
                words = self._cache.get(raw)
                if words is None:
                    words = self._word(raw)
                    if len(self._cache) < _CACHE_SIZE:
                        self._cache[raw] = words
                out.extend(words)
            elif first.isdigit():
                out.append(raw)
            elif first == "?":
                out.append(QUESTION)
            elif first in ".!;\n\r":
                out.append(STOP)
            elif first in "&+":
                out.append("and")
            else:
                out.append(COMMA)
        return out

    def _word(self, raw: str) -> tuple[str, ...]:
        """One typed word (letters and apostrophes) as tokens."""
        raw = raw[:40]
        if raw in self._spellings:
            return self._spellings[raw]
        if "'" in raw:
            bare = raw.replace("'", "")
            if bare in self._spellings:
                return self._spellings[bare]
            if raw.endswith("n't"):
                return (*self._word(raw[:-3]), "not")
            head, _, tail = raw.rpartition("'")
            if tail in ("ve", "d", "ll", "m", "re"):
                rest = {"ve": "have", "d": "had", "ll": "will", "m": "am", "re": "are"}[tail]
                return (*self._word(head), rest)
            return self._word(head if tail == "s" else bare)
        if raw in self._known:
            return (raw,)
        if _STRETCHED.search(raw):
            for keep in (r"\1\1", r"\1"):
                short = _STRETCHED.sub(keep, raw)
                if short in self._known or short in self._spellings:
                    return self._word(short)
            raw = _STRETCHED.sub(r"\1", raw)
        return self._mend(raw)

    def would_mend(self, word: str) -> bool:
        """Whether the word would be changed if it were not on the list of words left alone."""
        return word not in self._vocabulary and word not in self._spellings and self._mend(word) != (word,)

    def _mend(self, word: str) -> tuple[str, ...]:
        size = len(word)
        if size < 3:
            return (word,)
        if not _VOWELS.search(word) and word in self._skeletons:
            return (self._skeletons[word],)
        if size < 4:
            return (word,)
        allowed = 1 if size < 8 else 2
        best, best_distance = None, allowed + 1
        for candidate in self._by_initial.get(word[0], ()):
            if abs(len(candidate) - size) >= best_distance:
                continue
            # A short word is mended only to one of four letters or more, and at most one letter away.
            if len(candidate) < 5 and size > len(candidate) + 1:
                continue
            distance = OSA.distance(word, candidate, score_cutoff=best_distance - 1)
            if distance < best_distance:
                best, best_distance = candidate, distance
        if best is not None:
            return (best,)
        if size >= 7:  # two words run together: "chestpain", "fellover"
            for cut in range(3, size - 2):
                left, right = word[:cut], word[cut:]
                left_words = self._spellings.get(left) or ((left,) if left in self._vocabulary else None)
                if left_words and right in self._vocabulary:
                    return (*left_words, right)
        return (word,)
