"""Sentence vectors for the whole message and its segments."""

from __future__ import annotations

import os
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


def encode(texts: list[str], threads: int = 1) -> NDArray[Any]:
    """Return one row for each text: float32, shape (len(texts), 768), length 1, all zeros for a blank text."""
    rows = np.zeros((len(texts), minilm.DIMENSIONS), dtype=np.float32)
    wanted = [number for number, text in enumerate(texts) if text.strip()]
    if wanted:
        rows[wanted] = minilm.encoder().encode([texts[number] for number in wanted], threads)
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
        """Set the vector of every example with text; this is much of the training, so it takes every core.

        Segments are left out: an example is learnt as a whole.
        """
        examples = [message for message in training_data.training_examples if message.get(TEXT)]
        texts = [_texts(message)[0] for message in examples]
        unique = sorted(set(texts))
        place = {text: number for number, text in enumerate(unique)}
        rows = encode(unique, threads=os.cpu_count() or 1)
        for message, text in zip(examples, texts, strict=True):
            message.set(KEY, Vectors([text], rows[[place[text]]]))
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the vectors of each message."""
        for message in messages:
            texts = _texts(message)
            message.set(KEY, Vectors(texts, self._encode(texts)))
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


def _texts(message: Message) -> list[str]:
    whole = message.get(PLAIN)
    if whole is None:
        whole = message.get(TEXT) or ""
    return [whole, *(message.get(SEGMENTS) or ())]
