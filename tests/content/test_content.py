"""What the assistant says is true, cited, readable, our own words, and leads somewhere."""

from __future__ import annotations

import re
from statistics import mean

import pytest

from hipwise.knowledge import Knowledge
from hipwise.paths import DATA, DOMAIN
from hipwise.replies import Catalogue, ReplyBuilder
from hipwise.replies.build import default_builder
from hipwise.replies.reply import KINDS
from hipwise.yaml_files import read_yaml
from tests.content.hash_article import HASHES, sequences
from tests.content.readability import answers, sentences

DOMAIN_FILE = read_yaml(DOMAIN)
CATALOGUE = Catalogue.load()
KNOWLEDGE = Knowledge.load()
GROUNDED = ("answer", "not_covered", "refer")

# The ids are a contract with those who check answers from outside, so they are pinned here.
FACT_IDS = frozenset(
    {"def.what", "def.femoral_head", "cause.unknown", "course.resolves", "diff.distinct", "who.groups",
     "who.why_unknown", "cause.theory_blood", "cause.theory_stress", "cause.theory_hormones", "sym.onset",
     "sym.no_injury", "sym.location", "sym.weight_bearing", "sym.limp", "sym.motion", "sym.severe", "sym.course",
     "dx.xray", "dx.mri", "dx.rule_out", "tx.aim", "risk.fracture", "tx.offload", "tx.pain_medicine",
     "tx.bisphosphonates", "tx.physical_therapy", "tx.water_exercise", "tx.vitamin_d_calcium", "diff.age_related",
     "diff.age_related_long_term"}
)


@pytest.fixture
def builder() -> ReplyBuilder:
    return default_builder()


def variations() -> list[tuple[str, str, dict[str, object]]]:
    return [(name, v.text, dict(v.metadata)) for name in CATALOGUE.names for v in CATALOGUE.variations(name)]


def test_the_facts_are_exactly_those_of_the_article() -> None:
    assert set(KNOWLEDGE.facts) == FACT_IDS
    assert len(FACT_IDS) == 31


def test_every_fact_is_said_by_an_answer() -> None:
    said = {fact for _, _, about in variations() if about.get("kind") == "answer" for fact in about["facts"]}  # type: ignore[attr-defined]
    assert said == FACT_IDS


@pytest.mark.parametrize("topic", CATALOGUE.topics)
def test_reply_can_be_built(topic: str, builder: ReplyBuilder) -> None:
    slots = {"activity": "running", "activity_load": "weight_bearing", "medicine": "alendronate", "aid": "cane"}
    for simple in (False, True):
        reply = builder.reply(topic, slots, simple=simple)
        assert reply.kind in KINDS
        assert set(reply.facts) <= FACT_IDS
        assert bool(reply.facts) <= bool(reply.references)
        assert "{" not in reply.text
        if reply.kind == "answer":
            assert reply.facts
            assert {reference.id for reference in reply.references} == {"ref.article", "ref.aaos", "ref.jaaos"}
            assert reply.citation


def test_the_prefix_of_an_intent_is_the_kind_of_its_reply() -> None:
    kinds = ("not_covered", "refer", "out_of_scope", "smalltalk", "service")
    prefixes = {"answer": "ask_", **{kind: f"{kind}_" for kind in kinds}}
    for topic in CATALOGUE.topics:
        kind = CATALOGUE.about(topic)["kind"]
        if topic in DOMAIN_FILE["intents"] and kind in prefixes and topic != "other_language":
            assert topic.startswith(prefixes[kind]), f"{topic} says {kind}"


def test_every_intent_has_a_response_and_every_response_is_said() -> None:
    intents = set(DOMAIN_FILE["intents"])
    # Safety intents say a response for each group; look_alike is never predicted: it only teaches the red-flag classifier.
    assert {intent for intent in intents if not CATALOGUE.has(intent)} == {"red_flag", "crisis", "look_alike"}
    by_code = {"utter_citation", "utter_too_long", "utter_empty", "utter_and_more_questions", "utter_old_button",
               "utter_technical_problem", "utter_service_feedback_kept", "utter_service_repeat_nothing",
               "utter_service_simpler_nothing"}
    unsaid = {
        name
        for name in CATALOGUE.names
        if name.removeprefix("utter_") not in intents
        and name not in by_code
        and not name.startswith(("utter_red_flag_", "utter_other_language_", "utter_figure_"))
    }
    assert not unsaid


def test_every_red_flag_group_says_something_urgent() -> None:
    safety = read_yaml(DATA.parent / "knowledge" / "safety.yml")
    for name, group in safety["groups"].items():
        about = CATALOGUE.about(group["says"].removeprefix("utter_"))
        assert about["kind"] == group["level"], name


def test_suggestions_lead_to_answers() -> None:
    for name, _, about in variations():
        offered = about.get("suggestions") or []
        assert len(offered) <= 3, name  # type: ignore[arg-type]
        for topic in offered:  # type: ignore[attr-defined]
            assert CATALOGUE.about(topic).get("kind") == "answer", f"{name} offers {topic}"
            assert f"utter_{topic}" != name
        for key in ("more", "why"):
            if topic := about.get(key):
                assert CATALOGUE.about(str(topic)).get("kind") == "answer", f"{name}: {key}"


def test_every_answer_says_where_why_and_more_lead() -> None:
    for topic in CATALOGUE.topics:
        about = CATALOGUE.about(topic)
        if about["kind"] == "answer":
            assert all(about.get(key) for key in ("why", "more", "suggestions")), topic


def test_titles_fit_where_they_are_shown() -> None:
    titles = [(topic, CATALOGUE.about(topic)) for topic in CATALOGUE.topics if CATALOGUE.about(topic).get("title")]
    assert len(titles) > 100
    for topic, about in titles:
        assert len(about["title"]) <= 60, topic
        assert 0 < len(about["title20"]) <= 20, topic


def test_every_number_is_in_a_fact_of_its_response() -> None:
    for name, text, about in variations():
        if about.get("kind") not in GROUNDED:
            continue
        stated = " ".join(KNOWLEDGE.facts[fact].statement for fact in about["facts"])  # type: ignore[attr-defined]
        for number in re.findall(r"\d+", text):
            assert re.search(rf"\b{number}\b", stated), f"{name} says {number}"


def test_nothing_is_copied_from_the_article() -> None:
    article = set(HASHES.read_text().split())
    assert len(article) > 400
    ours = [(name, text) for name, text, _ in variations()]
    ours += [(fact.id, fact.statement) for fact in KNOWLEDGE.facts.values()]
    for name, text in ours:
        assert not article & set(sequences(text)), f"{name} has eight words in a row of the article"


def test_no_sentence_is_put_into_a_reference_s_mouth() -> None:
    for name, text, about in variations():
        if about.get("kind") == "answer":
            assert not re.search(r"\b(AAOS|JAAOS|Academy)\b", text), name


def test_answers_are_plain() -> None:
    measured = answers(CATALOGUE)
    assert len(measured) > 90
    assert mean(m.grade for m in measured) <= 6.0
    assert max(m.grade for m in measured) <= 8.0
    assert mean(m.ease for m in measured) >= 70
    assert max(m.longest_sentence for m in measured) <= 20
    # The wording that everybody reads first must hold by itself, without the simpler ones' help.
    defaults = {CATALOGUE.default(f"utter_{topic}").text for topic in CATALOGUE.topics}
    first = [m for m in measured if m.text in defaults]
    assert mean(m.grade for m in first) <= 6.0
    assert mean(m.ease for m in first) >= 70


@pytest.mark.parametrize("kind", ["not_covered", "refer", "urgent", "crisis", "clarify", "smalltalk", "service"])
def test_other_replies_are_plain(kind: str) -> None:
    measured = answers(CATALOGUE, (kind,))
    assert mean(m.grade for m in measured) <= 6.0
    assert max(m.longest_sentence for m in measured) <= 20


def test_an_answer_has_two_to_five_sentences() -> None:
    for name, text, about in variations():
        if about.get("kind") == "answer" and not about.get("simple"):
            assert 2 <= len([s for s in sentences(text) if not s.endswith(":")]) <= 6, name


def test_terms_are_explained_where_they_appear() -> None:
    explained = {
        r"femoral head": r"\bball\b",
        r"avascular necrosis": r"blood",
        r"bisphosphonates": r"osteoporosis",
        r"\bMRI\b": r"scan|magnet",
        r"stress fracture": r"crack",
    }
    for name, text, about in variations():
        if about.get("kind") != "answer":
            continue
        for term, explanation in explained.items():
            if re.search(term, text, re.IGNORECASE):
                assert re.search(explanation, text, re.IGNORECASE), f"{name}: {term}"


def test_a_blank_line_never_splits_a_reply() -> None:
    for name, text, _ in variations():
        assert "\n\n" not in text, name


def test_the_greeting_says_what_it_is() -> None:
    text = default_builder().reply("smalltalk_greet").text
    assert "computer program" in text
    assert "911" in text
    assert "advice" in text
