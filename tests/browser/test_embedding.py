"""The widget on somebody else's page: their policy, their style, their scripts; and how much of it there is."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stand_in import StandIn
from tests.browser.support import ROOT, OpenPage, Widget

pytestmark = pytest.mark.browser

SCRIPT = ROOT / "web" / "dist" / "widget.js"
LIMIT = 30_000  # bytes, gzipped


def host(stand_in: StandIn, body: str, name: str = "page", **headers: str) -> str:
    """Serve a page of another origin with the widget in it; return its address."""
    markup = "<!doctype html><html lang=en><head><meta name=viewport content='width=device-width'>"
    markup += "<title>A clinic</title></head>"
    markup += f"<body><main><h1>A clinic</h1><p><a href='/'>Home</a></p></main>{body}</body></html>"
    stand_in.pages[name] = (markup, {key.replace("_", "-"): value for key, value in headers.items()})
    return f"{stand_in.elsewhere}/host/{name}"


def strict(stand_in: StandIn) -> str:
    """A policy that allows the server's script, calls and pictures, and nothing else at all."""
    own = stand_in.url
    return (
        f"default-src 'none'; script-src {own}; connect-src {own}; img-src {own}; style-src 'none'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
    )


def test_size_with_everything() -> None:
    packed = len(gzip.compress(SCRIPT.read_bytes(), 9))
    assert packed <= LIMIT, f"{packed} bytes gzipped"
    assert "import(" not in SCRIPT.read_text(encoding="utf-8"), "nothing is loaded later"


def test_integrity_is_published() -> None:
    digest = base64.b64encode(hashlib.sha384(SCRIPT.read_bytes()).digest()).decode()
    published = json.loads((SCRIPT.parent / "integrity.json").read_text(encoding="utf-8"))
    assert published == {"widget.js": f"sha384-{digest}"}
    assert f"sha384-{digest}" in (SCRIPT.parent / "index.html").read_text(encoding="utf-8")


def test_strict_policy_and_integrity(open_page: OpenPage, stand_in: StandIn) -> None:
    integrity = json.loads((SCRIPT.parent / "integrity.json").read_text(encoding="utf-8"))["widget.js"]
    tag = f"<script src='{stand_in.url}/widget.js' integrity='{integrity}' crossorigin=anonymous defer></script>"
    url = host(stand_in, tag, Content_Security_Policy=strict(stand_in))
    page = open_page("about:blank")
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(url)
    widget = Widget(page).open()
    widget.ask("how long does it last")
    picture = widget.root.get_by_role("img", name="The pain grows")
    assert picture.evaluate("async i => { await i.decode(); return i.naturalWidth }") > 0
    widget.ask("I fell down")
    widget.box.fill("x\n" * 30)
    widget.options()
    violations = [m for m in messages if "Content Security Policy" in m or "TrustedHTML" in m or "Refused" in m]
    assert violations == []
    # Styled all the same.
    assert widget.panel.evaluate("e => getComputedStyle(e).position") == "fixed"


def test_print_under_a_strict_policy(open_page: OpenPage, stand_in: StandIn) -> None:
    url = host(stand_in, f"<script src='{stand_in.url}/widget.js' defer></script>", Content_Security_Policy=strict(stand_in))
    page = open_page("about:blank")
    page.context.add_init_script("window.print = () => { top.printed = document.body.innerText }")
    page.goto(url)
    widget = Widget(page).open()
    widget.ask("how long does it last")
    widget.options()
    widget.button("Print").click()
    page.wait_for_function("window.printed")
    assert "JAAOS" in page.evaluate("printed")


def test_one_line_places_it_with_its_options(open_page: OpenPage, stand_in: StandIn) -> None:
    tag = f"<script src='{stand_in.url}/widget.js' data-heading='Ask the hip team' data-label='Ask about your hip now' "
    page = open_page(host(stand_in, tag + "data-theme=dark data-side=left defer></script>"))
    widget = Widget(page)
    expect(page.locator("hipwise-chat")).to_have_count(1)
    widget.launcher.click()
    expect(widget.panel).to_have_accessible_name("Ask the hip team")
    box = widget.panel.bounding_box()
    assert box
    assert box["x"] < 100
    assert page.locator("hipwise-chat").get_attribute("dark") == ""


def test_element_and_two_scripts_make_one_widget(open_page: OpenPage, stand_in: StandIn) -> None:
    tag = f"<script src='{stand_in.url}/widget.js' defer></script>"
    page = open_page(host(stand_in, f"<hipwise-chat server='{stand_in.url}'></hipwise-chat>{tag}{tag}"))
    expect(page.locator("hipwise-chat")).to_have_count(1)
    widget = Widget(page).open()
    widget.ask("what is it")


def test_manual_placement(open_page: OpenPage, stand_in: StandIn) -> None:
    page = open_page(host(stand_in, f"<script src='{stand_in.url}/widget.js' data-manual defer></script>"))
    page.wait_for_function("!!customElements.get('hipwise-chat')")
    expect(page.locator("hipwise-chat")).to_have_count(0)


def test_no_globals(open_page: OpenPage, stand_in: StandIn) -> None:
    page = open_page(host(stand_in, "<p>Without</p>", name="without"))
    before = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    page = open_page(host(stand_in, f"<script src='{stand_in.url}/widget.js' defer></script>"))
    Widget(page).open()
    new = set(page.evaluate("Object.getOwnPropertyNames(window)")) - before
    # Lit notes its versions, to warn of two at once. Nothing of ours.
    lit = {"litElementVersions", "litHtmlVersions", "litPropertyMetadata", "reactiveElementVersions"}
    assert new <= lit, new - lit


def test_the_page_around_does_not_leak_in_or_out(open_page: OpenPage, stand_in: StandIn) -> None:
    style = "<style>* {color: red; font-size: 40px; text-transform: uppercase; letter-spacing: 9px; line-height: 3}"
    style += "button, p, dialog {display: none !important} html {font-size: 62.5%}</style>"
    page = open_page(host(stand_in, f"{style}<script src='{stand_in.url}/widget.js' defer></script>"))
    heading = page.locator("h1").evaluate("e => getComputedStyle(e).font")
    widget = Widget(page).open()
    look = widget.bots.first.evaluate(
        "e => { const s = getComputedStyle(e); return [s.fontSize, s.textTransform, s.letterSpacing] }"
    )
    assert look == ["16px", "none", "normal"]
    assert page.locator("h1").evaluate("e => getComputedStyle(e).font") == heading


def test_colours_parts_and_words_can_be_changed(open_page: OpenPage, stand_in: StandIn) -> None:
    style = "<style>hipwise-chat {--hipwise-accent: rgb(80, 0, 80)} hipwise-chat::part(title) {font-style: italic}</style>"
    page = open_page(host(stand_in, f"{style}<script src='{stand_in.url}/widget.js' defer></script>"))
    widget = Widget(page)
    page.locator("hipwise-chat").evaluate("e => { e.strings = {title: 'Preguntas', close: 'Cerrar'} }")
    widget.open()
    expect(widget.panel).to_have_accessible_name("Preguntas")
    assert widget.root.locator(".head").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(80, 0, 80)"
    assert widget.root.locator("h2").evaluate("e => getComputedStyle(e).fontStyle") == "italic"
    widget.button("Cerrar").click()


def test_moved_and_removed_from_the_page(page: Page, widget: Widget) -> None:
    widget.open()
    widget.ask("what is it")
    page.evaluate("() => { window.kept = document.querySelector('hipwise-chat'); kept.remove() }")
    page.evaluate("() => document.querySelector('main').append(window.kept)")
    expect(widget.panel).to_be_visible()
    expect(widget.bots).to_have_count(2)
    widget.ask("again")
