"""Which patterns are firm follows from the training data, and the shipped rules say so."""

from __future__ import annotations

from pathlib import Path

from hipwise.paths import KNOWLEDGE
from hipwise.safety import SafetyCheck
from hipwise.safety.firm import LEAST, examples, firm_patterns, rewritten

RULES = KNOWLEDGE / "safety.yml"
CHECK = SafetyCheck(RULES)


def _data(folder: Path, red_flags: list[str], harmless: list[str]) -> Path:
    def block(intent: str, texts: list[str]) -> str:
        return f"- intent: {intent}\n  examples: |\n" + "".join(f"    - {text}\n" for text in texts)

    (folder / "nlu.yml").write_text("nlu:\n" + block("red_flag", red_flags) + block("look_alike", harmless), encoding="utf-8")
    return folder


FELL = [f"I fell down the stairs {when}" for when in ("today", "this morning", "an hour ago", "just now", "tonight")]


def test_examples_are_read_with_their_intents(tmp_path: Path) -> None:
    found = list(examples(_data(tmp_path, FELL[:1], ["fall colours"])))
    assert found == [("red_flag", FELL[0]), ("look_alike", "fall colours")]


def test_a_pattern_is_firm_that_fires_on_enough_red_flags_and_on_nothing_else(tmp_path: Path) -> None:
    assert len(FELL) == LEAST
    firm = firm_patterns(CHECK, _data(tmp_path, FELL, ["how long does it last"]))
    assert {label for label, _ in firm} == {"fall_injury.fell"}
    assert firm_patterns(CHECK, _data(tmp_path, FELL[1:], ["how long does it last"])) == set()
    assert firm_patterns(CHECK, _data(tmp_path, FELL, [FELL[0]])) == set()


def test_a_long_story_makes_a_pattern_less_doubtful_than_a_short_message(tmp_path: Path) -> None:
    falls = [f"I fell down the stairs at {hour} and a half past {minute}" for hour in range(1, 5) for minute in range(1, 5)]
    story = "I fell down the stairs " + "and then we all had tea and talked about the garden and the weather " * 5
    assert "fall_injury.fell" in {label for label, _ in firm_patterns(CHECK, _data(tmp_path, falls, [story]))}
    assert firm_patterns(CHECK, _data(tmp_path, falls, [story, story + "again"])) == set()
    assert firm_patterns(CHECK, _data(tmp_path, falls, [FELL[0]])) == set()


def test_rewriting_moves_patterns_and_keeps_all_else() -> None:
    text = (
        "groups:\n  clot:\n    level: urgent\n    cues:\n      chest:\n        kind: sign\n        patterns:\n"
        "        - chest pain\n        - tight chest  # said so\n        with: pain\n    look_alikes:\n    - chest of drawers\n"
    )
    moved = rewritten(text, {("clot.chest", "tight chest")})
    assert moved == text.replace("        patterns:\n        - chest pain\n", "        firm:\n").replace(
        "  # said so\n", "  # said so\n        patterns:\n        - chest pain\n"
    )
    assert rewritten(moved, set()).count("patterns:") == 1
    assert "firm:" not in rewritten(moved, set())


def test_the_shipped_rules_are_sorted_by_the_shipped_data() -> None:
    text = RULES.read_text(encoding="utf-8")
    assert rewritten(text, firm_patterns(CHECK)) == text, "run `python -m hipwise.safety.firm`"


def test_firm_and_possible_findings_differ() -> None:
    sure, possible = CHECK.check("I am going to kill myself tonight"), CHECK.check("had a fall")
    assert sure is not None
    assert sure.firm
    assert possible is not None
    assert not possible.firm
