"""The two graph components: what they set on a message, and what they store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from hipwise.nlu.red_flag_classifier import Opinion, RedFlagClassifier, dense_rows, group_of
from hipwise.nlu.red_flags import SAFETY, RedFlagDetector
from hipwise.nlu.vectors import KEY, Vectors
from hipwise.safety import SafetyCheck

CONTEXT = ExecutionContext(graph_schema=GraphSchema({}), model_id="test")


def _message(text: str, intent: str | None = None, group: str | None = None) -> Message:
    data: dict[str, Any] = {"text": text}
    if intent:
        data["intent"] = intent
    if group:
        data["metadata"] = {"intent": {"group": group}}
    message = Message(data)
    row = np.array([[text.count("fell") + 0.1, text.count("die") + 0.1, 0.5, 0.1]], dtype=np.float32)
    message.set(KEY, Vectors([text], row / np.linalg.norm(row)))
    return message


def _storage(folder: Path) -> LocalModelStorage:
    return LocalModelStorage.create(folder)


@pytest.fixture
def detector(tmp_path: Path) -> RedFlagDetector:
    return RedFlagDetector.create(RedFlagDetector.get_default_config(), _storage(tmp_path), Resource("rules"), CONTEXT)


CERTAIN = "I fell off the ladder this morning and landed hard on my hip"


def test_the_detector_sets_safety_only_when_something_fires(detector: RedFlagDetector) -> None:
    quiet, short, loud = detector.process([Message.build(text) for text in ("how long does it last", "had a fall", CERTAIN)])
    assert quiet.get(SAFETY) is None
    assert SAFETY not in quiet.output_properties
    assert short.get(SAFETY)["groups"] == ["fall_injury"]
    assert loud.get(SAFETY)["groups"] == ["fall_injury"]
    assert loud.get(SAFETY)["level"] == "urgent"
    assert loud.get(SAFETY)["says"] == ["utter_red_flag_fall_injury"]
    assert SAFETY in loud.output_properties


def test_the_detector_takes_messages_without_text(detector: RedFlagDetector) -> None:
    assert detector.process([Message({})])[0].get(SAFETY) is None


TRAINING = [
    *[_message(f"i fell {where}", "red_flag", "fall_injury") for where in ("down", "over today", "off a chair", "in town")],
    *[_message(f"i want to die {when}", "crisis") for when in ("now", "today", "so much", "tonight")],
    *[_message(text, "look_alike") for text in ("fall colours", "dying to run", "fell asleep", "in love")],
    *[_message(text, "ask_duration") for text in ("how long", "how many weeks", "what is it", "can i swim")],
]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> RedFlagClassifier:
    """Trained on a few sentences, stored, and loaded again."""
    config = {**RedFlagClassifier.get_default_config(), "ordinary": 100}
    storage, resource = _storage(tmp_path_factory.mktemp("model")), Resource("red_flags")
    RedFlagClassifier.create(config, storage, resource, CONTEXT).train(TrainingData(TRAINING))
    return RedFlagClassifier.load(config, storage, resource, CONTEXT)


def test_groups_come_from_the_metadata_of_the_intent() -> None:
    assert group_of(TRAINING[0]) == "fall_injury"
    assert group_of(TRAINING[4]) == "self_harm"
    assert group_of(TRAINING[8]) is None
    assert group_of(_message("aargh", "red_flag")) == "general"


def _opinion(alarm: bool, group: str = "general") -> Opinion:
    return Opinion(likeness=1.0 if alarm else -1.0, alarm=alarm, group=group)


@pytest.mark.parametrize("text", ["had a fall", CERTAIN])
@pytest.mark.parametrize("likeness", [-2.0, -0.5, 1.0])
def test_no_firm_finding_of_the_rules_is_taken_back(
    text: str, likeness: float, classifier: RedFlagClassifier, check: SafetyCheck
) -> None:
    found = check.check(text)
    assert found is not None
    firm = replace(found, firm=found.cues)
    assert classifier.decide(firm, Opinion(likeness, likeness > 0, "general")) == firm


def test_a_possible_cue_counts_unless_the_message_is_quite_unlike_a_red_flag(
    classifier: RedFlagClassifier, check: SafetyCheck
) -> None:
    found = check.check("had a fall")
    assert found is not None
    possible = replace(found, firm=())
    assert classifier.decide(possible, Opinion(-0.5, False, "general")) == possible
    assert classifier.decide(possible, Opinion(-0.8, False, "general")) is None
    assert classifier.decide(possible, Opinion(0.5, True, "general")) == possible


def test_the_statement_that_is_most_like_a_red_flag_keeps_a_possible_cue(
    classifier: RedFlagClassifier, check: SafetyCheck
) -> None:
    """"My whole leg faces sideways, is that the limp people talk about?" was let pass for its question."""
    found = check.check("had a fall")
    assert found is not None
    possible = replace(found, firm=())
    assert classifier.decide(possible, Opinion(-0.6, False, "general", loudest=-0.3)) == possible
    assert classifier.decide(possible, Opinion(-0.6, False, "general", loudest=-0.6)) is None


def test_a_possible_hint_at_a_crisis_counts_where_the_machine_for_crises_agrees(
    classifier: RedFlagClassifier, check: SafetyCheck
) -> None:
    """The wish never to have woken up in the scanner was let pass: it is unlike what most red flags are about."""
    hint = check.finding(["self_harm.plan"], firm=[])
    assert hint is not None
    assert classifier.decide(hint, Opinion(-0.8, False, "general", crisis=-0.4, loudest=-0.8)) == hint
    assert classifier.decide(hint, Opinion(-0.8, False, "general", crisis=-0.9, loudest=-0.8)) is None
    fall = check.finding(["fall_injury.fell"], firm=[])
    assert classifier.decide(fall, Opinion(-0.8, False, "general", crisis=-0.4, loudest=-0.8)) is None


def test_a_firm_cue_does_not_count_in_what_is_nothing_like_a_red_flag(
    classifier: RedFlagClassifier, check: SafetyCheck
) -> None:
    """"Foot points the right way, doc examined me on Friday" was taken for a turned leg."""
    firm = check.finding(["leg_deformity.short_or_turned"], firm=["leg_deformity.short_or_turned"])
    assert firm is not None
    assert classifier.decide(firm, Opinion(-1.3, False, "general", crisis=-1.9, loudest=-1.3)) is None
    for unsure in (
        Opinion(-1.3, False, "general", crisis=-1.9, loudest=-0.7),
        Opinion(-1.3, False, "general", crisis=-0.5, loudest=-1.3),
        Opinion(-1.3, False, "general", loudest=-1.3),
    ):
        assert classifier.decide(firm, unsure) == firm


def test_the_classifier_adds_a_finding_of_its_own(classifier: RedFlagClassifier) -> None:
    assert classifier.decide(None, _opinion(False)) is None
    general = classifier.decide(None, _opinion(True))
    crisis = classifier.decide(None, _opinion(True, "self_harm"))
    assert general is not None
    assert crisis is not None
    assert (general.level, general.says) == ("urgent", ("utter_red_flag_general",))
    assert (crisis.level, crisis.says) == ("crisis", ("utter_red_flag_self_harm",))


def test_a_crisis_is_added_to_an_emergency(classifier: RedFlagClassifier, check: SafetyCheck) -> None:
    overdose = check.check("I have taken 30 paracetamol today")
    assert overdose is not None
    assert overdose.level == "urgent"
    both = classifier.decide(overdose, _opinion(True, "self_harm"))
    assert both is not None
    assert both.level == "crisis"
    assert both.groups == ("self_harm", "overdose")


def test_a_crisis_beside_another_emergency_is_one_too(classifier: RedFlagClassifier, check: SafetyCheck) -> None:
    """It was outvoted by the pain around it: "33 weeks and in agony, keep thinking of the balcony" was urgent only."""
    fall = check.check("i fell today and my hip is agony")
    assert fall is not None
    assert fall.level == "urgent"
    hinted = classifier.decide(fall, Opinion(1.0, True, "fall_injury", crisis=-0.1, loudest=1.0))
    assert hinted is not None
    assert hinted.level == "crisis"
    assert classifier.decide(fall, Opinion(1.0, True, "fall_injury", crisis=-0.4, loudest=1.0)) == fall


def test_possible_cues_of_a_crisis_do_not_count_beside_something_quite_different(
    classifier: RedFlagClassifier, check: SafetyCheck
) -> None:
    """Stepping off a bus with a crack in the hip was answered with the crisis line first."""
    found = check.finding(["self_harm.plan", "pop_crack.heard"], firm=["pop_crack.heard"])
    assert found is not None
    assert found.level == "crisis"
    settled = classifier.decide(found, Opinion(1.5, True, "pop_crack", crisis=-1.5, loudest=1.5))
    assert settled is not None
    assert (settled.level, settled.groups) == ("urgent", ("pop_crack",))
    assert classifier.decide(found, Opinion(1.5, True, "pop_crack", crisis=-0.5, loudest=1.5)) == found
    two = check.finding(["self_harm.plan", "self_harm.kill_self", "pop_crack.heard"], firm=["pop_crack.heard"])
    assert two is not None
    assert classifier.decide(two, Opinion(1.5, True, "pop_crack", crisis=-1.5, loudest=1.5)) == two
    sure = replace(found, firm=found.cues)
    assert classifier.decide(sure, Opinion(1.5, True, "pop_crack", crisis=-1.5, loudest=1.5)) == sure


def test_the_crisis_machine_tells_apart(classifier: RedFlagClassifier) -> None:
    fall, crisis, harmless = (
        classifier.opinion(text, dense_rows([_message(text)])) for text in ("i fell today", "i want to die", "what is it")
    )
    assert crisis.crisis > 0 > fall.crisis
    assert crisis.group == "self_harm"
    assert fall.group == "fall_injury"
    assert not harmless.alarm


def test_a_storys_likeness_is_that_of_the_whole_and_its_loudest_statement(classifier: RedFlagClassifier) -> None:
    """By the tone of the whole alone a quarter of the harmless stories alarmed, and a veiled plan in a cheerful one did not."""
    short = "we went to the fair and had a lovely day. "
    long = short * 8
    quiet, loud = (_message(text).get(KEY).dense[0] for text in ("what is it", "i fell today"))
    row = dense_rows([_message(long)])
    alone = classifier.opinion(short, row, [("we went to the fair", quiet), ("i fell today", loud)])
    calm = classifier.opinion(long, row, [("we went to the fair", quiet), ("it rained", quiet)])
    told = classifier.opinion(long, row, [("we went to the fair", quiet), ("i fell today", loud)])
    assert (alone.story, calm.story, told.story) == (False, True, True)
    assert told.likeness > calm.likeness
    assert told.loudest > calm.loudest


def test_a_possible_cue_in_a_story_needs_as_much(classifier: RedFlagClassifier, check: SafetyCheck) -> None:
    found = check.check("had a fall")
    assert found is not None
    possible = replace(found, firm=())
    config = classifier._config
    for likeness, counts in ((config["story_doubt"] + 0.01, True), (config["story_doubt"] - 0.01, False)):
        decided = classifier.decide(possible, Opinion(likeness, False, "general", story=True))
        assert (decided is not None) == counts


def test_a_possible_cue_in_a_few_words_needs_less(classifier: RedFlagClassifier, check: SafetyCheck) -> None:
    """ "Kicked by" a cow and nothing else is like little that people wrote, and was missed."""
    found = check.check("had a fall")
    assert found is not None
    possible = replace(found, firm=())
    config = classifier._config
    assert config["terse_doubt"] < config["doubt"]
    between = (config["terse_doubt"] + config["doubt"]) / 2
    for words, counts in ((config["terse"], True), (config["terse"] + 1, False)):
        assert (classifier.decide(possible, Opinion(between, False, "general", words=words)) is not None) == counts
    assert classifier.opinion("i fell today", dense_rows([_message("i fell today")])).words == 3


def test_only_a_trained_classifier_has_an_opinion(tmp_path: Path) -> None:
    config, storage = RedFlagClassifier.get_default_config(), _storage(tmp_path)
    untrained = RedFlagClassifier.create(config, storage, Resource("red_flags"), CONTEXT)
    with pytest.raises(ValueError, match="not trained"):
        untrained.opinion("hello", np.zeros((1, 4), dtype=np.float32))


def test_a_loaded_classifier_adds_to_the_rules_and_leaves_what_others_set(
    classifier: RedFlagClassifier, detector: RedFlagDetector
) -> None:
    fallen, harmless, set_before = _message("i fell over"), _message("what is it"), _message("what is it")
    set_before.set(SAFETY, {"level": "urgent"}, add_to_output=True)
    classifier.process(detector.process([fallen, harmless]))
    classifier.process([set_before])
    assert fallen.get(SAFETY)["level"] == "urgent"
    assert harmless.get(SAFETY) is None
    assert SAFETY not in harmless.output_properties
    assert set_before.get(SAFETY) == {"level": "urgent"}


def test_without_red_flags_to_learn_from_it_leaves_messages_alone(tmp_path: Path, detector: RedFlagDetector) -> None:
    config, storage, resource = RedFlagClassifier.get_default_config(), _storage(tmp_path), Resource("red_flags")
    RedFlagClassifier.create(config, storage, resource, CONTEXT).train(TrainingData(TRAINING[-4:]))
    loaded = RedFlagClassifier.load(config, storage, resource, CONTEXT)
    fallen, harmless = loaded.process(detector.process([_message("i fell over"), _message("what is it")]))
    assert fallen.get(SAFETY)["groups"] == ["fall_injury"]
    assert harmless.get(SAFETY) is None


def test_other_rules_ask_for_a_new_model(tmp_path: Path) -> None:
    (tmp_path / "safety.yml").write_text("a", encoding="utf-8")
    one = RedFlagClassifier.fingerprint_addon({"rules": str(tmp_path / "safety.yml")})
    (tmp_path / "safety.yml").write_text("b", encoding="utf-8")
    assert RedFlagClassifier.fingerprint_addon({"rules": str(tmp_path / "safety.yml")}) != one
