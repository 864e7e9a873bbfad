"""Which of the trained intents a text means, and how sure that is.

A linear model (multinomial logistic regression) on dense and sparse features together says which intent, and the nearest
training example of each intent has a vote (1.5 points more in cross-validation on our data). Its probability alone is
over-confident about texts unlike anything it was trained on, so the score is the probability times the squared cosine with
the nearest training example. Tried and dropped, by leaving intents out: the probability alone, its entropy, the largest or
summed logits, the mean over several neighbours, neighbours of the winning intent only, closeness by dense features only, a
logistic regression over all of these. None was better by more than 0.2 points of MCC.

Stored as plain arrays and JSON, so that loading a model can never run code.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, vstack

from hipwise.nlu.decision import EMPTY, Group, Result
from hipwise.nlu.question_splitter import QUESTION_FLAGS
from hipwise.nlu.vectors import Vectors, of
from hipwise.rows.dense import DenseRows, axes
from hipwise.rows.sparse import SparseRows

_ARRAYS = "classifier.npz"
_LABELS = "labels.json"
# The nearest example is looked for along the 192 strongest axes, since comparing with every example is much of the work:
# a quarter of the time and of the memory of all 768, for the same held-out messages right (128 lose a few).
_AXES = 192
# Of about how many examples nearest in meaning the words are compared. Of 630 held-out texts the nearest example in all was among
# 256 in 629; comparing the words of all of them took as long as all else here. How near these are is read off every eighth example,
# since ordering all took as long as comparing.
_NEAREST, _SAMPLED = 384, 8


class Model:
    """What training learnt: a linear model and the training examples to be close to."""

    def __init__(self, labels: list[str], arrays: dict[str, NDArray[Any]], *, keep: bool = True) -> None:
        """Take the labels, and the arrays as they are stored; a model that only answers need not keep these."""
        self.labels = labels
        self.arrays = arrays if keep else {}
        self._dense_weights = arrays["dense_weights"]
        self._sparse_weights, self._sparse_scale = arrays["sparse_weights"], arrays["sparse_scale"]
        self._bias = arrays["bias"]
        self._axes = arrays["axes"]
        self._near = DenseRows(arrays, "near_dense")
        self._near_words = SparseRows(arrays, "near_words")
        self._near_norms = arrays["near_norms"]
        self._starts = arrays["starts"]

    def scores(self, dense: NDArray[Any], sparse: csr_matrix, votes: float, temper: float, closeness: float) -> NDArray[Any]:
        """Return one row of scores, 0 to 1, for each row of features; see `IntentClassifier` for the options."""
        similar = self._near.products(dense @ self._axes)
        logits = np.log(self.probabilities(dense, sparse) + np.float32(1e-12))
        # The training examples are in the order of the labels, so each label's are a slice.
        logits += votes * np.maximum.reduceat(similar, self._starts, axis=1)
        nearest = np.array([self._nearest(row, sparse, number) for number, row in enumerate(similar)], dtype=np.float32)
        nearest = np.clip(nearest / _norms(sparse), 0.0, 1.0)
        scores: NDArray[Any] = _softmax(logits / temper) * (nearest**closeness)[:, None]
        return scores

    def _nearest(self, similar: NDArray[Any], sparse: csr_matrix, number: int) -> float:
        """Return the largest product of a row with an example, dense and sparse together, divided by the example's length.

        Of about `_NEAREST` examples whose dense part is the most alike; of all, where there are no more.
        """
        if len(similar) <= _NEAREST:
            picked = np.arange(len(similar), dtype=np.int32)
        else:
            sample = similar[::_SAMPLED]
            place = len(sample) - _NEAREST // _SAMPLED
            picked = np.flatnonzero(similar >= np.partition(sample, place)[place]).astype(np.int32)
        products = similar[picked] + self._near_words.products(sparse, number, picked)
        return float((products / self._near_norms[picked]).max())

    def probabilities(self, dense: NDArray[Any], sparse: csr_matrix) -> NDArray[Any]:
        """Return the linear model's probabilities, one row for each row of features."""
        logits = dense @ self._dense_weights + self._bias
        # The weights are kept in 8 bits and a scale for each feature; only the rows that a text has are widened.
        for row, (start, end) in enumerate(pairwise(sparse.indptr)):
            columns = sparse.indices[start:end]
            values = sparse.data[start:end] * self._sparse_scale[columns]
            logits[row] += values @ self._sparse_weights[columns].astype(np.float32)
        return _softmax(logits)


def _norms(sparse: csr_matrix) -> NDArray[Any]:
    """Return the length of each row together with its dense part, whose length is 1."""
    # By running sums: scipy's own way takes 0.1 ms for a message, all of it in Python.
    squares = np.concatenate([[0.0], np.cumsum(np.square(sparse.data, dtype=np.float64))])
    norms: NDArray[Any] = np.sqrt(1 + squares[sparse.indptr[1:]] - squares[sparse.indptr[:-1]]).astype(np.float32)
    return norms


def fit(dense: NDArray[Any], sparse: csr_matrix, intents: list[str], *, strength: float, components: int, rounds: int) -> Model:
    """Learn a `Model` from rows of features and the intent of each.

    The sparse features are tens of thousands; the model is fitted on their strongest directions, which say as much and take
    a tenth of the time, and its weights are turned back into weights of the features.

    Raises:
        ValueError: there are fewer than two intents.
    """
    from sklearn.utils.extmath import randomized_svd

    labels = sorted(set(intents))
    if len(labels) < 2:
        raise ValueError("an intent classifier needs examples of at least two intents")
    number = {label: position for position, label in enumerate(labels)}
    wanted = np.array([number[intent] for intent in intents])
    order = np.argsort(wanted, kind="stable")
    wanted, dense, sparse = wanted[order], dense[order], sparse[order]
    size = max(1, min(components, min(sparse.shape) - 1))
    _, _, directions = randomized_svd(sparse, n_components=size, n_iter=2, random_state=1)
    directions = directions.astype(np.float32)
    features = np.hstack([dense, sparse @ directions.T, np.ones((len(wanted), 1), dtype=np.float32)])
    weights = _logistic_regression(features, wanted, len(labels), strength, rounds)
    width = dense.shape[1]
    sparse_weights = directions.T @ weights[width:-1]
    scale = np.maximum(np.abs(sparse_weights).max(axis=1), 1e-12) / 127
    turned = axes(dense, _AXES)
    return Model(
        labels,
        {
            "dense_weights": np.ascontiguousarray(weights[:width]),
            "sparse_weights": np.rint(sparse_weights / scale[:, None]).astype(np.int8),
            "sparse_scale": scale.astype(np.float32),
            "bias": weights[-1],
            "axes": turned,
            **DenseRows.pack(dense @ turned, "near_dense"),
            **SparseRows.pack(sparse, "near_words"),
            "near_norms": _norms(sparse),
            "starts": np.searchsorted(wanted, np.arange(len(labels))),
        },
    )


def _logistic_regression(features: NDArray[Any], wanted: NDArray[Any], classes: int, strength: float, rounds: int) -> NDArray[Any]:
    """Return the weights of a multinomial logistic regression, the last row the bias; shape (features, classes).

    Newton's method with Boehning's fixed bound on the curvature (Annals of the Institute of Statistical Mathematics 44,
    1992), so that one matrix is inverted once, and Nesterov's momentum with restarts. Sixty rounds come further than
    scikit-learn's lbfgs with a tolerance of 0.001, in half of the time, and always to the same numbers.
    """
    penalty = np.full(features.shape[1], 1 / strength, dtype=np.float32)
    penalty[-1] = 1e-3
    curvature = 0.5 * (features.T @ features).astype(np.float64) + np.diag(penalty)
    step = np.linalg.inv(curvature).astype(np.float32)
    rows = np.arange(len(wanted))
    weights = np.zeros((features.shape[1], classes), dtype=np.float32)
    ahead = weights
    pace = 1.0
    for _ in range(rounds):
        error = _softmax(features @ ahead)
        error[rows, wanted] -= 1
        moved = ahead - step @ (features.T @ error + penalty[:, None] * ahead)
        if np.sum((ahead - moved) * (moved - weights)) > 0:
            pace, ahead = 1.0, moved
        else:
            following = (1 + np.sqrt(1 + 4 * pace * pace)) / 2
            ahead = moved + np.float32((pace - 1) / following) * (moved - weights)
            pace = following
        weights = moved
    return weights


def _softmax(logits: NDArray[Any]) -> NDArray[Any]:
    logits = logits - logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    odds: NDArray[Any] = logits / logits.sum(axis=1, keepdims=True)
    return odds


def _sparse(vectors: Vectors) -> csr_matrix:
    if vectors.sparse is None:
        raise ValueError("no sparse features on the message: put hipwise.nlu.sparse_featurizer.SparseFeaturizer earlier")
    return vectors.sparse


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(GraphComponent):
    """Classifies the whole message and its segments.

    Options:
        exclude_intents: intents that other components decide; their examples are left out.
        strength: how much the examples weigh against the wish for small weights (scikit-learn's ``C``).
        components: how many directions of the sparse features are kept while the model is fitted.
        rounds: how many steps the fit takes.
        votes: how much the nearest example of each intent adds to its logit, times its cosine.
        temper: what the logits are divided by then, since votes make them sharper.
        closeness: the power of the closeness in the score.
        ranking: how many intents ``intent_ranking`` and ``results`` hold.
        groups: beginnings of intent names that stand for one kind of reply each; what they add up to is left in ``results``.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options."""
        return {
            "exclude_intents": [],
            "strength": 20.0,
            "components": 300,
            "rounds": 60,
            "votes": 8.0,
            "temper": 1.5,
            "closeness": 2.0,
            "ranking": 10,
            "groups": [],
        }

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, model: Model | None = None) -> None:
        """Keep the options and, when loaded, the model."""
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._set(model)

    def _set(self, model: Model | None) -> None:
        self._model = model
        self._groups: dict[str, NDArray[Any]] = {}
        labels = model.labels if model else []
        for prefix in self._config["groups"]:
            members = [number for number, label in enumerate(labels) if label.startswith(prefix)]
            if members:
                self._groups[prefix] = np.array(members)

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> IntentClassifier:
        """Make an untrained component."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> IntentClassifier:
        """Read the model; pickled objects are refused."""
        with model_storage.read_from(resource) as folder:
            labels = json.loads((folder / _LABELS).read_text(encoding="utf-8"))
            with np.load(folder / _ARRAYS, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
        return cls(config, model_storage, resource, Model(labels, arrays, keep=False))

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the model on the examples with an intent."""
        excluded = set(self._config["exclude_intents"])
        examples = [
            message
            for message in training_data.training_examples
            if message.get(TEXT) and message.get(INTENT) and message.get(INTENT) not in excluded
        ]
        dense = np.vstack([of(message).dense[:1] for message in examples])
        sparse = vstack([_sparse(of(message))[:1] for message in examples], format="csr")
        intents = [message.get(INTENT) for message in examples]
        model = fit(
            dense,
            sparse,
            intents,
            strength=float(self._config["strength"]),
            components=int(self._config["components"]),
            rounds=int(self._config["rounds"]),
        )
        with self._model_storage.write_to(self._resource) as folder:
            np.savez(folder / _ARRAYS, **model.arrays)
            (folder / _LABELS).write_text(json.dumps(model.labels), encoding="utf-8")
        self._set(model)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set ``intent`` and ``intent_ranking`` from the whole text, and ``results`` for the whole and each segment that asks."""
        for message in messages:
            asking = message.get(QUESTION_FLAGS) or []
            results = self.classify(of(message), [True, *asking] if asking else None)
            message.set("results", results)
            ranking = results[0].ranking
            message.set(INTENT, dict(ranking[0]) if ranking else {"name": None, "confidence": 0.0}, add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def classify(self, vectors: Vectors, wanted: Sequence[bool] | None = None) -> list[Result]:
        """Return what each text means; an empty result for a blank text, one that is not wanted, and before training."""
        model = self._model
        results = [EMPTY for _ in vectors.texts]
        asked = np.flatnonzero(vectors.dense.any(axis=1) & (True if wanted is None else np.array(wanted)))
        if model is None or not len(asked):
            return results
        options = (self._config["votes"], self._config["temper"], self._config["closeness"])
        dense, sparse = vectors.dense, _sparse(vectors)
        if len(asked) < len(results):
            dense, sparse = dense[asked], sparse[asked]
        scores = model.scores(dense, sparse, *options)
        for row, place in zip(scores, asked, strict=True):
            best = np.argsort(-row, kind="stable")[: int(self._config["ranking"])]
            ranking = [{"name": model.labels[label], "confidence": float(row[label])} for label in best]
            groups = {}
            for prefix, members in self._groups.items():
                winner = int(members[row[members].argmax()])
                groups[prefix] = Group(model.labels[winner], float(row[winner]), float(row[members].sum()))
            results[place] = Result(ranking, groups)
        return results
