"""Every wording of every response, through every channel, into a stand-in that refuses what breaks a limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipwise.channels import pictures
from hipwise.channels.base import Call, Channel, Incoming, Site
from hipwise.channels.notices import NAMES, notice
from hipwise.channels.text import is_gsm7, segments
from hipwise.replies import Figure, Reply, ReplyBuilder, Suggestion

from .platforms import Platform
from .support import CHANNELS, CONFIG, NUMBER, OURS, PUBLIC, REGION

TO = {
    "telegram": "4711",
    "sms": NUMBER,
    "whatsapp-twilio": f"whatsapp:{NUMBER}",
    "whatsapp": NUMBER[1:],
    "messenger": "2468",
    "slack": "D024BE91L",
}


def site(tmp_path: Path) -> Site:
    for name in ("femoral_head", "course", "compare", "activities"):
        (tmp_path / f"{name}.png").write_bytes(b"png")
    return Site(PUBLIC, tmp_path)


def incoming(name: str) -> Incoming:
    via = {"sms": OURS, "whatsapp-twilio": f"whatsapp:{OURS}"}.get(name, "")
    return Incoming(name.removesuffix("-twilio"), "p", "1", "text", "x", to=TO[name], via=via)


def every_reply(builder: ReplyBuilder) -> Iterator[Reply]:
    """Every response that is a reply, in each of its wordings."""
    names = dict.fromkeys(("activity", "medicine", "aid", "test", "condition", "group", "topic"), "swimming")
    for topic in builder.catalogue.topics:
        for variation in builder.catalogue.variations(f"utter_{topic}"):
            yield builder.reply(topic, {**names, **variation.conditions})
    for name in NAMES:
        yield notice(name, REGION)


def make(name: str, site: Site) -> tuple[Channel, Platform]:
    channel, api, _, _ = CHANNELS[name]
    return channel(CONFIG, site), api()


def send(api: Platform, calls: list[Call]) -> None:
    for call in calls:
        api.check(call.method, dict(call.body))
        api.calls.append((call.method, dict(call.body)))


@pytest.mark.parametrize("name", CHANNELS)
def test_every_answer_is_taken_whole_and_with_its_citation(name: str, builder: ReplyBuilder, tmp_path: Path) -> None:
    count = 0
    for reply in every_reply(builder):
        channel, api = make(name, site(tmp_path))
        send(api, channel.render([reply], incoming(name)))
        texts = api.texts()
        said = "\n".join(texts)
        for word in reply.text.split():
            assert word.strip("“”‘’\"'—–…") in said.replace("*", ""), (reply.topic, word)
        if reply.facts:
            # No part of an answer that a person could read without what it is based on: here all fit into one.
            assert len(texts) == 1
            assert "Source: " in texts[0]
        if reply.kind in ("urgent", "crisis"):
            assert "EMERGENCY" in texts[0].splitlines()[0]
        count += 1
    assert count > 170


@pytest.mark.parametrize("name", CHANNELS)
def test_every_suggestion_can_be_chosen(name: str, builder: ReplyBuilder, tmp_path: Path) -> None:
    for reply in every_reply(builder):
        if not reply.suggestions or reply.kind in ("urgent", "crisis"):
            continue
        channel, api = make(name, site(tmp_path))
        send(api, channel.render([reply], incoming(name)))
        _, body = api.calls[-1]
        for number, suggestion in enumerate(reply.suggestions, start=1):
            if channel.numbered:
                assert f"\n{number} {suggestion.title}" in body["Body"]
            else:
                assert f"'{suggestion.payload}'" in str(body)


def test_every_english_answer_is_gsm7(builder: ReplyBuilder, tmp_path: Path) -> None:
    channel, _ = make("sms", site(tmp_path))
    most = 0
    for reply in every_reply(builder):
        if (reply.topic or "").startswith("other_language_"):
            continue
        for call in channel.render([reply], incoming("sms")):
            assert is_gsm7(call.body["Body"]), (reply.topic, call.body["Body"])
            most = max(most, segments(call.body["Body"]))
    # Words, short source and three choices. More would cost the clinic and tire the reader.
    assert most <= 6


@pytest.mark.parametrize("name", CHANNELS)
def test_figures_are_pictures_only_where_there_is_a_png(name: str, builder: ReplyBuilder, tmp_path: Path) -> None:
    reply = builder.reply("ask_duration")
    assert reply.figure is not None
    channel, api = make(name, site(tmp_path))
    send(api, channel.render([reply], incoming(name)))
    assert ("/figures/course.png" in str(api.calls)) == (name != "sms")
    for nowhere in (Site(PUBLIC, tmp_path / "none"), Site("", tmp_path), Site("http://clinic.example", tmp_path)):
        channel, api = make(name, nowhere)
        assert "/figures/" not in str(channel.render([reply], incoming(name)))


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(str.strip)
SUGGESTIONS = st.builds(
    Suggestion, title=WORDS, payload=st.from_regex(r"/[a-z_]{1,90}", fullmatch=True), short=WORDS.map(lambda t: t[:20])
)
REPLIES = st.builds(
    Reply,
    text=st.lists(WORDS, min_size=1, max_size=400).map(". ".join),
    kind=st.sampled_from(["answer", "urgent", "clarify"]),
    suggestions=st.lists(SUGGESTIONS, max_size=15, unique_by=lambda s: s.payload).map(tuple),
    figure=st.none() | st.builds(Figure, url=st.just("/figures/course.svg"), alt=WORDS),
    citation=st.sampled_from(["", "Source: one article. It draws on others."]),
)  # fmt: skip


@pytest.mark.parametrize("name", CHANNELS)
@settings(max_examples=60, deadline=None)
@given(replies=st.lists(REPLIES, min_size=1, max_size=3))
def test_no_reply_whatever_is_refused(name: str, replies: list[Reply], tmp_path_factory: pytest.TempPathFactory) -> None:
    channel, api = make(name, site(tmp_path_factory.getbasetemp()))
    send(api, channel.render(replies, incoming(name)))
    assert api.calls


@pytest.mark.parametrize("name", CHANNELS)
def test_a_long_answer_keeps_its_citation(name: str, builder: ReplyBuilder) -> None:
    reply = replace(builder.reply("ask_treatment"), text="This sentence says something about the hip. " * 150, figure=None)
    channel, api = make(name, Site(PUBLIC))
    send(api, channel.render([reply], incoming(name)))
    texts = api.texts()
    cited = [text for text in texts if "Source: " in text]
    assert len(cited) == 1
    assert "about the hip.\nSource: " in cited[0]
    assert all(text.rstrip().endswith(("hip.", "?", ":")) or text in cited for text in texts)


def test_whatsapp_uses_a_list_for_more_than_three(builder: ReplyBuilder) -> None:
    many = tuple(
        Suggestion(f"Question number {n}, which is rather long, is it not?", f"/q{n}", f"Question {n}") for n in range(12)
    )
    channel, api = make("whatsapp", Site(PUBLIC))
    send(api, channel.render([replace(builder.reply("ask_cause"), suggestions=many)], incoming("whatsapp")))
    interactive = api.calls[-1][1]["interactive"]
    assert interactive["type"] == "list"
    assert len(interactive["action"]["sections"][0]["rows"]) == 10


def test_nothing_competes_with_an_emergency(builder: ReplyBuilder) -> None:
    turn = [builder.reply("red_flag_cannot_stand"), builder.reply("ask_duration")]
    for name in CHANNELS:
        channel, api = make(name, Site(PUBLIC))
        send(api, channel.render(turn, incoming(name)))
        assert "/ask_" not in str(api.calls), name
        assert "Reply 1" not in str(api.calls), name


def test_every_figure_has_a_picture_of_what_it_is_now(builder: ReplyBuilder) -> None:
    named = {Path(reply.figure.url).stem for reply in every_reply(builder) if reply.figure}
    assert named == set(pictures.NAMES)
    for name in named:
        assert pictures.is_current(name), f"{name}.png is old: python -m hipwise.channels.pictures"
        # Telegram, WhatsApp and Messenger take 5 MB, Slack and Twilio more.
        assert (pictures.FIGURES / f"{name}.png").stat().st_size < 200_000


def test_one_curly_quote_does_not_double_the_price(builder: ReplyBuilder) -> None:
    channel, _ = make("sms", Site(PUBLIC))
    plain, curly = (replace(builder.reply("ask_cause"), text=text) for text in ('It\'s "thin" - so...', "It’s “thin” – so…"))
    assert channel.render([curly], incoming("sms")) == channel.render([plain], incoming("sms"))
