"""Rasa's default NLU pipeline, run in an environment of its own; nothing of this project is imported.

Reads ``{"train": [sentences, labels], "test": sentences}`` from standard input and writes one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
import time
from pathlib import Path

# As `rasa init` writes it.
CONFIG = """
recipe: default.v1
language: en
pipeline:
- name: WhitespaceTokenizer
- name: RegexFeaturizer
- name: LexicalSyntacticFeaturizer
- name: CountVectorsFeaturizer
- name: CountVectorsFeaturizer
  analyzer: char_wb
  min_ngram: 1
  max_ngram: 4
- name: DIETClassifier
  epochs: 100
  constrain_similarities: true
  random_seed: 1
- name: EntitySynonymMapper
- name: FallbackClassifier
  threshold: 0.0
  ambiguity_threshold: 0.0
"""


def main() -> None:
    """Train, parse, print."""
    logging.disable(logging.WARNING)
    from rasa.core.agent import Agent
    from rasa.model_training import train_nlu
    from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLWriter
    from rasa.shared.nlu.training_data.message import Message
    from rasa.shared.nlu.training_data.training_data import TrainingData

    request = json.load(sys.stdin)
    sentences, labels = request["train"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        examples = [
            Message.build(text=" ".join(sentence.split()), intent=label)
            for sentence, label in zip(sentences, labels, strict=True)
            if sentence.strip()
        ]
        (folder / "nlu.yml").write_text(RasaYAMLWriter().dumps(TrainingData(examples)), encoding="utf-8")
        (folder / "config.yml").write_text(CONFIG, encoding="utf-8")
        started = time.process_time()
        model = train_nlu(str(folder / "config.yml"), str(folder / "nlu.yml"), output=name, fixed_model_name="stock")
        trained = time.process_time()
        agent = Agent.load(model_path=model)
        intents, confidences, taken = [], [], []

        async def ask() -> None:
            for sentence in request["test"]:
                begin = time.perf_counter()
                result = await agent.parse_message(sentence or " ")
                taken.append(time.perf_counter() - begin)
                intents.append(result["intent"]["name"])
                confidences.append(result["intent"]["confidence"])

        asyncio.run(ask())
    taken.sort()
    answer = {"intents": intents, "confidences": confidences, "train_seconds": trained - started}
    print(json.dumps({**answer, "parse_ms_median": 1000 * taken[len(taken) // 2]}))


if __name__ == "__main__":
    main()
