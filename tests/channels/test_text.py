from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipwise.channels.text import (
    choose,
    is_gsm7,
    segments,
    sentences,
    shorten,
    split,
    to_gsm7,
    utf16_length,
    within,
)
from hipwise.replies import Suggestion

TEXTS = st.text(st.sampled_from("ab cé\n.!?。😀"), min_size=1, max_size=300)
CITATION = "Source: an article. It draws on two more."


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@given(TEXTS)
def test_sentences_lose_nothing(text: str) -> None:
    assert "".join(sentences(text)) == text


@given(TEXTS, st.integers(2, 60), st.sampled_from(["", "Source: x."]))
def test_parts_fit_and_lose_nothing(text: str, limit: int, citation: str) -> None:
    parts = split(text, citation, within(limit))
    assert all(utf16_length(part) <= limit for part in parts)
    assert squeezed("".join(parts)) == squeezed(text) + squeezed(citation)


def test_splits_at_sentences_and_keeps_the_citation_with_the_end_of_the_answer() -> None:
    text = "One thing is so. Another is not. A third may be, said Dr. Who."
    parts = split(text, CITATION, within(80))
    assert parts == ["One thing is so. Another is not.", f"A third may be, said Dr. Who.\n{CITATION}"]


def test_a_long_last_sentence_gives_its_end_to_the_citation() -> None:
    text = "First. " + "word " * 30 + "end."
    parts = split(text, CITATION, within(70))
    assert parts[-1].endswith(f"end.\n{CITATION}")
    assert all(CITATION not in part for part in parts[:-1])


def test_a_short_text_is_one_part() -> None:
    assert split("Yes. No.", CITATION, within(1600)) == [f"Yes. No.\n{CITATION}"]


def test_chinese_sentences_are_found() -> None:
    assert sentences("抱歉，我只说英语。请联系您的诊所。") == ["抱歉，我只说英语。", "请联系您的诊所。"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3),
        ("€" * 80, 1), ("€" * 81, 2), ("a" * 152 + "€" + "a" * 151, 2), ("a" * 152 + "€" + "a" * 152, 3),
        ("“" + "a" * 69, 1), ("“" + "a" * 70, 2), ("😀" * 35, 1), ("😀" * 36, 2), ("😀" * 66, 2), ("😀" * 67, 3),
    ],
)  # fmt: skip
def test_segments(text: str, number: int) -> None:
    # 153 septets or 67 units in each part of a longer SMS; an escape or a surrogate pair is never torn (66 = 2 x 33).
    assert segments(text) == number


def test_typographic_characters_become_plain_and_letters_stay() -> None:
    assert to_gsm7("“It’s” 5–6 months…\u00a0yes") == '"It\'s" 5-6 months... yes'
    assert is_gsm7(to_gsm7("“It’s” 5–6 months…"))
    # Where other letters need UCS-2 anyway, nothing is gained by changing the quotes.
    assert to_gsm7("„Tak” powiedział") == "„Tak” powiedział"


MENU = [
    Suggestion("Will it get worse first?", "/a", "Worse first?"),
    Suggestion("How is it treated?", "/b", "Treatment"),
    Suggestion("Is it permanent?", "/c", "Permanent?"),
]


@pytest.mark.parametrize(
    ("typed", "payload"),
    [
        ("1", "/a"), ("1.", "/a"), (" 1) ", "/a"), ("(2)", "/b"), ("#3", "/c"), ("one", "/a"), ("Two.", "/b"),
        ("THREE!", "/c"),
        ("option 2", "/b"), ("number three", "/c"), ("the first one", "/a"), ("2nd", "/b"), ("2 please", "/b"),
        ("reply 1", "/a"),
        ("how is it treated", "/b"), ("How is it treated?", "/b"), ("treatment", "/b"), ("٢", "/b"),
        ("“Is it permanent?”", "/c"),
    ],
)  # fmt: skip
def test_choices(typed: str, payload: str) -> None:
    chosen = choose(typed, MENU)
    assert chosen is not None
    assert chosen.payload == payload


@pytest.mark.parametrize(
    "typed", ["4", "0", "", "?", "12 months", "1 or 2", "no one", "one of my legs hurts", "-", "100", "yes", "²"]
)
def test_no_choice(typed: str) -> None:
    assert choose(typed, MENU) is None


def test_numbers_without_a_menu_choose_nothing() -> None:
    assert choose("1", []) is None


@given(st.text(max_size=200), st.integers(1, 50))
def test_shortened_text_fits(text: str, limit: int) -> None:
    assert utf16_length(shorten(text, limit)) <= limit
