"""The widget with the server itself: what both say to each other is what the contract says."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.stand_in import StandIn
from tests.browser.support import PHONE, ROOT, OpenPage, RealServer, Widget

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.model]


def test_whole_conversation(open_page: OpenPage, real_server: RealServer) -> None:
    page = open_page(real_server.url)
    refused: list[str] = []
    page.on("response", lambda r: refused.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.reload()
    widget = Widget(page).open()
    offered = widget.bots.first.locator(".suggestion")
    assert offered.count() >= 2
    title = offered.first.inner_text()
    offered.first.click()
    expect(widget.users).to_have_text([title])
    expect(widget.bots).to_have_count(2)

    answer = widget.ask("How long does it last?")
    expect(answer).to_contain_text(re.compile(r"6 (to|and) 12 months"))
    picture = answer.locator("figure img")
    assert picture.evaluate("async i => { await i.decode(); return i.naturalWidth }") > 0
    assert len(picture.get_attribute("alt") or "") > 30
    answer.locator("summary").click()
    expect(answer.locator("details li")).to_have_count(3)
    expect(answer.locator("details")).to_contain_text("Korompilias")
    answer.get_by_role("button", name="Helpful", exact=True).click()
    expect(answer.get_by_role("status")).to_have_text("Thank you.")

    widget.ask("I fell this morning and now I can't stand on that leg")
    expect(widget.root.get_by_role("alert")).to_contain_text("911")
    widget.ask("does it come back?")
    expect(widget.bots.last).to_contain_text("Not in our source")

    said, shown = widget.users.all_inner_texts(), widget.bots.locator(".text").all_inner_texts()
    page.reload()
    expect(widget.bots).to_have_count(len(shown))
    assert widget.users.all_inner_texts() == said
    assert widget.bots.locator(".text").all_inner_texts() == shown

    widget.options()
    widget.button("Delete my conversation").click()
    widget.button("Yes, delete it").click()
    expect(widget.notices).to_contain_text("was deleted")
    assert refused == []
    assert [m for m in messages if "Content Security Policy" in m or "Refused" in m] == []


def test_two_tabs(open_page: OpenPage, real_server: RealServer) -> None:
    page = open_page(real_server.url)
    widget = Widget(page).open()
    widget.ask("What is it?")
    other_page = page.context.new_page()
    other_page.goto(real_server.url)
    other = Widget(other_page).open()
    other.ask("How is it treated?")
    expect(widget.users).to_have_text(["What is it?", "How is it treated?"])
    expect(widget.bots).to_have_count(3)


def test_restarted_in_the_middle(open_page: OpenPage, real_server: RealServer) -> None:
    page = open_page(real_server.url)
    widget = Widget(page).open()
    widget.ask("What is it?")
    real_server.stop()
    try:
        widget.write("How long does it last?")
        expect(widget.problem).to_be_visible()
    finally:
        real_server.start()
    widget.try_again()
    expect(widget.bots).to_have_count(3)
    expect(widget.problem).to_have_count(0)
    page.reload()
    expect(widget.users).to_have_text(["What is it?", "How long does it last?"])
    expect(widget.bots).to_have_count(3)


def test_forget_me_said_in_the_chat(open_page: OpenPage, real_server: RealServer) -> None:
    widget = Widget(open_page(real_server.url)).open()
    widget.ask("What is it?")
    widget.write("please delete my data")
    expect(widget.users).to_have_text(["please delete my data"])
    expect(widget.bots).to_have_count(1)
    widget.button("Close").click()
    widget.page.reload()
    widget.open()
    expect(widget.users).to_have_count(0)
    expect(widget.bots).to_have_count(1)
    widget.ask("What is it?")


def test_on_a_page_of_another_origin(open_page: OpenPage, real_server: RealServer, stand_in: StandIn) -> None:
    integrity = json.loads((ROOT / "web" / "dist" / "integrity.json").read_text(encoding="utf-8"))["widget.js"]
    own = real_server.url
    policy = f"default-src 'none'; script-src {own}; connect-src {own}; img-src {own}"
    stand_in.pages["clinic"] = (
        "<!doctype html><html lang=en><title>A clinic</title><main><h1>A clinic</h1></main>"
        f"<script src='{own}/widget.js' integrity='{integrity}' crossorigin=anonymous defer></script></html>",
        {"Content-Security-Policy": policy},
    )
    page = open_page(f"{stand_in.elsewhere}/host/clinic")
    widget = Widget(page).open()
    answer = widget.ask("How long does it last?")
    assert answer.locator("figure img").evaluate("async i => { await i.decode(); return i.naturalWidth }") > 0
    answer.get_by_role("button", name="Not helpful").click()
    expect(answer.get_by_role("status")).to_have_text("Thank you.")


def test_crisis_on_a_phone(open_page: OpenPage, real_server: RealServer) -> None:
    widget = Widget(open_page(real_server.url, **PHONE)).open()
    answer = widget.ask("I don't want to live any more")
    expect(answer.get_by_role("heading", name="You are not alone")).to_be_visible()
    expect(answer.get_by_role("link", name="Call 988")).to_have_attribute("href", "tel:988")
