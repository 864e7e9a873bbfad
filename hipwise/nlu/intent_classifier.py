"""Which of the trained intents a text means, and how sure that is.

A linear model (multinomial logistic regression) on dense and sparse features together says which intent. Its probability
alone is over-confident about texts unlike anything it was trained on, so the score is the probability times the closeness
to the nearest training example.

Stored as plain arrays and JSON, so that loading a model can never run code.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, vstack

from hipwise.nlu.vectors import Vectors, of

_ARRAYS = "classifier.npz"
_LABELS = "labels.json"


class Model:
    """What training learnt: a linear model and the training examples to be close to."""

    def __init__(self, labels: list[str], arrays: dict[str, np.ndarray]) -> None:
        """Take the labels, and the arrays as they are stored."""
        self.labels = labels
        self.arrays = arrays
        self.dense_weights = arrays["dense_weights"]
        self.sparse_weights = arrays["sparse_weights"]
        self.bias = arrays["bias"]
        self.near_dense = arrays["near_dense"].astype(np.float32)
        rows = csr_matrix(
            (arrays["near_values"].astype(np.float32), arrays["near_columns"], arrays["near_ends"]),
            shape=(len(self.near_dense), len(self.sparse_weights)),
        )
        self.near_norms = np.sqrt(1 + np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
        self.near_sparse = rows.T.tocsr()

    def probabilities(self, dense: np.ndarray, sparse: csr_matrix) -> np.ndarray:
        """Return one row of probabilities for each row of features."""
        logits = dense @ self.dense_weights + sparse @ self.sparse_weights + self.bias
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        odds /= odds.sum(axis=1, keepdims=True)
        return odds

    def closeness(self, dense: np.ndarray, sparse: csr_matrix) -> np.ndarray:
        """Return the cosine, 0 to 1, of each row of features with each training example."""
        similar = dense @ self.near_dense.T
        similar += (sparse @ self.near_sparse).toarray()
        norms = np.sqrt(1 + np.asarray(sparse.multiply(sparse).sum(axis=1)))
        similar /= norms
        similar /= self.near_norms
        return np.clip(similar, 0.0, 1.0)


def fit(dense: np.ndarray, sparse: csr_matrix, intents: list[str], *, C: float, components: int, seed: int = 1) -> Model:
    """Learn a `Model` from rows of features and the intent of each."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.utils.extmath import randomized_svd

    labels = sorted(set(intents))
    if len(labels) < 2:
        raise ValueError("an intent classifier needs at least two intents")
    number = {label: position for position, label in enumerate(labels)}
    wanted = np.array([number[intent] for intent in intents])
    # The sparse features are tens of thousands; their strongest directions say as much and are fitted in a tenth of the time.
    size = min(components, min(sparse.shape) - 1)
    _, _, directions = randomized_svd(sparse, n_components=size, n_iter=2, random_state=seed)
    directions = directions.astype(np.float32)
    features = np.hstack([dense, sparse @ directions.T])
    model = LogisticRegression(C=C, max_iter=100, tol=1e-3).fit(features, wanted)
    weights, bias = model.coef_, model.intercept_
    if len(labels) == 2:
        weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    width = dense.shape[1]
    return Model(
        labels,
        {
            "dense_weights": np.ascontiguousarray(weights[:, :width].T, dtype=np.float32),
            "sparse_weights": np.ascontiguousarray(directions.T @ weights[:, width:].T, dtype=np.float32),
            "bias": bias.astype(np.float32),
            "near_dense": dense.astype(np.float16),
            "near_values": sparse.data.astype(np.float16),
            "near_columns": sparse.indices,
            "near_ends": sparse.indptr,
        },
    )


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(GraphComponent):  # type: ignore[misc]
    """Classifies the whole message and its segments.

    Options:
        exclude_intents: intents that other components decide; their examples are left out.
        C: the logistic regression's inverse regularisation.
        components: how many directions of the sparse features are kept while it is fitted.
        closeness: the power of the closeness in the score.
        ranking: how many intents ``intent_ranking`` and ``results`` hold.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options."""
        return {"exclude_intents": [], "C": 30.0, "components": 500, "closeness": 1.0, "ranking": 10}

    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, model: Model | None = None
    ) -> None:
        """Keep the options and, when loaded, the model."""
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

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
        return cls(config, model_storage, resource, Model(labels, arrays))

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the model on the examples with an intent."""
        excluded = set(self._config["exclude_intents"])
        examples = [
            message
            for message in training_data.training_examples
            if message.get(TEXT) and message.get(INTENT) and message.get(INTENT) not in excluded
        ]
        dense = np.vstack([of(message).dense[:1] for message in examples])
        sparse = vstack([of(message).sparse[:1] for message in examples], format="csr")
        intents = [message.get(INTENT) for message in examples]
        self._model = fit(dense, sparse, intents, C=self._config["C"], components=int(self._config["components"]))
        with self._model_storage.write_to(self._resource) as folder:
            np.savez(folder / _ARRAYS, **self._model.arrays)
            (folder / _LABELS).write_text(json.dumps(self._model.labels), encoding="utf-8")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set ``intent`` and ``intent_ranking`` from the whole text, and ``results`` for the whole and each segment."""
        for message in messages:
            results = self.classify(of(message))
            message.set("results", results)
            ranking = results[0]
            message.set(INTENT, dict(ranking[0]) if ranking else {"name": None, "confidence": 0.0}, add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def classify(self, vectors: Vectors) -> list[list[dict[str, Any]]]:
        """Return a ranking for each text: ``{"name", "confidence"}``, the best first; empty for a blank text."""
        model = self._model
        if model is None:
            return [[] for _ in vectors.texts]
        probabilities = model.probabilities(vectors.dense, vectors.sparse)
        nearest = model.closeness(vectors.dense, vectors.sparse).max(axis=1)
        scores = probabilities * (nearest ** self._config["closeness"])[:, None]
        results = []
        for row, dense in zip(scores, vectors.dense, strict=True):
            if not dense.any():
                results.append([])
                continue
            best = np.argsort(-row, kind="stable")[: int(self._config["ranking"])]
            results.append([{"name": model.labels[label], "confidence": float(row[label])} for label in best])
        return results
