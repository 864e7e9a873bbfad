"""How much a message is like red flags that people wrote, and unlike what only sounds so: a support vector machine.

Its kernel adds three likenesses: of meaning (the sentence encoder's vectors), of spelling (n-grams of characters) and of
words with what stands around them ("negated_fever"). The last is what tells "no fever, I have not fallen" from its opposite, which
sentence encoders hardly do. A linear model on the same features missed twice as many at the same rate of false alarms.

Plain arrays, so that loading a model never runs code.
"""

from __future__ import annotations

import os
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import local
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import _sparsetools, csr_matrix

from hipwise.rows.dense import DenseRows, axes
from hipwise.rows.postings import Postings

#: n-grams are counted in this many bins; which bin is a matter of their CRC-32, so that no vocabulary is kept.
BINS = 1 << 17
#: How near the wrong side an example must be for the second machine to take it in (-1 is the margin). At -0.4 a training takes 6 GB
#: at its peak instead of 5, for two false alarms fewer among 7,000 held-out harmless messages; at -0.2 it is 4.4 GB, and 13 more.
_DOUBTFUL = -0.3
_BLOCK = 512
_LONGEST = 24
#: How many bins are multiplied as dense columns; with half or twice as many a training takes longer.
_COMMON = 768
#: Axes of the sentence encoder's space that are kept: the products stay (correlation .99) at a third of the arithmetic.
_AXES = 256


@lru_cache(maxsize=20_000)
def _spelling_of_a_word(token: str) -> tuple[int, ...]:
    return _spelling(token)


def _spelling(token: str) -> tuple[int, ...]:
    """Bins of the n-grams of four and five characters of one word with a blank on either side.

    Shorter ones cost more than they say: most entries were theirs, and without them as many held-out messages are told apart.
    """
    padded = f" {token} "
    return tuple(
        zlib.crc32(padded[start : start + size].encode()) % BINS
        for size in range(4, 6)
        for start in range(max(1, len(padded) - size + 1))
    )


def spelling_bins(tokens: Sequence[str]) -> list[int]:
    """Bins of the characters of a text."""
    # What is longer than a word is not kept: a client could fill 100 MB with such.
    return [number for token in tokens for number in (_spelling_of_a_word if len(token) <= _LONGEST else _spelling)(token)]


def word_bins(marked: Sequence[str]) -> list[int]:
    """Bins of the marked words of a text: one, two and three in a row."""
    return [
        zlib.crc32(" ".join(marked[start : start + size]).encode()) % BINS
        for size in (1, 2, 3)
        for start in range(len(marked) - size + 1)
    ]


def rarity(documents: Iterable[Sequence[int]]) -> NDArray[Any]:
    """Inverse document frequency of every bin: float32, shape (BINS,); 0 for bins that were in one document at most."""
    count = np.zeros(BINS, dtype=np.int64)
    total = 0
    for bins in documents:
        count[np.unique(np.asarray(bins, dtype=np.int64))] += 1
        total += 1
    weights = np.log((1 + total) / (1 + count)) + 1
    weights[count < 2] = 0
    return np.asarray(weights, dtype=np.float32)


def rows(documents: Sequence[Sequence[int]], weights: NDArray[Any]) -> csr_matrix:
    """Sublinear TF-IDF, one row a document, each of length 1 (or 0): float32, shape (len(documents), BINS)."""
    columns: list[NDArray[Any]] = []
    values: list[NDArray[Any]] = []
    ends = [0]
    for bins in documents:
        counted = Counter(bins)
        column = np.fromiter(counted, dtype=np.int32, count=len(counted))
        value = (1 + np.log(np.fromiter(counted.values(), dtype=np.float32, count=len(counted)))) * weights[column]
        kept = value > 0
        column, value = column[kept], value[kept]
        length = np.sqrt(np.dot(value, value))
        columns.append(column)
        values.append((value / length if length else value).astype(np.float32))
        ends.append(ends[-1] + len(column))
    empty: list[NDArray[Any]] = [np.zeros(0, dtype=np.float32)]
    return csr_matrix(
        (
            np.concatenate(values or empty),
            np.concatenate(columns or empty).astype(np.int32),
            np.asarray(ends, dtype=np.int32),
        ),
        shape=(len(documents), BINS),
    )


def products(own: csr_matrix, by_column: csr_matrix, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """``own @ by_column`` as a dense array, float32; by_column: a row for each column of ``own``. Added to ``out``, if given.

    Exact, for training; what answers uses `Postings`. Row by row with the two routines that scipy's own product ends in: what
    that checks and converts on the way took four fifths of the time.
    """
    if out is None:
        out = np.zeros((own.shape[0], by_column.shape[1]), dtype=np.float32)
    ends = by_column.indptr
    for number, result in enumerate(out):
        part = slice(own.indptr[number], own.indptr[number + 1])
        rows_of = own.indices[part].astype(ends.dtype, copy=False)
        starts = np.zeros(len(rows_of) + 1, dtype=ends.dtype)
        np.cumsum(ends[rows_of + 1] - ends[rows_of], out=starts[1:])
        columns = np.empty(starts[-1], dtype=by_column.indices.dtype)
        values, factors = np.empty(starts[-1], dtype=np.float32), own.data[part].astype(np.float32, copy=False)
        _sparsetools.csr_row_index(len(rows_of), rows_of, ends, by_column.indices, by_column.data, columns, values)
        _sparsetools.csc_matvec(len(result), len(rows_of), starts, columns, values, factors, result)
    return out


class Features:
    """Three blocks of rows: dense (n, d), spelling and words (n, BINS); each row of each block has length 1, or 0."""

    __slots__ = ("dense", "spelling", "words")

    def __init__(self, dense: NDArray[Any], spelling: csr_matrix, words: csr_matrix) -> None:
        self.dense = dense
        self.spelling = spelling
        self.words = words

    def __getitem__(self, picked: NDArray[Any]) -> Features:
        return Features(self.dense[picked], self.spelling[picked], self.words[picked])


class Likeness:
    """The fitted machine. Its arrays are what is stored; one that only answers need not keep them.

    axes: (d, at most 256) to which rows of the sentence encoder are turned; dense_*, spelling_*, words_*: the support vectors;
    weights: their signed weights; bias; apart_weights, apart_bias: of the machine that tells one group apart, if there is one;
    groups: the number of each support vector's group (-1 for harmless ones); spelling_rarity, words_rarity: of the bins; shape:
    width, sparse weight.
    """

    def __init__(self, arrays: dict[str, NDArray[Any]], *, keep: bool = True) -> None:
        self.arrays = arrays if keep else {}
        self._axes = arrays["axes"]
        self._dense = DenseRows(arrays, "dense")
        # By bin, not by support vector: a text is compared with those alone that share a bin with it.
        self._spelling, self._words = Postings(arrays, "spelling"), Postings(arrays, "words")
        self._rarity = arrays["spelling_rarity"], arrays["words_rarity"]
        self._weights = arrays["weights"]
        self._bias = float(arrays["bias"])
        self._apart = (arrays["apart_weights"], float(arrays["apart_bias"])) if "apart_weights" in arrays else None
        self.groups = arrays["groups"]
        self._width, self._sparse_weight = (float(value) for value in arrays["shape"])

    def features(self, dense: NDArray[Any], tokens: Sequence[Sequence[str]], marked: Sequence[Sequence[str]]) -> Features:
        """Features of texts: rows of the sentence encoder, tokens and marked tokens of `SafetyCheck.marked`."""
        return Features(
            dense @ self._axes,
            rows([spelling_bins(text) for text in tokens], self._rarity[0]),
            rows([word_bins(text) for text in marked], self._rarity[1]),
        )

    def kernel(self, features: Features) -> NDArray[Any]:
        """Likeness, 0 to 1, of each text with each support vector: shape (texts, support vectors)."""
        similar = np.zeros((len(features.dense), len(self._weights)), dtype=np.float32)
        for own, by_bin in ((features.spelling, self._spelling), (features.words, self._words)):
            by_bin.add_products(own, similar)
        similar *= np.float32(self._sparse_weight)
        similar += self._dense.products(features.dense)
        return spread(similar, self._width, self._sparse_weight)

    def score(self, kernel: NDArray[Any]) -> NDArray[Any]:
        """Above 0: rather a red flag; below: rather not. About -2 to 2."""
        return np.asarray(kernel @ self._weights + self._bias)

    def apart(self, kernel: NDArray[Any]) -> NDArray[Any]:
        """Above 0: rather of the group that `fit` was to tell apart; minus infinity where there was none."""
        if self._apart is None:
            return np.full(len(kernel), -np.inf)
        return np.asarray(kernel @ self._apart[0] + self._apart[1])

    def votes(self, kernel: NDArray[Any], nearest: int = 10) -> dict[int, float]:
        """The groups of the red flags nearest to one text (a row of `kernel`) and their shares, which sum to 1."""
        own = np.flatnonzero(self.groups >= 0)
        best = own[np.argsort(-kernel[own], kind="stable")[:nearest]]
        total = float(kernel[best].sum()) or 1.0
        shares: dict[int, float] = {}
        for place in best:
            group = int(self.groups[place])
            shares[group] = shares.get(group, 0.0) + float(kernel[place]) / total
        return shares


def spread(similar: NDArray[Any], width: float, sparse_weight: float) -> NDArray[Any]:
    """The Gaussian kernel of sums of three inner products of rows of length 1: float32, put in the place of the sums."""
    whole = 1 + 2 * sparse_weight
    slope = np.float32(2 * width / whole)
    similar *= slope
    similar -= np.float32(2 * width)
    return np.asarray(np.exp(similar, out=similar))


class Kernel:
    """The kernel between the texts of a training, worked out block by block; exact.

    Two thirds of a product of sparse rows are spent on a hundred bins that nearly every text has. The commonest bins are
    multiplied as dense columns, beside the sentence encoder's, and only the rest as sparse ones: a quarter of the time.
    """

    def __init__(self, features: Features, width: float, sparse_weight: float) -> None:
        from scipy.sparse import hstack

        self._width, self._sparse_weight = width, sparse_weight
        weight = np.float32(np.sqrt(sparse_weight))
        bins = hstack([features.spelling, features.words], format="csr") * weight
        texts = np.bincount(bins.indices, minlength=bins.shape[1])
        order = np.argsort(-texts, kind="stable")
        common, rare = order[:_COMMON], np.sort(order[_COMMON:][texts[order[_COMMON:]] > 1])
        self._dense = np.hstack([features.dense, bins[:, common].toarray()])
        self._rare = bins[:, rare]
        self._room = np.empty(0)

    def scores(self, some: NDArray[Any], others: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
        """What the kernel between each of some texts and others, by their numbers, weighs together: shape (len(some),)."""
        weighed = np.zeros(len(some))

        def keep(start: int, block: NDArray[Any]) -> None:
            weighed[start : start + len(block)] = block @ weights

        self._blocks(some, others, keep)
        return weighed

    def among(self, some: NDArray[Any]) -> NDArray[Any]:
        """The kernel between all pairs of a set of texts: float64, as the machine wants it; what was returned before is lost.

        It is a gigabyte, and the system takes longer to provide that than this to fill it; so what was provided once is used again,
        and a second set, which may be a fifth larger than the first, extends into what nobody touched so far.
        """
        count = len(some)
        if self._room.size < count * count:
            self._room = np.empty(int(1.2 * count) ** 2)
        kernel = self._room[: count * count].reshape(count, count)

        def keep(start: int, block: NDArray[Any]) -> None:
            kernel[start : start + len(block)] = block

        self._blocks(some, some, keep)
        return kernel

    def _blocks(self, one: NDArray[Any], other: NDArray[Any], keep: Callable[[int, NDArray[Any]], None]) -> None:
        """Work out the kernel, some rows at a time, on all cores, and hand over each block with the number of its first row."""
        columns, by_bin = self._dense[other].T, self._rare[other].T.tocsr()
        own = local()

        def work(start: int) -> None:
            some = one[start : start + _BLOCK]
            if not hasattr(own, "room"):
                own.room = np.empty((min(_BLOCK, len(one)), len(other)), dtype=np.float32)
            similar = np.matmul(self._dense[some], columns, out=own.room[: len(some)])
            products(self._rare[some], by_bin, similar)
            keep(start, spread(similar, self._width, self._sparse_weight))

        # Nearly all of it is done outside Python's global lock, and no block depends on another: the same sums on any machine.
        with ThreadPoolExecutor(os.cpu_count() or 1, "kernel") as threads:
            deque(threads.map(work, range(0, len(one), _BLOCK)), maxlen=0)


def fit(
    dense: NDArray[Any],
    tokens: Sequence[Sequence[str]],
    marked: Sequence[Sequence[str]],
    groups: NDArray[Any],
    *,
    width: float,
    sparse_weight: float,
    strictness: float,
    core: NDArray[np.bool_] | None = None,
    apart: int | None = None,
) -> Likeness:
    """Fit the machine.

    dense: (n, d) rows of length 1; groups: (n,) the number of the group, -1 for harmless texts; width: of the Gaussian;
    strictness: what a training example on the wrong side costs (C); core: (n,) which examples to begin with, by default all;
    apart: the number of a group that a second machine, on the support vectors of the first, is to tell from all else.
    The kernel of all pairs would be gigabytes. So a first machine learns from those to begin with; the second from what was on
    the margin of the first and from the others that it puts near the wrong side, since the rest would hardly become support
    vectors. (A third machine changed nothing. Random projections instead of the sparse bins took half of the time and alarmed
    on three times as many look-alikes.) Deterministic.
    """
    spelled, worded = [spelling_bins(text) for text in tokens], [word_bins(text) for text in marked]
    spelling_rarity, words_rarity = rarity(spelled), rarity(worded)
    turned = axes(dense, _AXES)
    packed = DenseRows.pack(dense.astype(np.float32) @ turned, "dense")
    # The machine learns from the rows as they will be, rounded to bytes.
    features = Features(DenseRows.unpacked(packed, "dense"), rows(spelled, spelling_rarity), rows(worded, words_rarity))
    del spelled, worded  # a third of a gigabyte, beside what follows
    taken = np.flatnonzero(core) if core is not None else np.arange(len(groups))
    others = np.setdiff1d(np.arange(len(groups)), taken)
    kernel = Kernel(features, width, sparse_weight)
    pairs = kernel.among(taken)
    machine = _machine(pairs, groups[taken] >= 0, strictness)
    chosen = taken[machine.support_]
    score = kernel.scores(others, chosen, machine.dual_coef_[0]) + machine.intercept_[0]
    found = others[np.where(groups[others] >= 0, -score, score) > _DOUBTFUL]
    if len(found):
        taken = np.concatenate([chosen, found])
        pairs = kernel.among(taken)
        machine = _machine(pairs, groups[taken] >= 0, strictness)
    chosen = taken[machine.support_]
    kept = features[chosen]
    second: dict[str, NDArray[Any]] = {}
    if apart is not None and 0 < np.count_nonzero(groups[chosen] == apart) < len(chosen):
        # Worked out again, in the same place: cut out of the pairs, it took another gigabyte.
        other = _machine(kernel.among(chosen), groups[chosen] == apart, strictness)
        weights = np.zeros(len(chosen), dtype=np.float32)
        weights[other.support_] = other.dual_coef_[0]
        second = {"apart_weights": weights, "apart_bias": np.asarray(other.intercept_[0], dtype=np.float32)}
    return Likeness(
        {
            **second,
            "axes": turned,
            **{name: values[chosen] for name, values in packed.items()},
            **Postings.pack(kept.spelling, "spelling"),
            **Postings.pack(kept.words, "words"),
            "weights": machine.dual_coef_[0].astype(np.float32),
            "bias": np.asarray(machine.intercept_[0], dtype=np.float32),
            "groups": groups[chosen].astype(np.int16),
            "spelling_rarity": spelling_rarity,
            "words_rarity": words_rarity,
            "shape": np.array([width, sparse_weight], dtype=np.float64),
        }
    )


def _machine(pairs: NDArray[Any], wanted: NDArray[np.bool_], strictness: float) -> Any:
    from sklearn.svm import SVC

    # Shrinking saves working out kernels, which are all there: with it the three machines took 16 s instead of 12.
    return SVC(C=strictness, kernel="precomputed", class_weight="balanced", shrinking=False).fit(pairs, wanted)
