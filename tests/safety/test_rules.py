"""A broken rules file is refused with one sentence that says where."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hipwise.errors import HipwiseError
from hipwise.paths import HOME, KNOWLEDGE
from hipwise.safety import SafetyCheck, SafetyRules
from hipwise.safety.patterns import PatternError, compile_pattern, expand_classes
from hipwise.safety.words import left_alone
from hipwise.yaml_files import read_yaml

RULES = read_yaml(KNOWLEDGE / "safety.yml")


def _set(*path: str, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(rules: dict[str, Any]) -> None:
        for key in path[:-1]:
            rules = rules[key]
        rules[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (_set("groups", "clot", "level", to="red"), "groups.clot.level"),
        (_set("groups", "clot", "says", to="utter_hello"), "groups.clot.says"),
        (_set("groups", "clot", "cues", "collapse", "kind", to="noise"), "groups.clot.cues.collapse.kind"),
        (_set("groups", "clot", "cues", "collapse", "patterns", to=["<nobody> fell"]), "groups.clot.cues.collapse.patterns"),
        (_set("groups", "clot", "cues", "collapse", "patterns", to=["..3 fell"]), "cannot begin with a gap"),
        (_set("groups", "clot", "cues", "collapse", "patterns", to=["fell ..99"]), "longer than"),
        (_set("groups", "clot", "cues", "collapse", "patterns", to=[False]), "put it in quotes"),
        (
            _set("groups", "clot", "cues", "collapse", "with", to="a_context_that_is_not_there"),
            "groups.clot.cues.collapse.with",
        ),
        (
            _set("groups", "clot", "cues", "collapse", "without", to="a_context_that_is_not_there"),
            "groups.clot.cues.collapse.without",
        ),
        (_set("order", to="clot"), "order"),
        (_set("classes", "leg", to="<leg> foot"), "classes"),
        (
            _set("modifiers", "negated", to=[{"direction": "up", "patterns": ["never"]}]),
            "modifiers.negated, entry 1.direction",
        ),
        (_set("modifiers", "negated", to=[{"direction": "both", "scope": 500, "patterns": ["never"]}]), "entry 1.scope"),
        (_set("ends_scope", "somewhere", to=["but"]), "ends_scope.somewhere"),
        (_set("spellings", "cant", to=5), "spellings.cant"),
        (_set("surprise", to=1), "surprise"),
        (_set("left_alone", to="gone.yml"), "gone.yml"),
        (_set("current", to=[]), "current"),
    ],
)
def test_a_mistake_is_named_with_its_place(change: Callable[[dict[str, Any]], None], place: str, tmp_path: Path) -> None:
    rules = copy.deepcopy(RULES)
    change(rules)
    path = tmp_path / "safety.yml"
    path.write_text(yaml.safe_dump(rules), encoding="utf-8")
    shutil.copy(KNOWLEDGE / "safety_words.yml", tmp_path)
    with pytest.raises(HipwiseError) as error:
        SafetyCheck(path)
    sentence = str(error.value)
    assert place in sentence
    assert tmp_path.name in sentence
    assert "\n" not in sentence


def test_what_is_not_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "safety.yml"
    path.write_text("groups:\n  - a\n b: [", encoding="utf-8")
    with pytest.raises(HipwiseError, match="line"):
        SafetyCheck(path)


def test_every_group_has_a_response() -> None:
    domain = read_yaml(HOME / "domain.yml")
    missing = [group["says"] for group in RULES["groups"].values() if group["says"] not in domain["responses"]]
    assert not missing


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("fell ..2 stairs", "fell down the stairs ", True),
        ("fell ..2 stairs", "fell down all of the stairs ", False),
        ("fell ..3 stairs", "fell . the stairs ", False),
        ("fell ...3 stairs", "fell . the stairs ", True),
        ("calf ..3 swollen", "calf is not swollen ", False),
        ("fell !asleep", "fell asleep ", False),
        ("fell !asleep", "fell over ", True),
        ("gave_way|gave", "gave way ", True),
        ("swell*", "swelling ", True),
        ("fell a? ..1 lot", "fell a lot ", True),
        ("fell", "fellow ", False),
        ("<leg> hurts", "left foot hurts ", True),
    ],
)
def test_patterns(pattern: str, text: str, found: bool) -> None:
    compiled = compile_pattern(pattern, expand_classes({"leg": ["left foot", "leg"]}))
    assert (compiled.regex.match(text) is not None) is found


def test_a_class_may_not_contain_itself() -> None:
    with pytest.raises(PatternError, match="contains itself"):
        expand_classes({"a": ["<b>"], "b": ["<a>"]})


@pytest.mark.slow
def test_no_ordinary_word_is_mended_to_a_cue() -> None:
    """Due after new words came into the cues: `python -m hipwise.safety.words`."""
    rules = SafetyRules.read(KNOWLEDGE / "safety.yml")
    listed = set(read_yaml(KNOWLEDGE / "safety_words.yml")["words"].split())
    assert set(left_alone(rules)) == listed
