"""A conversation in a real browser: asking, answers, what can be done with them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.stand_in import StandIn
from tests.browser.support import OpenPage, Widget

pytestmark = pytest.mark.browser


def test_whole_conversation(widget: Widget, stand_in: StandIn) -> None:
    expect(widget.launcher).to_have_attribute("aria-haspopup", "dialog")
    assert stand_in.calls.count(("POST", "/api/v1/conversations")) == 0, "nobody is written down before they ask"
    widget.open()
    expect(widget.bots.first).to_contain_text("I am a computer program")
    expect(widget.panel).to_have_accessible_name("Hip questions")

    suggestion = widget.button("How long does it last?")
    suggestion.click()
    answer = widget.bots.nth(1)
    expect(answer).to_contain_text("6 to 12 months")
    expect(widget.users).to_have_text(["How long does it last?"])
    assert stand_in.heard[0][2] == "/ask_how_long_does_it_last", "the payload is sent, the title shown"
    expect(suggestion).to_be_visible()
    expect(suggestion).to_be_enabled()
    expect(answer.locator("time")).to_have_text(re.compile(r"^\d+:\d\d [AP]M$"))

    picture = answer.get_by_role("img", name="The pain grows over some months, then eases within a year.")
    expect(picture).to_be_visible()
    assert picture.evaluate("async i => { await i.decode(); return i.naturalWidth }") > 0

    sources = answer.locator("summary")
    expect(sources).to_have_text("Sources (3)")
    expect(answer.get_by_text("Korompilias")).to_be_hidden()
    sources.click()
    expect(answer.get_by_text("Korompilias")).to_be_visible()
    link = answer.get_by_role("link", name="Jonathan Cluett")
    expect(link).to_have_attribute("href", "https://example.org/a")
    expect(link).to_have_attribute("rel", "noopener noreferrer")

    widget.ask("Is it permanent?")
    assert stand_in.heard[1][2] == "Is it permanent?"
    expect(widget.bots).to_have_count(3)
    expect(widget.box).to_have_value("")


def test_enter_sends_and_shift_enter_is_a_new_line(widget: Widget, stand_in: StandIn) -> None:
    widget.open()
    widget.box.press_sequentially("one")
    widget.box.press("Shift+Enter")
    widget.box.press_sequentially("two")
    assert stand_in.heard == []
    widget.box.press("Enter")
    expect(widget.bots).to_have_count(2)
    assert stand_in.heard[0][2] == "one\ntwo"
    widget.box.press("Enter")
    widget.button("Send").click()
    assert len(stand_in.heard) == 1, "nothing is not sent"


def test_kinds_are_labelled_in_words(widget: Widget) -> None:
    widget.open()
    expect(widget.ask("what does it cost")).to_contain_text("Not in our source")
    expect(widget.ask("how much to take")).to_contain_text("One for your doctor")


def test_another_language_is_marked(widget: Widget) -> None:
    widget.open()
    answer = widget.ask("hola")
    expect(answer.locator(".text")).to_have_attribute("lang", "es")
    expect(widget.said.last).to_have_attribute("lang", "es")


def test_feedback_with_a_reason(widget: Widget, stand_in: StandIn) -> None:
    widget.open()
    expect(widget.bots.first.get_by_role("button", name="Helpful", exact=True)).to_have_count(0)
    answer = widget.ask("what is it")
    up, down = (answer.get_by_role("button", name=name, exact=True) for name in ("Helpful", "Not helpful"))
    with widget.page.expect_response("**/feedback"):
        up.click()
    expect(up).to_have_attribute("aria-pressed", "true")
    expect(answer.get_by_role("status")).to_have_text("Thank you.")
    with widget.page.expect_response("**/feedback"):
        down.click()
    expect(up).to_have_attribute("aria-pressed", "false")
    expect(down).to_be_focused()
    reason = answer.get_by_role("textbox", name="What was wrong?")
    reason.fill("too short")
    with widget.page.expect_response("**/feedback"):
        reason.press("Enter")
    expect(reason).to_have_count(0)
    expect(down).to_be_focused()
    message = stand_in.heard[0][1]
    same = {"message_id": message, "index": 0}
    assert stand_in.rated == [
        {**same, "rating": "up"},
        {**same, "rating": "down"},
        {**same, "rating": "down", "reason": "too short"},
    ]


def test_copy_of_an_answer_and_of_everything(new_context: Callable[..., BrowserContext], stand_in: StandIn) -> None:
    context = new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(stand_in.url)
    widget = Widget(page).open()
    answer = widget.ask("how long does it last")
    answer.get_by_role("button", name="Copy").click()
    expect(answer.get_by_role("status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "6 to 12 months" in copied
    assert "JAAOS" in copied
    assert "computer program" not in copied
    widget.options()
    widget.button("Copy the conversation").click()
    expect(widget.panel.get_by_text("Copied.")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    for part in ("computer program", "how long does it last", "6 to 12 months", "https://example.org/a"):
        assert part in copied


def test_saved_file(widget: Widget, page: Page) -> None:
    widget.open()
    widget.ask("how long does it last")
    widget.options()
    with page.expect_download() as download:
        widget.button("Save as a file").click()
    assert download.value.suggested_filename == "hip-questions.txt"
    text = download.value.path().read_text(encoding="utf-8")
    assert "how long does it last" in text
    assert "AAOS, July 2013" in text


def test_print_has_the_citations_and_leaves_the_page_alone(
    new_context: Callable[..., BrowserContext], stand_in: StandIn
) -> None:
    context = new_context()
    context.add_init_script(
        "window.print = () => { top.printed = {text: document.body.innerText, top: window === top, "
        "sheets: document.adoptedStyleSheets.length, pictures: document.images.length}; "
        "dispatchEvent(new Event('afterprint')) }"
    )
    page = context.new_page()
    page.goto(stand_in.url)
    widget = Widget(page).open()
    widget.ask("how long does it last")
    widget.options()
    widget.button("Print").click()
    page.wait_for_function("window.printed")
    printed = page.evaluate("window.printed")
    assert printed["top"] is False
    assert printed["sheets"] == 1
    assert printed["pictures"] == 1
    for part in ("how long does it last", "6 to 12 months", "AAOS, July 2013", "not medical advice"):
        assert part in printed["text"]
    expect(widget.root.locator("iframe")).to_have_count(0)


def test_characters_are_counted_near_the_limit(widget: Widget, stand_in: StandIn) -> None:
    widget.open()
    count = widget.root.locator(".count")
    widget.box.fill("x" * 700)
    expect(count).to_be_hidden()
    widget.box.fill("x" * 950)
    expect(count).to_have_text("50 characters left")
    # Two code units, one character: counted as the server counts.
    widget.box.fill("\U0001f642" * 1000)
    expect(count).to_have_text("0 characters left")
    widget.box.fill("x" * 1012)
    expect(count).to_have_text("12 characters too many")
    expect(widget.box).to_have_attribute("aria-invalid", "true")


def test_too_long_is_said_and_given_back(widget: Widget) -> None:
    widget.open()
    widget.write("x" * 1012)
    expect(widget.problem).to_contain_text("too long")
    expect(widget.box).to_have_value("x" * 1012)
    expect(widget.root.locator("li.user .meta")).to_contain_text("Not answered")
    widget.box.fill("")
    widget.ask("shorter")
    expect(widget.problem).to_have_count(0)


def test_too_long_with_a_red_flag_is_answered_all_the_same(widget: Widget) -> None:
    widget.open()
    widget.write("I fell. " + "x" * 1012)
    expect(widget.root.get_by_role("alert")).to_contain_text("broken hip")
    expect(widget.problem).to_contain_text("too long")


def test_start_again(widget: Widget, stand_in: StandIn) -> None:
    widget.open()
    widget.ask("what is it")
    first = next(iter(stand_in.stored))
    widget.options()
    widget.button("Start again").click()
    widget.button("No, keep it").click()
    expect(widget.button("Start again")).to_be_focused()
    widget.button("Start again").click()
    widget.button("Yes, start again").click()
    expect(widget.notices).to_have_text(["Here is a new conversation. The earlier one is being deleted."])
    expect(widget.bots).to_have_count(1)
    expect(widget.users).to_have_count(0)
    widget.ask("what is it")
    assert first not in stand_in.stored
    assert len(stand_in.stored) == 1


def test_delete(widget: Widget, stand_in: StandIn, page: Page) -> None:
    widget.open()
    widget.ask("what is it")
    widget.options()
    widget.button("Delete my conversation").click()
    expect(widget.root.locator("#ask")).to_be_focused()
    widget.button("Yes, delete it").click()
    expect(widget.notices).to_have_text(["Your conversation was deleted, here and on the server."])
    assert stand_in.stored == {}
    expect(widget.bots).to_have_count(0)
    assert "token" not in str(page.evaluate("JSON.stringify(localStorage)")).replace('\\"doomed\\":[]', "")
    widget.button("Start a new conversation").click()
    expect(widget.bots).to_have_count(1)


def test_delete_that_fails_is_not_called_done(widget: Widget, stand_in: StandIn, page: Page) -> None:
    widget.open()
    widget.ask("what is it")
    widget.options()
    page.context.set_offline(True)
    widget.button("Delete my conversation").click()
    widget.button("Yes, delete it").click()
    expect(widget.panel.get_by_text("It could not be deleted")).to_be_visible()
    page.context.set_offline(False)
    assert len(stand_in.stored) == 1


def test_no_words_in_the_browsers_storage(widget: Widget, page: Page) -> None:
    widget.open()
    widget.ask("my marker question")
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "token" in kept
    assert "marker" not in kept
    assert "answer to" not in kept


def test_text_size_is_kept(widget: Widget, page: Page) -> None:
    size = "e => parseFloat(getComputedStyle(e).fontSize)"
    widget.open()
    before = widget.bots.first.evaluate(size)
    widget.options()
    widget.panel.get_by_role("radio", name="Very large").check()
    widget.button("Back to the conversation").click()
    assert widget.bots.first.evaluate(size) == pytest.approx(before * 1.6)
    page.reload()
    expect(widget.bots.first).to_be_visible()
    assert widget.bots.first.evaluate(size) == pytest.approx(before * 1.6)


VOICES = """
const voices = [{lang: 'en-US', localService: REMOTE, default: true, name: 'a'}];
window.heard = [];
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text } };
Object.defineProperty(window, 'speechSynthesis', {value: Object.assign(new EventTarget(), {
  getVoices: () => voices, speak: u => window.heard.push(u.text), cancel: () => window.heard.push('STOP')})});
"""


def test_read_aloud_is_off_until_asked_for(new_context: Callable[..., BrowserContext], stand_in: StandIn) -> None:
    context = new_context()
    context.add_init_script(VOICES.replace("REMOTE", "true"))
    page = context.new_page()
    page.goto(stand_in.url)
    widget = Widget(page).open()
    first = widget.ask("how long does it last")
    assert page.evaluate("heard.filter(h => h !== 'STOP')") == []
    first.get_by_role("button", name="Read aloud").click()
    assert page.evaluate("heard.at(-2)").strip() == "It usually goes away by itself within 6 to 12 months."
    first.get_by_role("button", name="Stop reading").click()
    assert page.evaluate("heard.at(-1)") == "STOP"
    widget.options()
    widget.panel.get_by_role("checkbox", name="Read new answers aloud").check()
    widget.button("Back to the conversation").click()
    widget.ask("what is it")
    assert "An answer" in page.evaluate("heard.at(-1)")
    widget.button("Close").click()
    assert page.evaluate("heard.at(-1)") == "STOP"


def test_a_voice_that_sends_the_words_away_is_not_used(new_context: Callable[..., BrowserContext], stand_in: StandIn) -> None:
    context = new_context()
    context.add_init_script(VOICES.replace("REMOTE", "false"))
    page = context.new_page()
    page.goto(stand_in.url)
    widget = Widget(page).open()
    widget.ask("how long does it last")
    expect(widget.button("Read aloud")).to_have_count(0)
    widget.options()
    expect(widget.panel.get_by_role("checkbox", name="Read new answers aloud")).to_be_disabled()


def test_the_page_is_told_kinds_and_no_words(widget: Widget, page: Page) -> None:
    page.evaluate(
        """() => { window.told = []; for (const name of ['open', 'start', 'answer', 'close', 'delete'])
        addEventListener('hipwise-' + name, e => told.push([e.type, e.detail])) }"""
    )
    widget.open()
    widget.ask("how long does it last, Miller")
    widget.button("Close").click()
    assert page.evaluate("told") == [
        ["hipwise-open", None],
        ["hipwise-start", None],
        ["hipwise-answer", {"kind": "answer", "topic": "ask_duration"}],
        ["hipwise-close", None],
    ]


def test_demo_page_asks_through_the_widget(page: Page, widget: Widget, stand_in: StandIn) -> None:
    expect(page.get_by_text("This clinic does not exist.")).to_be_visible()
    expect(page.locator("#snippet")).to_have_text(f'<script src="{stand_in.url}/widget.js" defer></script>')
    page.get_by_role("button", name="What happens in the bone?").click()
    expect(widget.users).to_have_text(["What happens in the bone?"])
    expect(widget.bots).to_have_count(2)


def test_an_answer_begins_where_it_can_be_read(widget: Widget) -> None:
    widget.open()
    answer = widget.ask("a long answer please")
    expect(answer.locator(".text")).to_be_in_viewport()
    widget.page.wait_for_timeout(100)
    log, top = widget.root.locator(".log").bounding_box(), answer.bounding_box()
    assert log
    assert top
    assert log["y"] <= top["y"] < log["y"] + log["height"] / 2


def test_answer_while_closed_is_counted(widget: Widget, stand_in: StandIn) -> None:
    widget.open()
    stand_in.plan = ["slow:0.6"]
    widget.write("what is it")
    widget.button("Close").click()
    expect(widget.root.get_by_role("button", name="1 new answer")).to_be_visible()
    widget.root.get_by_role("button", name="1 new answer").click()
    expect(widget.bots).to_have_count(2)


def test_whole_page_has_no_requests_elsewhere(open_page: OpenPage, stand_in: StandIn) -> None:
    page = open_page("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(stand_in.url)
    widget = Widget(page).open()
    widget.ask("how long does it last")
    page.wait_for_timeout(200)
    assert asked
    assert all(url.startswith((stand_in.url, "data:")) for url in asked), asked
