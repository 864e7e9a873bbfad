"""The features of one message: its whole text and its segments, one row each."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

KEY = "vectors"


class Vectors:
    """Rows of features for a few texts of one message.

    Attributes:
        texts: the whole text first, then its segments, if any.
        dense: float32 array of shape (len(texts), dimensions); each row has length 1, or 0 for an empty text.
        sparse: CSR matrix of the same rows, or None before the `SparseFeaturizer`.
        all_of_it: float32 array of shape (dimensions,), of length 1: the mean over all of a text of which the encoder reads only
            the beginning and the end; of a shorter one the first row.
    """

    __slots__ = ("all_of_it", "dense", "sparse", "texts")

    def __init__(
        self,
        texts: list[str],
        dense: NDArray[Any],
        sparse: csr_matrix | None = None,
        all_of_it: NDArray[Any] | None = None,
    ) -> None:
        self.texts = texts
        self.dense = dense
        self.sparse = sparse
        self.all_of_it: NDArray[Any] = dense[0] if all_of_it is None else all_of_it

    def fingerprint(self) -> str:
        """Return a hash for Rasa's training cache; the texts decide the rows, so they are enough."""
        state = "\0".join(self.texts) + ("\1" if self.sparse is None else "\2")
        return hashlib.md5(state.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()

    def __repr__(self) -> str:
        return f"Vectors({self.fingerprint()})"


def of(message: Any) -> Vectors:
    """Return the vectors of a message.

    Raises:
        ValueError: no `SentenceEncoder` ran before.
    """
    vectors = message.get(KEY)
    if not isinstance(vectors, Vectors):
        raise ValueError(
            "no sentence vectors on the message: put hipwise.nlu.sentence_encoder.SentenceEncoder earlier in the pipeline"
        )
    return vectors
