"""Decides which questions a message asks: one, or up to three in the order they were asked."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from hipwise.nlu import text as textual
from hipwise.nlu.decision import ANSWER, EMPTY, Decision, Result, decide, option
from hipwise.nlu.question_splitter import QUESTION_FLAGS, SEGMENTS, asks
from hipwise.nlu.red_flags import SAFETY

QUESTIONS = "questions"
_MARK = "?"
_TURNED_AWAY = ("not_covered_", "refer_", "out_of_scope_")
# What is said around a question and needs no reply of its own beside it ("can you help me?", "are you sure?").
_ASIDE = (
    "smalltalk_",
    "clarify_",
    "follow_up_",
    "service_help",
    "service_feedback",
    "service_repeat",
    "service_simpler",
    "service_reliability",
)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class QuestionSelector(GraphComponent):
    """Sets ``questions``, and moves ``intent`` and ``intent_ranking`` to the first of them.

    Options:
        most: how many questions are answered.
        context: words up to which a message with one question is understood better as a whole than by that question; a longer one
            is a story.
        clearer: how many times surer than the whole of a story a question in it must be to be answered, where the whole is turned
            away: an answer beside the point is worse than none.
        beside: what a part of a story must score beside the clearest one, as a share of its score.
        unmarked: the same for a part without a question mark where others have one: "tell me what you think, says my wife" is part
            of the story. (The same share for all lost every third of two questions in a long message.)
        beside_whole: what a part that means something else than the whole must score beside the whole, as a share of its score: "is
            my GP the right person or do I need a bone specialist" is one question.
        part: the score that a part of a message must have to be a question of its own; None: from cross-validation.
        threshold, answer_weight: see `hipwise.nlu.decision.decide`; None: from cross-validation.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options."""
        return {
            "most": 3,
            "beside": 0.25,
            "unmarked": 0.65,
            "beside_whole": 0.4,
            "context": 25,
            "clearer": 2.0,
            "part": None,
            "threshold": None,
            "answer_weight": None,
        }

    def __init__(self, config: dict[str, Any]) -> None:
        """Keep the options."""
        self._most = int(config["most"])
        self._beside = float(config["beside"])
        self._unmarked = float(config["unmarked"])
        self._beside_whole = float(config["beside_whole"])
        self._context = int(config["context"])
        self._clearer = float(config["clearer"])
        self._part = option(config, "part")
        self._limits = {name: option(config, name) for name in ("threshold", "answer_weight")}

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> QuestionSelector:
        """Make the component."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Set ``questions`` on each message; a message without words has none."""
        for message in messages:
            chosen = self.select(
                message.get(TEXT) or "",
                message.get(SEGMENTS) or [],
                message.get(QUESTION_FLAGS) or [],
                message.get("results") or [EMPTY],
                alone=bool(message.get(SAFETY)),
            )
            questions = [
                {
                    "text": text,
                    "intent": decision.name,
                    "confidence": decision.confidence,
                    # After emergency advice only what was really asked is answered, not what a story sounded like.
                    "asks": asks(textual.plain(text)),
                }
                for text, decision, _ in chosen
            ]
            message.set(QUESTIONS, questions, add_to_output=True)
            if chosen:
                _, decision, result = chosen[0]
                message.set(INTENT, {"name": decision.name, "confidence": decision.confidence}, add_to_output=True)
                message.set("intent_ranking", _first(result.ranking, decision), add_to_output=True)
                message.set("sure", decision.sure)
        return messages

    def select(
        self, text: str, segments: list[str], flags: list[bool], results: list[Result], *, alone: bool = False
    ) -> list[tuple[str, Decision, Result]]:
        """Return the text of each question, what it means, and the result that says so.

        Args:
            text: the whole message as typed.
            segments: its parts, if there are several.
            flags: whether each part reads like a question.
            results: of the whole, then of each part.
            alone: the words around a question are of an emergency, and say nothing about what is asked.
        """
        whole = decide(results[0], **self._limits)
        if whole is None:
            return []
        parts: list[tuple[str, Decision, Result]] = []
        for segment, flag, result in zip(segments, flags, results[1:], strict=False):
            decision = decide(result, **self._limits)
            if decision is None or not flag or decision.confidence < self._part or decision.name.startswith(_ASIDE):
                continue
            if all(decision.name != other.name for _, other, _ in parts):
                parts.append((segment, decision, result))
        # What only sounds a little like a question in a story stands far behind the one that is asked.
        story = len(text.split()) > self._context
        if story and parts:
            clearest = max(decision.confidence for _, decision, _ in parts)
            marks = any(_MARK in segment for segment, _, _ in parts)
            parts = [
                part
                for part in parts
                if part[1].confidence >= clearest * (self._unmarked if marks and _MARK not in part[0] else self._beside)
            ]
        if len(parts) > 1 and not alone:
            parts = self._apart(whole, parts)
            if len(parts) < 2:
                return [(text, whole, results[0])]
        if not parts:
            return [(text, whole, results[0])]
        if len(parts) == 1:
            # One question among other words: the whole knows the context, the part is free of the story.
            part = parts[0]
            # "Restless legs keep me awake, what is the cause?": in a short message the words around it belong to the question.
            short = not alone and not story
            enough = whole.confidence * (self._clearer if _answers_what_was_turned_away(part[1], whole) else 1.0)
            if part[1].name == whole.name or part[1].confidence <= enough or short:
                return [(text, whole, results[0])]
            return parts
        return parts[: self._most]

    def _apart(self, whole: Decision, parts: list[tuple[str, Decision, Result]]) -> list[tuple[str, Decision, Result]]:
        """The parts that are questions of their own beside what the whole means; none where the whole is clearer than each.

        A clause cut off is often taken for something else: most of what was answered wrong was right in the whole.
        """
        if all(decision.name != whole.name for _, decision, _ in parts):
            return [] if all(whole.confidence >= decision.confidence for _, decision, _ in parts) else parts
        least = self._beside_whole * whole.confidence
        return [part for part in parts if part[1].name == whole.name or part[1].confidence >= least]


def _answers_what_was_turned_away(part: Decision, whole: Decision) -> bool:
    return part.name.startswith(ANSWER) and whole.name.startswith(_TURNED_AWAY)


def _first(ranking: list[dict[str, Any]], decision: Decision) -> list[dict[str, Any]]:
    """Return the ranking with what was decided at its head."""
    others = [entry for entry in ranking if entry["name"] != decision.name]
    return [{"name": decision.name, "confidence": decision.confidence}, *others]
