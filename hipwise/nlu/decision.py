"""What a classified text is taken to mean: the rule that the question selector and the gate share.

An answer that the source does not hold is worse than a question turned away, and a text that falls between several intents of
one kind (say, three that are not covered) belongs to that kind even where a single intent of another is ahead. So the scores
are added up by kind first, those of answers count a little less, and the best intent of the best kind wins.

The numbers are found by cross-validation on the training data (``python -m benchmarks.thresholds``), which writes
``thresholds.json`` beside this file.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

THRESHOLDS = Path(__file__).with_name("thresholds.json")
ANSWER = "ask_"


class Group(NamedTuple):
    """The intents of one kind: the best of them, its score, and the sum of their scores."""

    name: str
    confidence: float
    mass: float


class Result(NamedTuple):
    """What the classifier says of one text."""

    ranking: list[dict[str, Any]]
    groups: dict[str, Group]


EMPTY = Result([], {})


class Decision(NamedTuple):
    """An intent, how sure it is, and whether that is enough to act on."""

    name: str
    confidence: float
    sure: bool


def decide(result: Result, *, threshold: float, answer_weight: float) -> Decision | None:
    """Return the intent of a text; None where there is nothing to classify.

    Args:
        result: what the classifier says.
        threshold: a confidence below it is not sure.
        answer_weight: what the scores of answers are multiplied with before kinds are compared; 1 is even.
    """
    if not result.ranking:
        return None
    name, confidence = result.ranking[0]["name"], result.ranking[0]["confidence"]
    if result.groups:
        weight = {prefix: answer_weight if prefix == ANSWER else 1.0 for prefix in result.groups}
        kind = max(result.groups, key=lambda prefix: (result.groups[prefix].mass * weight[prefix], prefix))
        group = result.groups[kind]
        name, confidence = group.name, group.confidence
        # Being torn between intents of one kind is no reason not to know the kind.
        return Decision(name, confidence, group.mass >= threshold)
    return Decision(name, confidence, confidence >= threshold)


@cache
def thresholds() -> dict[str, float]:
    """Return the numbers that cross-validation found."""
    return dict(json.loads(THRESHOLDS.read_text(encoding="utf-8"))["thresholds"])


def option(config: dict[str, Any], name: str) -> float:
    """Return an option of a component; where it is None, what cross-validation found."""
    value = config[name]
    return float(thresholds()[name] if value is None else value)
