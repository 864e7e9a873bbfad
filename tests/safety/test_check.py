"""The rules do what they were made to do; what they do on words of others is measured by benchmarks/safety.py."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipwise.paths import HOME, KNOWLEDGE
from hipwise.safety import SafetyCheck
from hipwise.safety import check as check_module
from hipwise.yaml_files import read_yaml

CASES: dict[str, list[str]] = read_yaml(Path(__file__).with_name("cases.yml"))
HARMLESS = ("look_alike", "ordinary")
FLAGS = [(group, text) for group, texts in CASES.items() if group not in HARMLESS for text in texts]
QUIET = [text for group in HARMLESS for text in CASES[group]]
CHECK = SafetyCheck(KNOWLEDGE / "safety.yml")
STORY = (
    "i am forty six and i work in an office and i was told in spring that i have this condition of the hip and since that "
    "day i read what i can find and i rest a lot and my sister brings the shopping and the garden looks like a meadow by now "
)


@pytest.mark.parametrize(("group", "text"), FLAGS)
def test_a_red_flag_is_caught(group: str, text: str) -> None:
    finding = CHECK.check(text)
    assert finding is not None
    assert finding.level == ("crisis" if "self_harm" in finding.groups else "urgent")


@pytest.mark.parametrize("text", QUIET)
def test_what_only_sounds_so_does_not_alarm(text: str) -> None:
    assert CHECK.check(text) is None


def test_almost_every_red_flag_is_put_into_its_group() -> None:
    wrong = [text for group, text in FLAGS if group not in (getattr(CHECK.check(text), "groups", ()))]
    assert len(wrong) <= 0.02 * len(FLAGS), wrong


@pytest.mark.parametrize("text", ["I want to kill myself", "suicidal", "I don't want to live anymore"])
def test_self_harm_is_a_crisis(text: str) -> None:
    finding = CHECK.check(text)
    assert finding is not None
    assert finding.level == "crisis"
    assert finding.says[0] == "utter_red_flag_self_harm"


def test_groups_come_in_order_of_urgency() -> None:
    finding = CHECK.check("I fell this morning, and now my chest hurts and I can't breathe")
    assert finding is not None
    assert finding.groups.index("clot") < finding.groups.index("fall_injury")


def test_a_finding_holds_labels_and_no_words() -> None:
    finding = CHECK.check("my xylophone teacher fell down the stairs this morning")
    assert finding is not None
    assert finding.cues
    for label in finding.cues:
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", label)
    assert "xylophone" not in str(finding.as_dict())


@pytest.mark.parametrize(
    ("text", "quiet"),
    [
        ("no fever", True),
        ("no fever but I heard a crack and now can't stand", False),
        ("no fever, chills or redness", True),
        ("no fever, chest pain since this morning", False),
        ("what if I fall?", True),
        ("what should I do if I fall? I fell this morning", False),
        ("fell last year, all healed", True),
        ("fell last year and again today", False),
        ("is numbness a sign of it?", True),
        ("is it normal that I can't feel my foot?", False),
        ("the pain is killing me", True),
        ("I'm killing myself tonight", False),
    ],
)
def test_context_decides(text: str, quiet: bool) -> None:
    assert (CHECK.check(text) is None) is quiet


def test_bleeding_in_pregnancy_is_for_the_maternity_unit() -> None:
    def first(text: str) -> str | None:
        found = CHECK.check(text)
        return found.groups[0] if found else None

    assert first("I'm bleeding quite a lot since last night") == "internal_bleeding"
    assert first("I'm 33 weeks and my stools are black like tar") == "internal_bleeding"
    assert first("I'm 33 weeks, bleeding quite a lot since last night") == "pregnancy"
    assert first("33 weeks pregnant and hemorrhaging") == "pregnancy"
    found = CHECK.check("On crutches for 16 weeks. Since last night I'm bleeding heavily.")
    assert found is not None
    assert "internal_bleeding" in found.groups


@pytest.mark.parametrize(("group", "text"), FLAGS[::3])
def test_found_after_nine_hundred_characters_without_a_full_stop(group: str, text: str) -> None:
    story = STORY * 5
    assert len(story) > 900
    assert CHECK.check(f"{story} anyway {text}") is not None


@pytest.mark.parametrize(
    "text",
    ["cant stnd on it", "im bledding and 30 weeks", "I FELL DOWN THE STAIRS", "chestpain", "i fellll over today", "cnt breth",
     "numbnes down my leg", "i wanna kil myself", "suden unberable pain"],
)  # fmt: skip
def test_typos_capitals_and_text_message_spelling(text: str) -> None:
    assert CHECK.check(text) is not None


def test_a_story_alone_is_quiet() -> None:
    assert CHECK.check(STORY * 5) is None


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_checked_without_an_error(text: str) -> None:
    CHECK.check(text)
    CHECK.marked(text)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([text for _, text in FLAGS] + QUIET), st.integers(0, 2**32))
def test_case_does_not_matter(text: str, seed: int) -> None:
    mixed = "".join(c.upper() if seed >> (i % 32) & 1 else c.lower() for i, c in enumerate(text))
    assert CHECK.check(text) == CHECK.check(text.upper()) == CHECK.check(mixed)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([text for _, text in FLAGS]),
    st.sampled_from(CASES["ordinary"]),
    st.sampled_from(CASES["ordinary"]),
)
def test_a_red_flag_between_other_sentences_is_still_found(text: str, before: str, after: str) -> None:
    finding = CHECK.check(text)
    embedded = CHECK.check(f"{before}. {text}. {after}")
    assert finding is not None
    assert embedded is not None
    assert set(finding.groups) <= set(embedded.groups)


@pytest.mark.parametrize("text", ["fell ", "not ", "cannot stand or walk and fell ", "my hip ", "so bad ", "a", "?", "no fever, "])
def test_the_work_grows_linearly(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in steps, not in time: pairs of a cue and a modifier that are looked at, and patterns that are tried."""
    steps = 0
    touches, starting = check_module._Around._touches, check_module._Index._starting

    def counted_touches(self, hit, cue):  # type: ignore[no-untyped-def]
        nonlocal steps
        steps += 1
        return touches(self, hit, cue)

    def counted_starting(self, token):  # type: ignore[no-untyped-def]
        nonlocal steps
        found = starting(self, token)
        steps += 1 + len(found)
        return found

    monkeypatch.setattr(check_module._Around, "_touches", counted_touches)
    monkeypatch.setattr(check_module._Index, "_starting", counted_starting)
    counts = []
    for size in (2_500, 5_000, 20_000):
        steps = 0
        CHECK.check((text * size)[:size])
        counts.append(steps)
    assert counts[1] <= 2.5 * counts[0] + 1000
    assert counts[2] <= 4.5 * counts[1] + 1000


def test_what_is_longer_than_anything_is_read_at_both_ends() -> None:
    filler = "the weather is fine. " * 10_000
    assert CHECK.check(f"I fell down the stairs today. {filler}") is not None
    assert CHECK.check(f"{filler} I fell down the stairs today.") is not None


def test_marks_say_what_stands_around_a_word() -> None:
    tokens, marked = CHECK.marked("no fever")
    assert tokens == ["no", "fever"]
    assert marked == ["no", "negated_fever"]


def test_every_group_of_the_training_data_is_known(check: SafetyCheck) -> None:
    data = read_yaml(HOME / "data" / "safety.yml")
    groups = {block["metadata"]["group"] for block in data["nlu"] if block["intent"] == "red_flag"}
    assert groups <= set(check.rules.order)


def test_stairs_are_no_sign_of_a_crisis() -> None:
    """ "Down the stairs an hour ago" was taken for a plan, and the crisis line came before the ambulance."""
    finding = CHECK.check("I fell down the stairs an hour ago and can't stand up")
    assert finding is not None
    assert set(finding.groups) == {"fall_injury", "cannot_stand"}


@pytest.mark.parametrize(
    ("text", "group"),
    [
        # "Two years" is long ago, "two years old" is a child.
        ("our boy of three swallowed a tablet from my bag", "overdose"),
        ("my son took the alendronate tablets from the shelf, he is two years old", "overdose"),
        ("G1P0 31/40 with TOH, PV bleeding since 10 am", "pregnancy"),
        ("waters just went at 33 weeks, is it a section with this hip", "pregnancy"),
        ("i have not felt bubs wriggle since breakfast, normally she never stops", "pregnancy"),
        ("31 weeks and my tightenings are getting closer, hip or baby?", "pregnancy"),
        ("laryngeal oedema after the second zoledronic acid infusion", "allergy"),
        ("since this noon I can no longer hold my own weight on that side", "cannot_stand"),
        ("who feeds the cat when i end it all", "self_harm"),
        ("i've got a date circled. just saying", "self_harm"),
        ("I only hope I drift off and that is it", "self_harm"),
        ("pills or the train, cannot decide", "self_harm"),
        ("what if I walk out in front of a lorry, is it quick", "self_harm"),
        ("I know how to make it look like an accident", "self_harm"),
        ("been sizing up the branch by the shed, it would hold", "self_harm"),
        ("there is no reason to prolong this", "self_harm"),
        ("all at once she is doubled over with it", "sudden_pain"),
        ("lying in the bath, not able to move for pain", "sudden_pain"),
        ("33 weeks and she's moving a lot less since yesterday", "pregnancy"),
        # Words of the writer's own language slip in where the English ones are missing.
        ("quiero morir, nobody understands this pain", "self_harm"),
        ("voglio farla finita, I waited too long", "self_harm"),
        ("chcę się zabić, please somebody", "self_harm"),
        ("mujhe jeena nahi hai, only crying", "self_harm"),
        ("me caí in the shower, hip hurts much", "fall_injury"),
        ("upadłam on the ice, direct on the hip", "fall_injury"),
        ("fiebre since yesterday and I tremble", "infection"),
        ("estoy sangrando a little, 8 months pregnant", "pregnancy"),
        ("mi cara se hincha since the tablet", "allergy"),
        ("no puedo respirar well since this morning", "clot"),
        # Each put differently was missed by rules and classifier together, most of them of a few words.
        ("two paracetamol every two hours, day and night. is that ok", "overdose"),
        ("every hour I take one paracetamol, at night too", "overdose"),
        ("been eating codeine like peanuts", "overdose"),
        ("kicked by our cow", "fall_injury"),
        ("the pony bucked me off into the fence", "fall_injury"),
        ("I put my weight on it and it just drops me", "cannot_stand"),
        ("typing this from the kitchen floor", "cannot_stand"),
        ("my foot faces the wall when I lie straight", "leg_deformity"),
        ("pain is twelve out of ten", "sudden_pain"),
        ("thrown up something like ketchup, I vomited ketchup", "internal_bleeding"),
        ("one calf twice the other one", "clot"),
    ],
)
def test_what_authors_said_that_no_rule_knew(text: str, group: str) -> None:
    finding = CHECK.check(text)
    assert finding is not None
    assert group in finding.groups


@pytest.mark.parametrize(
    "text",
    [
        "I fell two years ago, healed since",
        "should I wait till the baby comes before I end things with my boyfriend",
        "my daughter, two years old, wants to be carried",
        "do waters break earlier with TOH?",
        # All of these were held-out messages of one author or another, put differently.
        "easiest way to get to the toilet at night?",
        "what is the best way to go up a ramp on crutches",
        "best way to lie in bed with this hip",
        "must I look out for black stools on naproxen",
        "I can't stand the wait for the scan",
        "can't stand these crutches, must I have them",
        "say my leg came out shorter, what then",
        "my left leg has been shorter since birth",
        "slipped up and missed a tablet",
        "I look after people who cannot walk",
        # Mended to "fiebre" and "cazut", and an inch of floor.
        "is fibre good for the bone",
        "caput femoris, which piece is that",
        "sitting cross-legged on the carpet no longer works",
    ],
)
def test_what_only_resembles_it(text: str) -> None:
    assert CHECK.check(text) is None


def test_one_check_serves_the_whole_process(tmp_path: Path) -> None:
    rules = tmp_path / "safety.yml"
    for name in ("safety.yml", "safety_words.yml"):
        shutil.copy(KNOWLEDGE / name, tmp_path)
    first = SafetyCheck.shared(rules)
    assert SafetyCheck.shared(rules) is first
    os.utime(rules, ns=(1, 1))
    assert SafetyCheck.shared(rules) is not first
