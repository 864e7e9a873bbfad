"""Sentence vectors for the whole message and its segments."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from hipwise.nlu import minilm
from hipwise.nlu.question_splitter import SEGMENTS
from hipwise.nlu.spelling_normalizer import PLAIN
from hipwise.nlu.vectors import KEY, Vectors

# Words in a piece of a text of which the encoder does not read the whole.
_PIECE = 45


def encode(texts: list[str]) -> NDArray[Any]:
    """Return one row for each text: float32, shape (len(texts), 768), length 1, all zeros for a blank text."""
    rows = np.zeros((len(texts), minilm.DIMENSIONS), dtype=np.float32)
    wanted = [number for number, text in enumerate(texts) if text.strip()]
    if wanted:
        rows[wanted] = minilm.encoder().encode([texts[number] for number in wanted])
    return rows


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceEncoder(GraphComponent):
    """Encodes the whole message and its segments in one batch.

    Options:
        remember: how many of the latest texts keep their vectors (3 KB each): buttons and greetings come again and again.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options."""
        return {"remember": 400}

    def __init__(self, config: dict[str, Any]) -> None:
        """Keep the options."""
        self._remember = int(config["remember"])
        self._lock = threading.Lock()
        self._latest: OrderedDict[str, NDArray[Any]] = OrderedDict()

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> SentenceEncoder:
        """Make the component; the weights are read here, so that the first message does not wait for them."""
        minilm.encoder()
        return cls(config)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Set the vector of every example with text; this is much of the training.

        Segments are left out: an example is learnt as a whole.
        """
        examples = [message for message in training_data.training_examples if message.get(TEXT)]
        texts = [_texts(message)[0] for message in examples]
        cut = {text: pieces(text) for text in texts}
        unique = sorted({*texts, *(piece for found in cut.values() for piece in found)})
        place = {text: number for number, text in enumerate(unique)}
        rows = encode(unique)
        for message, text in zip(examples, texts, strict=True):
            whole = _mean(rows[[place[piece] for piece in cut[text]]]) if cut[text] else None
            message.set(KEY, Vectors([text], rows[[place[text]]], all_of_it=whole))
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the vectors of each message."""
        for message in messages:
            texts = _texts(message)
            cut = pieces(texts[0])
            rows = self._encode(texts + cut)
            whole = _mean(rows[len(texts) :]) if cut else None
            message.set(KEY, Vectors(texts, rows[: len(texts)], all_of_it=whole))
        return messages

    def _encode(self, texts: list[str]) -> NDArray[Any]:
        with self._lock:
            known = {text: self._latest[text] for text in texts if text in self._latest}
        missing = list(dict.fromkeys(text for text in texts if text not in known))
        if missing:
            known.update(zip(missing, encode(missing), strict=True))
        with self._lock:
            for text in texts:
                self._latest[text] = known[text]
                self._latest.move_to_end(text)
            while len(self._latest) > self._remember:
                self._latest.popitem(last=False)
        return np.stack([known[text] for text in texts])


def pieces(text: str) -> list[str]:
    """Return a text that is too long to be read at once in pieces that are not; none for a shorter one."""
    if not minilm.encoder().pieces.cut(text):
        return []
    words = text.split()
    return [" ".join(words[start : start + _PIECE]) for start in range(0, len(words), _PIECE)]


def _mean(rows: NDArray[Any]) -> NDArray[Any]:
    mean: NDArray[Any] = rows.mean(axis=0)
    return mean / (float(np.linalg.norm(mean)) or 1.0)


def _texts(message: Message) -> list[str]:
    whole = message.get(PLAIN)
    if whole is None:
        whole = message.get(TEXT) or ""
    return [whole, *(message.get(SEGMENTS) or ())]
