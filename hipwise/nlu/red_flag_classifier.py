"""The statistical part of the safety check: red flags in words that no rule knows, and what possible cues amount to."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from hipwise.nlu import text as textual
from hipwise.nlu.question_splitter import QUESTION_FLAGS, SEGMENTS, parts
from hipwise.nlu.red_flags import FINDING, SAFETY
from hipwise.nlu.sentence_encoder import encode
from hipwise.nlu.vectors import of
from hipwise.paths import KNOWLEDGE
from hipwise.safety import SafetyCheck, SafetyFinding
from hipwise.safety.likeness import Likeness, fit

RED_FLAG, CRISIS, LOOK_ALIKE = "red_flag", "crisis", "look_alike"
_CRISIS_GROUP, _GENERAL = "self_harm", "general"
_ARRAYS, _GROUPS = "red_flags.npz", "groups.json"
# Of a story: the weight of its loudest statement beside the whole, and what that is where nothing in it asks: as usual statements.
_HALF, _QUIET = 0.5, -1.2


@dataclass(frozen=True)
class Opinion:
    """What the classifier makes of one message.

    likeness: above 0 rather a red flag, below rather not; about -2 to 2; crisis: the same of a crisis against all else, minus
    infinity where none was learnt; loudest: the likeness of the message or of that statement in it that is most like a red flag;
    words: how many the message has; story: it has so many that its likeness is that of the whole and of that statement together.
    """

    likeness: float
    alarm: bool
    group: str
    crisis: float = -math.inf
    loudest: float = -math.inf
    story: bool = False
    words: int = 0


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class RedFlagClassifier(GraphComponent):  # type: ignore[misc, unused-ignore]
    """Adds a finding where a text is like the red flags that people wrote and the rules found none; after the SentenceEncoder.

    What the rules found by firm patterns stays. What rests on possible ones only needs a little likeness as well, since new
    authors' look-alikes set off one in ten. An added finding has the group of most of the red flags that the text is like, or
    ``general``. Whether it is a crisis as well a machine of its own says, since a hint in a long story is outvoted by the pain
    around it; it also settles possible cues of self-harm beside others ("stepped off the bus and felt a pop"). (Tried and
    dropped: letting it set aside any finding of a single cue. It halved the false alarms, and took back "as of this afternoon I
    am completely unable to bear weight". The share of crises among the nearest red flags instead of the machine.)

    It trains on the intents red_flag (with ``metadata: {group: ...}``), crisis and look_alike, and on all others as harmless.

    Options:
        rules: path of the rules; empty: knowledge/safety.yml.
        threshold: likeness from which it alarms; `python -m benchmarks.safety --threshold` says what each costs.
        part: how much more a statement within the message must have, which is looked at because an ordinary question beside it
            hides it ("I'm taking the whole bottle. Does the MRI show healing?").
        doubt: likeness below which the possible cues of the rules do not count; where a statement in the message is more like a red
            flag than the whole, it is that of the statement.
        hint: likeness to a crisis from which possible cues of self-harm do count all the same.
        certain: likeness below which not even the firm cues count, where there is no likeness to a crisis (``no_crisis``) either;
            none of the held-out red flags is lost by it.
        crisis, despair: likeness to a crisis from which it alarms, where that and the likeness to a red flag come to ``despair``.
        crisis_too: likeness to a crisis from which an alarm for another reason is one for a crisis as well.
        no_crisis: likeness to a crisis below which a single possible cue of self-harm does not count beside another reason, nor do
            the crises among the nearest red flags.
        story: from how many words on a message is a story, whose tone says little: what counts as its likeness is then that of the
            whole and, with half of the weight, that of the statement in it that is most like a red flag.
        story_threshold, story_doubt: threshold and doubt of a story.
        terse, terse_doubt: up to how many words a message is terse, and its doubt: a few words ("kicked by cow") are like little.
        share: of the nearest red flags, from which their group is the text's.
        width, sparse_weight, strictness: of the machine, see `hipwise.safety.likeness.fit`.
        ordinary: how many examples of all other intents to begin with, those nearest in meaning to a red flag; of the rest
            those are taken in that the machine would get wrong.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options."""
        return {
            "rules": "",
            "threshold": -0.05,
            "part": 0.7,
            "doubt": -0.53,
            "certain": -0.85,
            "hint": -0.43,
            "crisis": -0.37,
            "despair": -0.6,
            "crisis_too": -0.2,
            "no_crisis": -0.7,
            "story": 50,
            "story_threshold": -0.25,
            "story_doubt": -0.55,
            "terse": 8,
            "terse_doubt": -0.73,
            "share": 0.5,
            "width": 0.9,
            "sparse_weight": 0.5,
            "strictness": 10.0,
            "ordinary": 2500,
        }

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        check: SafetyCheck,
        model: Likeness | None = None,
        groups: list[str] | None = None,
    ) -> None:
        """Keep the options and, when loaded, the model and the names of its groups."""
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._check = check
        self._model = model
        self._groups = groups or []

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> RedFlagClassifier:
        """Make an untrained component.

        Raises:
            HipwiseError: the rules cannot be read.
        """
        return cls(config, model_storage, resource, cls._rules(config))

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> RedFlagClassifier:
        """Read the model; pickled objects are refused. Without a model the component leaves messages as they are."""
        check = cls._rules(config)
        with model_storage.read_from(resource) as folder:
            if not (folder / _ARRAYS).exists():
                return cls(config, model_storage, resource, check)
            groups = json.loads((folder / _GROUPS).read_text(encoding="utf-8"))
            with np.load(folder / _ARRAYS, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
        return cls(config, model_storage, resource, check, Likeness(arrays, keep=False), groups)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """The rules' content: Rasa must not take a model from its cache that was trained with other rules."""
        path = Path(config["rules"]) if config.get("rules") else KNOWLEDGE / "safety.yml"
        digest = hashlib.sha256()
        for part in (path, path.with_name("safety_words.yml")):
            digest.update(part.read_bytes() if part.is_file() else b"")
        return digest.hexdigest()

    @staticmethod
    def _rules(config: dict[str, Any]) -> SafetyCheck:
        return SafetyCheck.shared(Path(config["rules"]) if config.get("rules") else KNOWLEDGE / "safety.yml")

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the model; without red flags among the examples there is nothing to learn, and nothing is stored."""
        examples = [m for m in training_data.training_examples if m.get(TEXT) and m.get(INTENT)]
        names = [group_of(message) for message in examples]
        found = sorted({name for name in names if name is not None})
        with self._model_storage.write_to(self._resource) as folder:
            if found and None in names:
                texts = [str(message.get(TEXT)) for message in examples]
                dense = dense_rows(examples)
                core = self._core(examples, dense, names)
                # What is said around an ordinary question is harmless too, and parts are looked at for themselves.
                said = _harmless_statements(examples)
                if said:
                    texts += said
                    names += [None] * len(said)
                    dense = np.vstack([dense, encode(said)])
                    core = np.concatenate([core, np.zeros(len(said), dtype=bool)])
                self._learn(texts, dense, names, found, core)
                if self._model is not None:
                    np.savez(folder / _ARRAYS, **self._model.arrays)
                    (folder / _GROUPS).write_text(json.dumps(self._groups), encoding="utf-8")
        return self._resource

    def _core(self, examples: list[Message], dense: NDArray[Any], names: list[str | None]) -> NDArray[np.bool_]:
        """The examples to begin with: shape (examples,)."""
        core = np.array([message.get(INTENT) in (RED_FLAG, CRISIS, LOOK_ALIKE) for message in examples])
        alarming = dense[np.array([name is not None for name in names])]
        others = np.flatnonzero(~core)
        nearest = np.concatenate(
            [(dense[some] @ alarming.T).max(axis=1) for some in np.array_split(others, 8) if len(some)] or [[]]
        )
        core[others[np.argsort(-nearest, kind="stable")[: int(self._config["ordinary"])]]] = True
        return core

    def _learn(
        self, texts: list[str], dense: NDArray[Any], names: list[str | None], found: list[str], core: NDArray[np.bool_]
    ) -> None:
        number = {name: place for place, name in enumerate(found)}
        pairs = [self._check.marked(text) for text in texts]
        self._groups = found
        self._model = fit(
            dense,
            [tokens for tokens, _ in pairs],
            [marked for _, marked in pairs],
            np.array([-1 if name is None else number[name] for name in names]),
            width=float(self._config["width"]),
            sparse_weight=float(self._config["sparse_weight"]),
            strictness=float(self._config["strictness"]),
            core=core,
            apart=number.get(_CRISIS_GROUP),
        )

    def process(self, messages: list[Message]) -> list[Message]:
        """Add to ``safety``, and settle what rests on possible cues; what a firm pattern found stays."""
        for message in messages:
            text = str(message.get(TEXT) or "")
            if self._model is None or not text.strip():
                continue
            found = message.get(FINDING) if FINDING in message.data else self._check.check(text)
            finding = self.decide(found, self.opinion(text, dense_rows([message]), statements(message)))
            if finding is None and found is not None:
                message.set(SAFETY, None)
            elif finding is not None and finding != found:
                message.set(SAFETY, finding.as_dict("classifier"), add_to_output=True)
        return messages

    def opinion(self, text: str, dense: NDArray[Any], parts: Sequence[tuple[str, NDArray[Any]]] = ()) -> Opinion:
        """What the classifier makes of one message. Ask a trained component only.

        dense: its row of `dense_rows`; parts: its `statements`.
        """
        if self._model is None:
            raise ValueError("the RedFlagClassifier is not trained")
        pairs = [self._check.marked(text), *(self._check.marked(part) for part, _ in parts)]
        rows = np.vstack([dense, *(row for _, row in parts)]).astype(np.float32)
        kernel = self._model.kernel(
            self._model.features(rows, [tokens for tokens, _ in pairs], [marked for _, marked in pairs])
        )
        part = float(self._config["part"])
        less = np.array([0.0] + [part] * len(parts))
        scores, crises = self._model.score(kernel) - less, self._model.apart(kernel) - less
        likeness, loudest, words = float(scores[0]), int(np.argmax(scores)), len(text.split())
        story = words > int(self._config["story"])
        if story:
            likeness += _HALF * (float(scores[1:].max()) + part if parts else _QUIET)
            alarm = likeness >= float(self._config["story_threshold"])
        else:
            alarm = bool(scores[loudest] >= float(self._config["threshold"]))
        despair = scores + less + crises >= float(self._config["despair"])
        crisis = bool(np.any(despair & (crises >= float(self._config["crisis"]))))
        if crisis:
            return Opinion(likeness, True, _CRISIS_GROUP, float(crises.max()), float(scores.max()), story, words)
        if not alarm:  # most messages: which group they are nearest to does not matter
            return Opinion(likeness, False, _GENERAL, float(crises.max()), float(scores.max()), story, words)
        shares = self._model.votes(kernel[0 if scores[0] >= float(self._config["threshold"]) else loudest])
        if -math.inf < crises.max() < float(self._config["no_crisis"]):
            # A third of the red flags that it learnt are crises: swollen lips were answered with the crisis line as well.
            shares = {place: share for place, share in shares.items() if self._groups[place] != _CRISIS_GROUP}
        total = sum(shares.values()) or 1.0
        place, share = max(shares.items(), key=lambda item: item[1]) if shares else (-1, 0.0)
        group = self._groups[place] if share / total >= float(self._config["share"]) else _GENERAL
        return Opinion(likeness, True, group, float(crises.max()), float(scores.max()), story, words)

    def decide(self, found: SafetyFinding | None, opinion: Opinion) -> SafetyFinding | None:
        """The finding in the end; found: that of the rules."""
        firm = found.firm if found is not None else ()
        labels = list(found.cues) if found is not None else []
        if labels and not opinion.alarm and self._unlikely(opinion, firm, hinted=any(map(_of_crisis, labels))):
            return None
        elsewhere = opinion.alarm or any(not _of_crisis(label) for label in labels)
        # One possible cue only: two in one message are no chance ("in agony, keep having thoughts of jumping off the balcony").
        alone = sum(map(_of_crisis, labels)) == 1
        if elsewhere and alone and -math.inf < opinion.crisis < float(self._config["no_crisis"]):
            labels = [label for label in labels if label in firm or not _of_crisis(label)]
        if opinion.alarm and not labels:
            labels = [f"{opinion.group}.likeness"]
        # Someone who says what they took, and why, needs the crisis line as well.
        too = opinion.group == _CRISIS_GROUP or opinion.crisis >= float(self._config["crisis_too"])
        if opinion.alarm and too and not any(map(_of_crisis, labels)):
            labels.append(f"{_CRISIS_GROUP}.likeness")
        return self._check.finding(labels, firm=firm)


    def _unlikely(self, opinion: Opinion, firm: Sequence[str], *, hinted: bool) -> bool:
        """Whether what the rules found does not count; hinted: a cue of self-harm is among it."""
        if firm:
            certain = opinion.loudest < float(self._config["certain"])
            return certain and -math.inf < opinion.crisis < float(self._config["no_crisis"])
        terse = 0 < opinion.words <= int(self._config["terse"])
        doubt = float(self._config["story_doubt" if opinion.story else "terse_doubt" if terse else "doubt"])
        likeness = opinion.likeness if opinion.story else max(opinion.likeness, opinion.loudest)
        return likeness < doubt and not (hinted and opinion.crisis >= float(self._config["hint"]))


def _of_crisis(label: str) -> bool:
    return label.startswith(f"{_CRISIS_GROUP}.")


def group_of(message: Message) -> str | None:
    """The group of a training example; None for a harmless one."""
    if message.get(INTENT) == CRISIS:
        return _CRISIS_GROUP
    if message.get(INTENT) != RED_FLAG:
        return None
    # Rasa keeps the metadata of an intent under that of the example.
    metadata = message.get(METADATA) or {}
    for place in (metadata.get("intent"), metadata.get("example"), metadata):
        if isinstance(place, dict) and isinstance(place.get("group"), str):
            return str(place["group"])
    return _GENERAL


def statements(message: Message) -> list[tuple[str, NDArray[Any]]]:
    """The parts of a message that ask nothing, with their rows of the sentence encoder; none where nothing beside them asks."""
    segments, asking = message.get(SEGMENTS) or [], message.get(QUESTION_FLAGS) or []
    rows = of(message).dense[1:]
    return [(segment, row) for segment, question, row in zip(segments, asking, rows, strict=False) if not question]


def _harmless_statements(examples: list[Message]) -> list[str]:
    """The statements in examples of ordinary intents that also ask something, each once."""
    found: dict[str, None] = {}
    for message in examples:
        if message.get(INTENT) in (RED_FLAG, CRISIS, LOOK_ALIKE):
            continue
        found |= {segment: None for segment, question in parts(textual.plain(str(message.get(TEXT)))) if not question}
    return list(found)


def dense_rows(messages: list[Message]) -> NDArray[Any]:
    """One row of the sentence encoder a message, of length 1; a long text's stands for all of it."""
    return np.vstack([of(message).all_of_it for message in messages]).astype(np.float32)
