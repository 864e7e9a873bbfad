"""Cross-validation of the shipped classifier on labelled sentences, for thresholds and for reports.

Everything up to the sentence vectors is the same for every fold, since none of it learns from labels, so it is computed once;
the sparse features and the classifier are trained anew for each fold.
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import INTENT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from benchmarks._pipeline import Pipeline
from hipwise.nlu.decision import Result
from hipwise.nlu.vectors import KEY, Vectors

_LEARNT = ("SparseFeaturizer", "IntentClassifier")
_AFTER = ("QuestionSelector", "IntentGate", "RedFlagClassifier", "RedFlagDetector", *_LEARNT)

OUT_OF_SCOPE = "NO_NODES_DETECTED"
Split = tuple[NDArray[Any], NDArray[Any]]


@dataclass
class Fold:
    """What a model trained on one part of the examples says of the others."""

    tested: NDArray[Any]  # positions of the examples asked
    known: NDArray[Any]  # whether the intent of each was among those trained
    results: list[Result]


class CrossValidation:
    """The examples of some training data, ready to be split again and again.

    Args:
        parts: the pipeline section.
        training_data: the labelled sentences.
    """

    def __init__(self, parts: list[dict[str, Any]], training_data: TrainingData) -> None:
        """Encode every example once."""
        before = [part for part in parts if part["name"].rpartition(".")[2] not in _AFTER]
        self._learnt = [part for part in parts if part["name"].rpartition(".")[2] in _LEARNT]
        excluded = set(self._learnt[-1].get("exclude_intents", ()))
        Pipeline(before, training_data)
        self.messages = [m for m in training_data.training_examples if m.get(INTENT) and m.get(INTENT) not in excluded]
        self.intents = np.array([message.get(INTENT) for message in self.messages])
        self.texts = [str(message.get("text")) for message in self.messages]
        self._context = ExecutionContext(graph_schema=GraphSchema({}), model_id="benchmark")

    def fold(self, train: NDArray[Any], test: NDArray[Any]) -> Fold:
        """Train on some examples and ask about others."""
        with tempfile.TemporaryDirectory() as folder:
            storage = LocalModelStorage.create(Path(folder))
            components = []
            for part in self._learnt:
                module, _, name = part["name"].rpartition(".")
                kind = getattr(importlib.import_module(module), name)
                config = {**kind.get_default_config(), **{key: value for key, value in part.items() if key != "name"}}
                components.append(kind.create(config, storage, Resource(name), self._context))
            featurizer, classifier = components
            data = TrainingData([self._copy(number) for number in train])
            featurizer.train(data)
            classifier.train(featurizer.process_training_data(data))
            asked = [self._copy(number) for number in test]
            results = [message.get("results")[0] for message in classifier.process(featurizer.process(asked))]
        return Fold(test, np.isin(self.intents[test], np.unique(self.intents[train])), results)

    def _copy(self, number: int) -> Message:
        message = self.messages[number]
        vectors: Vectors = message.get(KEY)
        data = {INTENT: message.get(INTENT), "text": message.get("text"), "terms": message.get("terms")}
        return Message(data={**data, KEY: Vectors(vectors.texts[:1], vectors.dense[:1], all_of_it=vectors.all_of_it)})

    def stratified(self, folds: int, seed: int = 0) -> Iterator[Split]:
        """Yield splits into train and test in which every example is tested once and every intent is spread evenly."""
        rng = np.random.default_rng(seed)
        place = np.empty(len(self.intents), dtype=int)
        start = 0
        for intent in np.unique(self.intents):
            members = rng.permutation(np.flatnonzero(self.intents == intent))
            place[members] = (np.arange(len(members)) + start) % folds
            start += len(members)
        for number in range(folds):
            yield np.flatnonzero(place != number), np.flatnonzero(place == number)

    def sample(self, train: int, test: int, seed: int = 0) -> Split:
        """Return so many examples of each intent to train on, and so many others to ask, for what trains slowly."""
        rng = np.random.default_rng(seed)
        drawn = [rng.permutation(np.flatnonzero(self.intents == intent))[: train + test] for intent in np.unique(self.intents)]
        return np.sort(np.concatenate([some[:train] for some in drawn])), np.sort(np.concatenate([some[train:] for some in drawn]))

    def leaving_out(self, times: int, share: float = 0.3, seed: int = 0) -> Iterator[Split]:
        """Yield splits in which the test part holds whole intents that training never saw.

        Args:
            times: how many splits.
            share: of the intents that are left out, and of the examples of every other that are tested.
            seed: of the choice.
        """
        rng = np.random.default_rng(seed)
        names = np.unique(self.intents)
        for _ in range(times):
            gone = set(rng.permutation(names)[: max(1, round(share * len(names)))])
            train: list[int] = []
            test: list[int] = []
            for intent in names:
                members = rng.permutation(np.flatnonzero(self.intents == intent))
                held = len(members) if intent in gone else round(share * len(members)) if len(members) > 2 else 0
                test += list(members[:held])
                train += list(members[held:])
            yield np.array(sorted(train)), np.array(sorted(test))


def best_threshold(truth: Sequence[str], predicted: Sequence[str], scores: NDArray[Any]) -> tuple[float, float]:
    """Return the threshold with the highest Matthews correlation, and that correlation (-1 to 1).

    A score below the threshold means out of scope. Truth and prediction are compared over all rows, ``OUT_OF_SCOPE`` being
    one more label, as HINT3 does.
    """
    from sklearn.metrics import matthews_corrcoef

    best = (0.0, -1.0)
    guesses = np.array(predicted, dtype=object)
    for threshold in np.unique(np.concatenate([[0.0], np.quantile(scores, np.linspace(0, 1, 101))])):
        value = matthews_corrcoef(list(truth), list(np.where(scores >= threshold, guesses, OUT_OF_SCOPE)))
        if value > best[1]:
            best = (float(threshold), float(value))
    return best
