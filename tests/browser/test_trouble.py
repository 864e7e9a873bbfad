"""What happens when something fails: the connection, the server, the conversation's end, the storage."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.stand_in import StandIn
from tests.browser.support import OpenPage, Widget

pytestmark = pytest.mark.browser


def said_in(server: StandIn) -> list[str]:
    """What the patient said, as the server has it."""
    return [m["text"] for stored in server.stored.values() for m in stored.messages if m["from"] == "user"]


def test_reload_keeps_the_conversation_and_the_focus(widget: Widget, page: Page, stand_in: StandIn) -> None:
    widget.open()
    widget.ask("how long does it last")
    widget.button("What is it?").first.click()
    expect(widget.bots).to_have_count(3)
    page.reload()
    expect(widget.panel).to_be_visible()
    expect(widget.bots).to_have_count(3)
    expect(widget.users).to_have_text(["how long does it last", "What is it?"])
    assert page.evaluate("document.activeElement.tagName") == "BODY", "nobody asked for the focus"
    page.wait_for_timeout(300)
    expect(widget.said).to_have_count(0)
    assert len(stand_in.stored) == 1
    widget.ask("and more")
    assert len(said_in(stand_in)) == 3


def test_closed_stays_closed_after_a_reload(widget: Widget, page: Page, stand_in: StandIn) -> None:
    widget.open()
    widget.ask("what is it")
    widget.button("Close").click()
    page.reload()
    expect(widget.launcher).to_be_visible()
    expect(widget.panel).to_be_hidden()
    stand_in.calls.clear()
    widget.open()
    expect(widget.bots).to_have_count(2)


def test_two_tabs_show_the_same(widget: Widget, page: Page, stand_in: StandIn) -> None:
    widget.open()
    widget.ask("first question")
    other_page = page.context.new_page()
    other_page.goto(stand_in.url)
    other = Widget(other_page).open()
    expect(other.users).to_have_text(["first question"])
    other.ask("second question")
    expect(widget.users).to_have_text(["first question", "second question"])
    expect(widget.bots).to_have_count(3)
    widget.ask("third question")
    expect(other.users).to_have_text(["first question", "second question", "third question"])
    assert said_in(stand_in) == ["first question", "second question", "third question"]

    other.options()
    other.button("Delete my conversation").click()
    other.button("Yes, delete it").click()
    expect(widget.notices).to_have_text(["This conversation was deleted in another window."])
    expect(widget.bots).to_have_count(0)
    widget.button("Start a new conversation").click()
    expect(widget.bots).to_have_count(1)
    assert len(stand_in.stored) == 1


def test_lost_network(widget: Widget, page: Page, stand_in: StandIn) -> None:
    widget.open()
    page.context.set_offline(True)
    widget.write("sent without a network")
    expect(widget.problem).to_contain_text("You are offline.")
    expect(widget.problem).to_contain_text("emergency number")
    expect(widget.said.filter(has_text="You are offline")).to_have_count(1)
    expect(widget.root.locator("li.user .meta")).to_contain_text("Waiting for the connection")
    expect(widget.users).to_be_in_viewport(ratio=1)
    page.context.set_offline(False)
    expect(widget.bots).to_have_count(2)
    expect(widget.problem).to_have_count(0)
    assert said_in(stand_in) == ["sent without a network"]


def test_an_answer_lost_on_the_way_is_not_asked_for_twice(widget: Widget, stand_in: StandIn) -> None:
    widget.open()
    stand_in.plan = ["drop", "drop"]
    widget.ask("said once")
    assert len(stand_in.heard) == 3
    assert len({message for _, message, _ in stand_in.heard}) == 1
    assert said_in(stand_in) == ["said once"]
    expect(widget.users).to_have_text(["said once"])
    expect(widget.bots).to_have_count(2)


def test_server_restarted_in_the_middle(widget: Widget, stand_in: StandIn) -> None:
    widget.open()
    widget.ask("before")
    stand_in.stop()
    try:
        widget.write("while it was away")
        widget.write("and another")
        expect(widget.problem).to_contain_text("can't be reached right now")
    finally:
        stand_in.start()
    widget.try_again()
    expect(widget.bots).to_have_count(4)
    expect(widget.problem).to_have_count(0)
    assert said_in(stand_in) == ["before", "while it was away", "and another"]
    expect(widget.users).to_have_text(["before", "while it was away", "and another"])


def test_server_away_at_first_contact(page: Page, widget: Widget, stand_in: StandIn) -> None:
    stand_in.stop()
    try:
        widget.launcher.click()
        expect(widget.problem).to_contain_text("can't be reached")
    finally:
        stand_in.start()
    expect(widget.bots).to_have_count(1)
    expect(widget.problem).to_have_count(0)


def test_server_not_ready(widget: Widget, stand_in: StandIn) -> None:
    widget.open()
    stand_in.plan = ["503:1"]
    widget.write("what is it")
    expect(widget.problem).to_contain_text("still starting up")
    expect(widget.bots).to_have_count(2)


def test_too_many_messages(widget: Widget, stand_in: StandIn) -> None:
    widget.open()
    stand_in.plan = ["429:2"]
    widget.write("what is it")
    expect(widget.problem).to_contain_text("Yours is sent in 2 seconds.")
    expect(widget.bots).to_have_count(2)
    expect(widget.problem).to_have_count(0)
    stand_in.plan = ["429:3600"]
    widget.write("and now")
    expect(widget.problem).to_contain_text("try again later")
    widget.button("Try again").click()
    expect(widget.bots).to_have_count(3)


def test_server_error_is_said_and_can_be_tried_again(widget: Widget, stand_in: StandIn) -> None:
    widget.open()
    stand_in.plan = ["500"]
    widget.write("what is it")
    expect(widget.problem).to_contain_text("Something went wrong on our side")
    expect(widget.root.locator("li.user .meta")).to_contain_text("Not sent")
    widget.button("Try again").click()
    expect(widget.bots).to_have_count(2)
    expect(widget.problem).to_have_count(0)
    assert len({message for _, message, _ in stand_in.heard}) == 1


def test_slow_is_said(widget: Widget, stand_in: StandIn) -> None:
    widget.open()
    stand_in.plan = ["slow:4.6"]
    widget.write("what is it")
    expect(widget.root.locator(".typing")).to_have_text("Writing an answer")
    expect(widget.said.filter(has_text="longer than usual")).to_have_count(1)
    expect(widget.root.locator(".typing")).to_contain_text("longer than usual")
    expect(widget.bots).to_have_count(2)
    expect(widget.root.locator(".typing")).to_have_count(0)


@pytest.mark.parametrize("how", ["gone", "token"])
def test_an_ended_conversation_is_said_and_begun_anew(widget: Widget, stand_in: StandIn, how: str) -> None:
    widget.open()
    widget.ask("before")
    if how == "gone":
        stand_in.stored.clear()
    else:
        next(iter(stand_in.stored.values())).token = "another"
    widget.button("How long does it last?").first.click()
    expect(widget.notices).to_have_text(["Your earlier conversation has ended and was deleted. Here is a new one."])
    expect(widget.bots).to_have_count(2)
    # The question is asked in words: what was offered in the old conversation is worth nothing in the new one.
    assert stand_in.heard[-1][2] == "How long does it last?"
    expect(widget.bots.last).to_contain_text("6 to 12 months")
    expect(widget.users).to_have_text(["How long does it last?"])


def test_an_expired_conversation_after_a_reload(widget: Widget, page: Page, stand_in: StandIn) -> None:
    widget.open()
    widget.ask("before")
    widget.button("Close").click()
    page.evaluate(
        """() => { for (const key of Object.keys(localStorage)) if (!key.endsWith('preferences')) {
        const saved = JSON.parse(localStorage[key]); saved.current.expires_at = '2020-01-01T00:00:00Z';
        localStorage[key] = JSON.stringify(saved) } }"""
    )
    page.reload()
    widget.open()
    expect(widget.notices).to_contain_text("has ended")
    expect(widget.bots).to_have_count(1)


def test_start_again_without_a_server_deletes_later(widget: Widget, stand_in: StandIn, page: Page) -> None:
    widget.open()
    widget.ask("before")
    first = next(iter(stand_in.stored))
    widget.options()
    page.context.set_offline(True)
    widget.button("Start again").click()
    widget.button("Yes, start again").click()
    expect(widget.problem).to_be_visible()
    assert first in stand_in.stored
    page.context.set_offline(False)
    expect(widget.bots).to_have_count(1)
    page.reload()
    widget.options()
    widget.button("Start again").click()
    widget.button("Yes, start again").click()
    expect(widget.notices).to_have_count(1)
    expect(widget.bots).to_have_count(1)
    page.wait_for_timeout(200)
    assert len(stand_in.stored) == 1
    assert first not in stand_in.stored


BLOCKED = """
for (const name of ['localStorage', 'sessionStorage'])
  Object.defineProperty(window, name, {get() { throw new DOMException('blocked', 'SecurityError') }});
"""


def test_storage_blocked(new_context: Callable[..., BrowserContext], stand_in: StandIn) -> None:
    context = new_context()
    context.add_init_script(BLOCKED)
    page = context.new_page()
    page.goto(stand_in.url)
    widget = Widget(page).open()
    widget.ask("what is it")
    widget.button("Close").click()
    widget.open()
    expect(widget.bots).to_have_count(2)
    widget.options()
    widget.button("Delete my conversation").click()
    widget.button("Yes, delete it").click()
    expect(widget.notices).to_contain_text("was deleted")
    assert stand_in.stored == {}


def test_storage_full(new_context: Callable[..., BrowserContext], stand_in: StandIn) -> None:
    context = new_context()
    context.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }")
    page = context.new_page()
    page.goto(stand_in.url)
    widget = Widget(page).open()
    widget.ask("one")
    widget.ask("two")
    assert said_in(stand_in) == ["one", "two"]


def test_two_widgets_keep_apart(open_page: OpenPage, stand_in: StandIn) -> None:
    stand_in.pages["two"] = (
        f"<!doctype html><html lang=en><title>Two</title><main><h1>Two</h1></main>"
        f"<hipwise-chat id=a server='{stand_in.url}'></hipwise-chat>"
        f"<hipwise-chat id=b side=left server='{stand_in.url}'></hipwise-chat>"
        f"<script src='{stand_in.url}/widget.js' defer></script></html>",
        {},
    )
    page = open_page(f"{stand_in.elsewhere}/host/two")
    expect(page.locator("hipwise-chat")).to_have_count(2)
    a, b = Widget(page, "#a").open(), Widget(page, "#b").open()
    a.ask("only for a")
    b.ask("only for b")
    assert len(stand_in.stored) == 2
    page.reload()
    expect(a.users).to_have_text(["only for a"])
    expect(b.users).to_have_text(["only for b"])
    a.options()
    a.button("Delete my conversation").click()
    a.button("Yes, delete it").click()
    expect(a.notices).to_have_count(1)
    expect(b.users).to_have_text(["only for b"])
    assert said_in(stand_in) == ["only for b"]


@pytest.mark.parametrize("answer", ["[]", '"text"', "<html>", '{"replies": [null, {"text": 7}]}'])
def test_an_answer_that_makes_no_sense_breaks_nothing(page: Page, widget: Widget, answer: str) -> None:
    widget.open()
    page.route("**/messages", lambda route: route.fulfill(body=answer, content_type="application/json"), times=1)
    widget.write("what is it")
    expect(widget.root.locator(".typing")).to_have_count(0)
    before = widget.bots.count()
    widget.write("again")
    expect(widget.bots).to_have_count(before + 1)


def test_markup_in_an_answer_stays_text(page: Page, widget: Widget) -> None:
    evil = "<img src=x onerror=alert(1)><b>bold</b>"
    reply = {
        "text": evil,
        "kind": "answer",
        "references": [{"id": "r", "citation": evil, "url": "javascript:alert(1)"}],
        "suggestions": [{"title": evil, "payload": "/x"}],
        "figure": {"url": "javascript:alert(1)", "alt": evil},
    }
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    widget.open()
    page.route("**/messages", lambda route: route.fulfill(json={"replies": [reply]}))
    answer = widget.ask("what is it")
    expect(answer.locator(".text")).to_have_text(evil)
    answer.locator("summary").click()
    expect(answer.get_by_role("link")).to_have_count(0)
    expect(answer.locator("img, b")).to_have_count(0)
