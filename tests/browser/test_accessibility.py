"""Who can't see, can't use a mouse, needs it larger, or holds a phone: the widget works for them too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.stand_in import StandIn
from tests.browser.support import PHONE, ZOOMED, OpenPage, Widget

pytestmark = pytest.mark.browser

#: WCAG 2.2 A and AA, and what axe calls good practice.
RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


def axe(page: Page) -> list[str]:
    """What axe-core finds on the page, widget and all: rule, then the element."""
    page.wait_for_timeout(100)
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


def closed(_widget: Widget, _server: StandIn) -> None:
    pass


def opened(widget: Widget, _server: StandIn) -> None:
    widget.open()


def answered(widget: Widget, _server: StandIn) -> None:
    answer = widget.open().ask("how long does it last")
    answer.locator("summary").click()
    answer.get_by_role("button", name="Not helpful").click()
    widget.ask("what does it cost")


def urgent(widget: Widget, _server: StandIn) -> None:
    widget.open().ask("I fell")
    widget.ask("I want to hurt myself")


def error(widget: Widget, server: StandIn) -> None:
    widget.open()
    server.plan = ["500"]
    widget.write("what is it")
    expect(widget.problem).to_be_visible()
    widget.box.fill("x" * 1010)


def options(widget: Widget, _server: StandIn) -> None:
    widget.open().options()
    widget.button("Delete my conversation").click()


def ended(widget: Widget, server: StandIn) -> None:
    options(widget, server)
    widget.button("Yes, delete it").click()
    expect(widget.button("Start a new conversation")).to_be_visible()


STATES = [closed, opened, answered, urgent, error, options, ended]
LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "forced": {"forced_colors": "active"},
    "phone": PHONE,
}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_in_any_state(new_context: Callable[..., BrowserContext], stand_in: StandIn, look: str) -> None:
    context = new_context(**LOOKS[look])
    found: dict[str, list[str]] = {}
    for state in STATES:
        stand_in.reset()
        page = context.new_page()
        page.goto(stand_in.url)
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")
        page.reload()
        state(Widget(page), stand_in)
        found[state.__name__] = axe(page)
        page.close()
    assert {name: what for name, what in found.items() if what} == {}


def test_axe_would_find_something(page: Page, widget: Widget) -> None:
    widget.open()
    widget.box.evaluate("e => { e.getRootNode().querySelector('label').remove(); e.placeholder = '' }")
    assert any(one.startswith("label") for one in axe(page))


def test_each_answer_is_announced_once_and_the_history_never(widget: Widget, page: Page) -> None:
    page.evaluate(
        """() => { window.live = [];
        const watch = node => new MutationObserver(all => { for (const one of all) for (const added of one.addedNodes)
          if (added.nodeType === 1 && added.matches('p')) live.push(added.textContent) })
          .observe(node, {childList: true, subtree: true});
        watch(document.querySelector('hipwise-chat').shadowRoot.querySelector('dialog hipwise-announcer')) }"""
    )
    widget.open()
    assert len(page.evaluate("live")) == 1
    widget.ask("how long does it last")
    live = page.evaluate("live")
    assert len(live) == 2
    assert live[1].startswith("Assistant: It usually goes away by itself")
    assert "Picture: The pain grows" in live[1]
    assert live[1].endswith("3 suggested questions follow.")
    widget.button("Close").click()
    widget.launcher.click()
    expect(widget.bots).to_have_count(2)
    widget.options()
    widget.button("Back to the conversation").click()
    page.wait_for_timeout(200)
    assert len(page.evaluate("live")) == 2, "what was there is not said again"
    assert widget.root.locator(".log").get_attribute("aria-live") is None
    assert widget.root.locator("dialog [aria-live]").count() == 1
    # The saying goes away again, so that nobody reads it twice.
    expect(widget.said).to_have_count(0, timeout=9_000)


def test_focus_stays_when_an_answer_arrives(widget: Widget, stand_in: StandIn) -> None:
    widget.open()
    expect(widget.box).to_be_focused()
    stand_in.plan = ["slow:0.4"]
    widget.write("how long does it last")
    options_button = widget.button("Options")
    options_button.focus()
    expect(widget.bots).to_have_count(2)
    expect(options_button).to_be_focused()
    widget.button("Is it permanent?").focus()
    widget.page.keyboard.press("Enter")
    expect(widget.bots).to_have_count(3)
    expect(widget.button("Is it permanent?")).to_be_focused()


def test_keyboard_alone(page: Page, widget: Widget, stand_in: StandIn) -> None:
    """Every step by key, without a pointer and without a script's help."""
    keys = page.keyboard

    def tab_to(name: str, back: bool = False) -> None:
        for _ in range(40):
            keys.press("Shift+Tab" if back else "Tab")
            if widget.focused() == name:
                return
        pytest.fail(f"no way by Tab to {name!r}")

    for _ in range(40):
        keys.press("Tab")
        if widget.focused() == "Ask about your hip":
            break
    keys.press("Enter")
    expect(widget.bots).to_have_count(1)
    expect(widget.box).to_be_focused()
    keys.type("how long does it last")
    keys.press("Enter")
    expect(widget.bots).to_have_count(2)
    tab_to("How is it treated?", back=True)
    keys.press("Enter")
    expect(widget.bots).to_have_count(3)
    tab_to("Helpful", back=False)
    # The button shows its state before the server has heard of it.
    with page.expect_response("**/feedback"):
        keys.press("Space")
    expect(widget.button("Helpful").last).to_have_attribute("aria-pressed", "true")
    assert len(stand_in.rated) == 1
    tab_to("Sources (3)", back=True)
    keys.press("Enter")
    expect(widget.bots.last.get_by_text("Korompilias")).to_be_visible()
    tab_to("Conversation", back=True)
    log = widget.root.locator(".log")
    keys.press("End")
    page.wait_for_function("e => e.scrollTop > 50", arg=log.element_handle())
    keys.press("Home")
    page.wait_for_function("e => e.scrollTop < 5", arg=log.element_handle())
    tab_to("Options", back=True)
    keys.press("Enter")
    expect(widget.panel.get_by_role("heading", name="Options")).to_be_focused()
    keys.press("Tab")
    keys.press("Tab")
    keys.press("ArrowDown")
    expect(widget.panel.get_by_role("radio", name="Large", exact=True)).to_be_checked()
    keys.press("Escape")
    assert widget.focused() == "Options"
    keys.press("Enter")
    tab_to("Delete my conversation")
    keys.press("Enter")
    tab_to("Yes, delete it")
    keys.press("Enter")
    expect(widget.notices).to_contain_text("was deleted")
    assert stand_in.stored == {}
    keys.press("Escape")
    expect(widget.panel).to_be_hidden()
    expect(widget.launcher).to_be_focused()


def test_focus_is_seen(widget: Widget) -> None:
    widget.open()
    widget.ask("how long does it last")
    for control in (widget.button("Options"), widget.button("Copy"), widget.button("Is it permanent?"), widget.box):
        control.focus()
        widget.page.keyboard.press("Shift+Tab")
        widget.page.keyboard.press("Tab")
        assert control.evaluate("e => parseFloat(getComputedStyle(e).outlineWidth)") >= 2


def test_escape_from_anywhere_in_it(widget: Widget) -> None:
    widget.open()
    widget.ask("how long does it last")
    widget.button("Is it permanent?").focus()
    widget.page.keyboard.press("Escape")
    expect(widget.panel).to_be_hidden()
    expect(widget.launcher).to_be_focused()
    expect(widget.launcher).to_have_attribute("aria-expanded", "false")


def test_urgent_is_unmistakable(widget: Widget, page: Page) -> None:
    widget.open()
    answer = widget.ask("I fell and can't walk, how long does it last?")
    alert = widget.root.get_by_role("alert")
    expect(alert).to_have_count(1)
    expect(alert.get_by_role("heading", name="Get medical care now")).to_be_visible()
    expect(alert.get_by_role("heading").locator("svg")).to_be_visible()
    expect(alert).to_contain_text("Call 911 now")
    expect(answer.get_by_role("button")).to_have_count(0)
    expect(widget.bots).to_have_count(3)
    expect(widget.bots.last).to_contain_text("As to your question")
    # The alert speaks for itself; what follows is said politely, and the urgent words not a second time.
    assert "broken hip" not in " ".join(widget.said.all_inner_texts())
    expect(widget.said.last).to_contain_text("As to your question")
    page.reload()
    expect(widget.root.get_by_role("heading", name="Get medical care now")).to_be_visible()
    expect(widget.root.get_by_role("alert")).to_have_count(0)


def test_urgent_after_closing_is_no_alert_again(widget: Widget) -> None:
    widget.open()
    widget.ask("I fell")
    widget.button("Close").click()
    widget.open()
    expect(widget.root.get_by_role("heading", name="Get medical care now")).to_be_visible()
    expect(widget.root.get_by_role("alert")).to_have_count(0)


def test_call_buttons_on_a_phone(open_page: OpenPage, stand_in: StandIn) -> None:
    widget = Widget(open_page(stand_in.url, **PHONE)).open()
    widget.ask("I fell")
    call = widget.root.get_by_role("link", name="Call 911")
    expect(call).to_have_attribute("href", "tel:911")
    box = call.bounding_box()
    assert box
    assert box["height"] >= 44
    crisis = widget.ask("I want to hurt myself")
    expect(crisis.get_by_role("link", name="Call 988")).to_have_attribute("href", "tel:988")


def test_no_call_buttons_where_there_is_no_phone(widget: Widget) -> None:
    widget.open()
    widget.ask("I fell")
    expect(widget.root.get_by_role("link", name="Call 911")).to_be_hidden()


WIDE = """() => {
  const out = [], limit = document.documentElement.clientWidth + 1;
  const walk = root => { for (const e of root.querySelectorAll('*')) {
    if (e.shadowRoot) walk(e.shadowRoot);
    const box = e.getBoundingClientRect();
    if (box.width > 1 && box.right > limit && !e.closest('iframe, .vh, .skip')) out.push(e.tagName + '.' + e.className);
  } };
  walk(document);
  return {out, scrolls: document.scrollingElement.scrollWidth > limit};
}"""

TARGETS = """root => [...root.shadowRoot.querySelectorAll('button, a, summary, textarea, input, .choice')]
  .filter(e => e.checkVisibility() && !e.matches('.choice input'))
  .map(e => [e.getAttribute('aria-label') || e.innerText || e.name, e.getBoundingClientRect()])
  .filter(([, box]) => Math.min(box.width, box.height) < 43.9).map(([name, box]) => [name, box.width, box.height])"""


@pytest.mark.parametrize("viewport", [{"width": 320, "height": 640}, ZOOMED, {"width": 740, "height": 360}])
@pytest.mark.parametrize("state", [answered, urgent, error, options])
def test_narrow_and_zoomed(
    open_page: OpenPage, stand_in: StandIn, viewport: dict[str, int], state: Callable[[Widget, StandIn], None]
) -> None:
    page = open_page(stand_in.url, viewport=viewport)
    widget = Widget(page)
    state(widget, stand_in)
    page.wait_for_timeout(50)
    assert page.evaluate(WIDE) == {"out": [], "scrolls": False}
    assert widget.root.evaluate(TARGETS) == []
    panel = widget.panel.bounding_box()
    assert panel
    assert (panel["width"], panel["height"]) == (viewport["width"], viewport["height"]), "nothing is wasted"


def test_targets_on_a_desktop(widget: Widget, stand_in: StandIn) -> None:
    assert widget.root.evaluate(TARGETS) == []
    answered(widget, stand_in)
    assert widget.root.evaluate(TARGETS) == []


def test_whole_conversation_at_400_percent(open_page: OpenPage, stand_in: StandIn) -> None:
    page = open_page(stand_in.url, viewport=ZOOMED)
    widget = Widget(page).open()
    answer = widget.ask("how long does it last")
    expect(widget.box).to_be_in_viewport(ratio=1)
    page.wait_for_timeout(100)
    expect(answer.locator(".bubble")).to_be_in_viewport()
    for part in (answer.locator("summary"), widget.button("Is it permanent?"), widget.button("Close")):
        # WCAG 2.4.11: what has the focus is not hidden by what stays in place.
        part.focus()
        box, bottom = part.bounding_box(), widget.box.bounding_box()
        assert box
        assert bottom
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= bottom["y"] or bottom["y"] + bottom["height"] <= box["y"]
    widget.button("Close").click()
    expect(widget.launcher).to_be_focused()


def test_very_large_text_on_a_narrow_screen(open_page: OpenPage, stand_in: StandIn) -> None:
    page = open_page(stand_in.url, viewport={"width": 320, "height": 640})
    widget = Widget(page).open()
    widget.options()
    widget.panel.get_by_role("radio", name="Very large").check()
    assert page.evaluate(WIDE) == {"out": [], "scrolls": False}
    widget.button("Back to the conversation").click()
    widget.ask("how long does it last")
    assert page.evaluate(WIDE) == {"out": [], "scrolls": False}


def test_text_spacing(widget: Widget, page: Page) -> None:
    """WCAG 1.4.12: the reader's own spacing cuts nothing off."""
    widget.open()
    widget.ask("how long does it last")
    page.evaluate(
        """() => { const sheet = new CSSStyleSheet();
        sheet.replaceSync('* {line-height: 1.5 !important; letter-spacing: .12em !important;' +
          'word-spacing: .16em !important} p {margin-bottom: 2em !important}');
        const root = document.querySelector('hipwise-chat').shadowRoot;
        root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet] }"""
    )
    cut = widget.root.evaluate(
        """e => [...e.shadowRoot.querySelectorAll('button, .bubble, h2, summary, li')]
        .filter(b => b.scrollWidth > b.clientWidth + 2 || b.scrollHeight > b.clientHeight + 2).map(b => b.innerText)"""
    )
    assert cut == []


def test_phone_is_full_screen_and_modal(open_page: OpenPage, stand_in: StandIn) -> None:
    page = open_page(stand_in.url, **PHONE)
    widget = Widget(page).open()
    assert widget.panel.evaluate("e => e.matches(':modal')")
    expect(widget.root.locator("h2")).to_be_focused()
    assert widget.panel.bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 740}
    widget.ask("what is it")
    page.keyboard.press("Escape")
    expect(widget.launcher).to_be_focused()
    page.reload()
    expect(widget.launcher).to_be_visible()
    expect(widget.panel).to_be_hidden()


def test_on_screen_keyboard_does_not_hide_the_box(new_context: Callable[..., BrowserContext], stand_in: StandIn) -> None:
    context = new_context(**PHONE)
    context.add_init_script(
        """const seen = Object.assign(new EventTarget(), {height: innerHeight, offsetTop: 0, scale: 1});
        Object.defineProperty(window, 'visualViewport', {value: seen});
        window.keyboard = height => { seen.height = innerHeight - height; seen.offsetTop = 20;
          seen.dispatchEvent(new Event('resize')) }"""
    )
    page = context.new_page()
    page.goto(stand_in.url)
    widget = Widget(page).open()
    page.evaluate("keyboard(320)")
    box = widget.box.bounding_box()
    panel = widget.panel.bounding_box()
    assert box
    assert panel
    assert (panel["y"], panel["height"]) == (20, 420)
    assert box["y"] + box["height"] <= 440


def test_turning_the_phone_keeps_focus_and_words(open_page: OpenPage, stand_in: StandIn) -> None:
    page = open_page(stand_in.url)
    widget = Widget(page).open()
    widget.box.fill("half a question")
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_function(
        "() => document.querySelector('hipwise-chat').shadowRoot.querySelector('dialog').matches(':modal')"
    )
    expect(widget.box).to_be_focused()
    expect(widget.box).to_have_value("half a question")
    page.set_viewport_size({"width": 1000, "height": 800})
    page.wait_for_function(
        "() => !document.querySelector('hipwise-chat').shadowRoot.querySelector('dialog').matches(':modal')"
    )
    expect(widget.box).to_be_focused()
    expect(widget.panel).to_be_visible()


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_reduced_motion(open_page: OpenPage, stand_in: StandIn, motion: str) -> None:
    page = open_page(stand_in.url, reduced_motion=motion)
    widget = Widget(page).open()
    stand_in.plan = ["slow:1"]
    widget.write("what is it")
    name = widget.root.locator(".dots i").first.evaluate("e => getComputedStyle(e).animationName")
    assert (name == "none") == (motion == "reduce")


def test_dark_follows_the_system_unless_told(open_page: OpenPage, stand_in: StandIn) -> None:
    page = open_page(stand_in.url)
    widget = Widget(page).open()
    ground = "e => getComputedStyle(e).backgroundColor"
    light = widget.panel.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("hipwise-chat")).to_have_attribute("dark", "")
    dark = widget.panel.evaluate(ground)
    assert light != dark
    page.locator("hipwise-chat").evaluate("e => { e.theme = 'light' }")
    expect(page.locator("hipwise-chat")).not_to_have_attribute("dark", "")
    assert widget.panel.evaluate(ground) == light


def test_forced_colours_keep_the_edges(open_page: OpenPage, stand_in: StandIn) -> None:
    page = open_page(stand_in.url, forced_colors="active")
    widget = Widget(page).open()
    answer = widget.ask("how long does it last")
    for one in (answer.locator(".bubble"), widget.users.first, widget.button("Is it permanent?"), widget.button("Send")):
        style = one.evaluate("e => { const s = getComputedStyle(e); return [s.borderTopStyle, s.borderTopColor] }")
        assert style[0] == "solid"
        assert style[1] not in ("rgba(0, 0, 0, 0)", "transparent")
    urgent_answer = widget.ask("I fell")
    assert urgent_answer.locator(".bubble").evaluate("e => getComputedStyle(e).borderTopStyle") == "double"


def test_heads_and_lists_to_find_ones_way(widget: Widget) -> None:
    widget.open()
    widget.ask("what is it")
    expect(widget.root.get_by_role("heading", level=3)).to_have_text(["Assistant", "You", "Assistant"])
    expect(widget.root.get_by_role("region", name="Conversation").get_by_role("list").first).to_be_visible()
    expect(widget.panel).to_have_attribute("lang", "en")
    expect(widget.box).to_have_accessible_description("Enter sends. Shift and Enter start a new line.")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Call 911 now.", ["911"]),
        ("Call or text 988, or call 911. Again: 911.", ["988", "911"]),
        ("Ring 999, or 112 in Europe, or 116 123 to talk.", ["999", "112", "116123"]),
        ("Call +1 (555) 010-0199 or 555-0100-42.", ["+15550100199", "555010042"]),
        ("Text HOME to 741741. In 6 to 12 months, at 100 % or 2.911 of it, 1911.", []),
    ],
)
def test_which_numbers_can_be_called(open_page: OpenPage, stand_in: StandIn, text: str, numbers: list[str]) -> None:
    page = open_page(stand_in.url, **PHONE)
    widget = Widget(page).open()
    page.route("**/messages", lambda route: route.fulfill(json={"replies": [{"text": text, "kind": "urgent"}]}))
    answer = widget.ask("help")
    links = answer.locator("a.call").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert links == [f"tel:{number}" for number in numbers]
