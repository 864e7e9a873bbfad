"""The kiosk in the waiting room, in the real browser, before a real gateway and store."""

from __future__ import annotations

import asyncio
import http.server
import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, ViewportSize, expect

from hipwise.replies.build import default_builder
from tests.browser.kiosk_screenshots import STATES, VOICE
from tests.browser.kiosk_support import (
    LANDSCAPE,
    PORTRAIT,
    PX_PER_MM,
    Kiosk,
    forget_all,
    in_files,
    kiosk_gateway,
    stored,
    until,
)
from tests.browser.support import RealServer
from tests.browser.test_accessibility import RULES, axe
from tests.gateway import Gateway

pytestmark = pytest.mark.browser

NewContext = Callable[..., BrowserContext]
SCREENS = pytest.mark.parametrize("screen", [PORTRAIT, LANDSCAPE], ids=["portrait", "landscape"])


@pytest.fixture(scope="module")
def staff() -> Iterator[tuple[str, list[bytes]]]:
    """The clinic's webhook: its address, and what it was sent."""
    calls: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", calls
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def gateway(built: None, tmp_path_factory: pytest.TempPathFactory, staff: tuple[str, list[bytes]]) -> Iterator[Gateway]:
    """A server with a staff webhook."""
    folder = tmp_path_factory.mktemp("kiosk")
    with kiosk_gateway(folder, staff_webhook=staff[0], kiosk_name="waiting room 2") as gateway:
        yield gateway


@pytest.fixture
def make(new_context: NewContext, gateway: Gateway) -> Callable[..., Kiosk]:
    """A kiosk, opened; the worker for when the server is away stays out unless asked for."""
    gateway.processor.hook = None
    gateway.processor.heard.clear()
    forget_all(gateway)

    def make(query: str = "?printer=1", server: Gateway = gateway, script: str = "", **options: Any) -> Kiosk:
        context = new_context(**{"viewport": PORTRAIT, "service_workers": "block", **options})
        if script:
            context.add_init_script(script)
        return Kiosk(context.new_page(), f"http://127.0.0.1:{server.port}", query).open()

    return make


@pytest.fixture
def kiosk(make: Callable[..., Kiosk]) -> Kiosk:
    """A kiosk as it waits, upright."""
    return make()


def nothing_left(kiosk: Kiosk, gateway: Gateway, *words: str) -> None:
    """Neither the page, nor the browser's stores, nor the server holds anything of anyone."""
    kiosk.at("attract")
    assert until(lambda: not stored(gateway)), stored(gateway)
    text = kiosk.page.evaluate("() => document.querySelector('hipwise-kiosk').shadowRoot.innerHTML + document.body.innerText")
    assert not [word for word in words if word in text]
    # The rows go first, the log that still holds them a moment later: who reads the files may come in between.
    assert until(lambda: not any(in_files(gateway, word) for word in words))
    assert kiosk.page.evaluate("() => [localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert kiosk.page.evaluate("() => history.state") is None
    assert kiosk.page.url == kiosk.url


def size(thing: Locator) -> dict[str, float]:
    """Where something is on the screen, and how large."""
    box = thing.bounding_box()
    assert box
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


# The flow


@SCREENS
def test_two_touches_to_every_answer(make: Callable[..., Kiosk], screen: ViewportSize) -> None:
    kiosk = make(viewport=screen)
    builder = default_builder()
    expected = {
        str(builder.catalogue.about(topic)["title"]): builder.reply(topic).text
        for topic in builder.catalogue.topics
        if topic.startswith("ask_")
    }
    found: dict[str, str] = {}
    groups = kiosk.root.locator(".groups button")
    for group in range(groups.count()):
        groups.nth(group).click()
        tiles = kiosk.root.locator(".questions button")
        for tile in range(tiles.count()):
            title = tiles.nth(tile).inner_text()
            # Without scrolling: it is on the screen, above the bar.
            box, bar = size(tiles.nth(tile)), size(kiosk.root.locator(".bar"))
            assert box["y"] + box["height"] <= bar["y"], title
            tiles.nth(tile).click()
            found[title] = kiosk.root.locator("hipwise-reply .text").inner_text()
            expect(kiosk.heading).to_have_text(title)
            kiosk.touch("Back")
        kiosk.touch("All topics")
    assert found == expected
    assert len(found) >= 45


def test_an_answer_is_cited_illustrated_and_leads_on(kiosk: Kiosk, gateway: Gateway) -> None:
    kiosk.answer()
    expect(kiosk.root.locator(".citations li")).to_have_count(3)
    assert kiosk.root.locator("img.figure").evaluate("async i => { await i.decode(); return i.naturalWidth }") > 0
    kiosk.touch("Larger picture")
    assert size(kiosk.root.locator("img.figure"))["width"] > 900
    kiosk.touch("Smaller picture").touch("Is it permanent?")
    expect(kiosk.heading).to_have_text("Is it permanent?")
    # The server hears of it, in order: so "why?" is understood.
    assert until(lambda: gateway.processor.heard == ["/ask_duration", "/ask_permanent"])
    kiosk.ask("why").at("answer")
    assert gateway.processor.heard[-1] == "why"


def test_written_on_the_screen(kiosk: Kiosk, gateway: Gateway) -> None:
    kiosk.touch("Write").at("write")
    keys = kiosk.root.locator(".keys")
    for key in ["h", "o", "x", "{bksp}", "w", "{space}", "l", "o", "n", "g", "?"]:
        keys.locator(f"[data-skbtn='{key}']").click()
    expect(kiosk.box).to_have_value("how long?")
    expect(kiosk.box).to_be_focused()
    # A finger that trembles: the same key twice in a moment is one letter.
    kiosk.page.wait_for_timeout(250)
    keys.locator("[data-skbtn='?']").evaluate(
        "e => { for (const type of ['pointerdown', 'pointerup', 'pointerdown', 'pointerup'])"
        " e.dispatchEvent(new PointerEvent(type, {bubbles: true})) }"
    )
    expect(kiosk.box).to_have_value("how long??")
    keys.locator("[data-skbtn='{bksp}']").click()
    assert kiosk.box.get_attribute("autocomplete") == "off"
    keys.locator("[data-skbtn='{send}']").click()
    kiosk.at("answer")
    expect(kiosk.root.locator("hipwise-reply .text")).to_have_text(default_builder().reply("ask_duration").text)
    assert gateway.processor.heard == ["how long?"]
    kiosk.touch("Write")
    expect(kiosk.box).to_have_value("")


def test_back_home_and_start_again_keep_their_place(kiosk: Kiosk) -> None:
    def places() -> dict[str, Any]:
        names = ("back", "home", "again")
        return {name: kiosk.root.locator(f"[data-action={name}]").bounding_box() for name in names}

    before = places()
    steps: list[Callable[[], Kiosk]] = [
        lambda: kiosk.touch("What is it?").at("group"),
        lambda: kiosk.touch("Which bone does it affect?").at("answer"),
        lambda: kiosk.touch("Write").at("write"),
        lambda: kiosk.touch("Take home").at("take"),
        lambda: kiosk.touch("Help now").at("urgent"),
        lambda: kiosk.touch("Hide text").at("hidden"),
    ]
    for step in steps:
        step()
        assert places() == before
    kiosk.touch("Show it again").at("urgent").touch("Back").at("take").touch("Back").at("write").touch("Back").at("answer")
    kiosk.touch("All topics").at("home")


def test_keys_alone(kiosk: Kiosk) -> None:
    """As with a tactile keypad: arrows and Enter, and Escape for back."""
    press = kiosk.page.keyboard.press

    def focused() -> str:
        script = "e => (e.shadowRoot.activeElement?.innerText ?? '').split('\\n')[0]"
        return str(kiosk.root.evaluate(script))

    press("ArrowDown")
    assert focused() == "What is it?"
    press("ArrowRight")
    assert focused() == "How long does it last?"
    press("Enter")
    kiosk.at("group")
    press("ArrowDown")
    press("ArrowDown")
    assert focused() == "Will the pain get worse before it gets better?"
    press("ArrowUp")
    press("Enter")
    kiosk.at("answer")
    expect(kiosk.heading).to_be_focused()
    press("Escape")
    kiosk.at("group")
    for _ in range(12):
        press("ArrowDown")
    for _ in range(4):
        press("ArrowRight")
    assert focused() == "Help now"
    press("ArrowLeft")
    assert focused() == "Take home"
    press("ArrowLeft")
    press("Enter")
    kiosk.at("write")
    expect(kiosk.box).to_be_focused()
    kiosk.page.keyboard.type("how long")
    press("ArrowDown")
    assert focused() in "1234567890"
    press("Enter")
    assert kiosk.box.input_value().startswith("how long")
    assert len(kiosk.box.input_value()) == 9
    for _ in range(4):
        press("ArrowDown")
    for _ in range(3):
        press("ArrowRight")
    assert focused() == "Ask"
    press("Enter")
    kiosk.at("answer")
    # And with nothing but Tab.
    for _ in range(40):
        press("Tab")
        if focused() == "Start again":
            break
    press("Enter")
    kiosk.at("attract")


@pytest.mark.model
@pytest.mark.server
def test_with_the_model(new_context: NewContext, real_server: RealServer) -> None:
    kiosk = Kiosk(new_context(viewport=LANDSCAPE).new_page(), real_server.url).open()
    kiosk.touch("What is it?").touch("What is this condition?").at("answer")
    # What is written after a tile goes on from it.
    kiosk.ask("why?").at("answer")
    expect(kiosk.root.locator("hipwise-reply .text")).to_have_text(default_builder().reply("ask_cause").text)
    kiosk.ask("What does it cost?").at("answer")
    expect(kiosk.root.get_by_text("Not in our source")).to_be_visible()
    kiosk.ask("I fell just now and I can't stand up").at("urgent").touch("Start again").at("attract")


# What the page must measure

_MEASURE = """() => {
  const found = {small: [], text: [], pale: [], high: [], off: [], over: []};
  const channel = value => { const s = value / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4 };
  const parse = text => (text.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const up = e => e.parentElement ?? e.getRootNode().host ?? null;
  const ground = e => { for (let one = e; one; one = up(one)) {
    const colour = parse(getComputedStyle(one).backgroundColor);
    if (colour.length < 4 || colour[3] === 1) return colour } return [255, 255, 255] };
  const root = document.querySelector('hipwise-kiosk').shadowRoot;
  const modal = root.querySelector('dialog[open]');
  const inside = modal ?? root;
  const shown = e => e.checkVisibility({visibilityProperty: true}) && !e.closest('.vh');
  const name = e => (e.getAttribute('aria-label') ?? e.innerText ?? e.tagName).trim().slice(0, 30);
  const controls = [...inside.querySelectorAll('button, textarea, a, input, summary')].filter(shown);
  const boxes = [];
  for (const one of controls) {
    const box = one.getBoundingClientRect();
    if (Math.min(box.width, box.height) < 20 * MM) found.small.push([name(one), box.width / MM, box.height / MM]);
    if (box.top < innerHeight / 3) found.high.push([name(one), box.top / innerHeight]);
    if (box.left < 0 || box.right > innerWidth || box.bottom > innerHeight) found.off.push(name(one));
    for (const [other, at] of boxes) if (Math.min(box.right, at.right) - Math.max(box.left, at.left) > 1
      && Math.min(box.bottom, at.bottom) - Math.max(box.top, at.top) > 1) found.over.push([name(one), name(other)]);
    boxes.push([one, box]);
  }
  const canvas = document.createElement('canvas').getContext('2d');
  const walker = document.createTreeWalker(inside, NodeFilter.SHOW_TEXT);
  let count = 0;
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !parent || parent.closest('style') || !shown(parent)) continue;
    count++;
    const style = getComputedStyle(parent);
    const size = parseFloat(style.fontSize);
    canvas.font = `${style.fontWeight} ${size}px ${style.fontFamily}`;
    const capital = canvas.measureText('I').actualBoundingBoxAscent / MM;
    if (size < 24 || capital < 4.8) found.text.push([walker.currentNode.data.trim().slice(0, 30), size, capital]);
    const [a, b] = [light(parse(style.color)), light(ground(parent))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 7) found.pale.push([walker.currentNode.data.trim().slice(0, 30), ratio]);
  }
  found.counted = [controls.length, count];
  return found;
}""".replace("MM", str(PX_PER_MM))


def measure(kiosk: Kiosk) -> dict[str, Any]:
    """What of the screen is too small, too pale, too high, off the screen, or over another."""
    found: dict[str, Any] = kiosk.page.evaluate(_MEASURE)
    controls, texts = found.pop("counted")
    assert controls >= 2
    assert texts >= 4
    return {what: all_ for what, all_ in found.items() if all_}


@SCREENS
@pytest.mark.parametrize("state", STATES, ids=lambda state: str(state.__name__))
def test_sizes_contrast_and_axe_in_every_state(
    make: Callable[..., Kiosk], state: Callable[[Kiosk], None], screen: ViewportSize
) -> None:
    kiosk = make(script=VOICE, viewport=screen)
    state(kiosk)
    kiosk.page.wait_for_timeout(100)
    assert measure(kiosk) == {}
    assert axe(kiosk.page) == []
    assert kiosk.root.locator("a").count() == 0, "nothing leads away"
    assert kiosk.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_the_measuring_would_find_something(kiosk: Kiosk) -> None:
    kiosk.root.evaluate(
        """e => { const [one, two, three] = e.shadowRoot.querySelectorAll('.tile');
        one.style.cssText = 'min-height: 0; height: 40px; align-self: start; position: relative; top: -100px';
        two.style.cssText = 'font-size: 20px; color: #999';
        three.firstElementChild.style.fontSize = '20px';
        three.style.cssText = 'translate: 300px' }"""
    )
    assert set(measure(kiosk)) == {"small", "text", "pale", "high", "over"}
    assert "color-contrast" in " ".join(axe(kiosk.page))
    assert "wcag22aa" in RULES["runOnly"]


def test_sizes_follow_the_screen(make: Callable[..., Kiosk]) -> None:
    """A denser screen gets more pixels for the same millimetres."""
    kiosk = make("?mm=8", viewport={"width": 2160, "height": 3840})
    heights = [size(kiosk.root.locator(where).first)["height"] for where in (".bar-button", ".groups .tile")]
    assert min(heights) >= 160
    assert float(kiosk.heading.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")) >= 56


# Privacy


def test_warning_then_erasure(make: Callable[..., Kiosk], gateway: Gateway) -> None:
    kiosk = make()
    kiosk.page.clock.install()
    kiosk.ask("how long for Archibald Xylander").at("answer")
    assert stored(gateway)
    assert in_files(gateway, "Xylander")
    kiosk.page.clock.run_for(55_000)
    kiosk.page.mouse.click(500, 100)
    kiosk.page.clock.run_for(59_000)
    expect(kiosk.warning).to_be_hidden()
    kiosk.page.clock.run_for(1_500)
    expect(kiosk.warning).to_be_visible()
    expect(kiosk.button("I'm still here")).to_be_focused()
    expect(kiosk.warning).to_contain_text("erased in 20 seconds")
    kiosk.page.clock.run_for(5_000)
    expect(kiosk.warning).to_contain_text("erased in 15 seconds")
    kiosk.touch("I'm still here").at("answer")
    expect(kiosk.warning).to_be_hidden()
    kiosk.page.clock.run_for(59_000)
    kiosk.at("answer")
    kiosk.page.clock.run_for(22_000)
    nothing_left(kiosk, gateway, "Xylander")
    expect(kiosk.warning).to_be_hidden()
    # The next person gets a conversation of their own.
    kiosk.ask("how long").at("answer")
    assert stored(gateway)["conversations"] == 1
    kiosk.touch("Start again")
    nothing_left(kiosk, gateway, "Xylander")


def test_escape_and_the_warning(make: Callable[..., Kiosk]) -> None:
    kiosk = make()
    kiosk.page.clock.install()
    kiosk.answer()
    kiosk.page.clock.run_for(61_000)
    expect(kiosk.warning).to_be_visible()
    kiosk.page.keyboard.press("Escape")
    expect(kiosk.warning).to_be_hidden()
    kiosk.at("answer")
    kiosk.page.clock.run_for(61_000)
    kiosk.touch("Erase now").at("attract")


def test_the_attract_screen_never_warns(make: Callable[..., Kiosk]) -> None:
    kiosk = make()
    kiosk.page.clock.install()
    kiosk.page.clock.run_for(600_000)
    expect(kiosk.warning).to_be_hidden()
    kiosk.at("attract")


def test_reload_back_and_away_show_nothing(kiosk: Kiosk, gateway: Gateway) -> None:
    page = kiosk.page
    entries = page.evaluate("() => history.length")
    kiosk.ask("how long for Archibald Xylander").at("answer")
    kiosk.touch("Write")
    kiosk.box.fill("another word of Xylander")
    assert page.evaluate("() => history.length") == entries, "Back leads out, not to what was read"
    page.reload()
    nothing_left(kiosk, gateway, "Xylander")
    kiosk.ask("how long for Archibald Xylander").at("answer")
    page.goto("about:blank")
    assert until(lambda: not stored(gateway)), "erased as the page went away"
    page.go_back()
    nothing_left(kiosk, gateway, "Xylander")
    page.go_forward()
    page.go_back()
    nothing_left(kiosk, gateway, "Xylander")


def test_a_crash_shows_nothing(kiosk: Kiosk, gateway: Gateway) -> None:
    context = kiosk.page.context
    loops: list[asyncio.AbstractEventLoop] = []

    async def remember(_: str) -> None:
        loops.append(asyncio.get_running_loop())

    gateway.processor.hook = remember
    kiosk.ask("how long for Archibald Xylander").at("answer")
    session = context.new_cdp_session(kiosk.page)
    with kiosk.page.expect_event("crash"):
        # The page is gone before it can answer.
        kiosk.page.evaluate("() => undefined")
        session.send("Page.navigate", {"url": "chrome://crash"})
    again = Kiosk(context.new_page(), f"http://127.0.0.1:{gateway.port}").open().at("attract")
    assert "Xylander" not in again.page.content()
    expect(again.button("Take home")).to_be_disabled()
    assert again.page.evaluate("() => [localStorage.length, sessionStorage.length]") == [0, 0]
    # The server erases what nobody came back to: three times the limit without a sign of life.
    assert gateway.app.ctx.settings.idle_seconds * 3 == 180
    kept = stored(gateway)
    assert kept
    gone = asyncio.run_coroutine_threadsafe(gateway.conversations.erase_silent("kiosk", 0), loops[0]).result(5)
    assert gone == 1
    assert stored(gateway) == {}


def test_hiding_works_at_the_touch(kiosk: Kiosk) -> None:
    kiosk.answer()
    box = size(kiosk.button("Hide text"))
    kiosk.page.mouse.move(box["x"] + 20, box["y"] + 20)
    kiosk.page.mouse.down()
    kiosk.at("hidden")
    assert "6 to 12 months" not in kiosk.root.evaluate("e => e.shadowRoot.textContent")
    kiosk.page.mouse.up()
    kiosk.at("hidden")
    kiosk.touch("Show it again").at("answer")
    kiosk.touch("Hide text").at("hidden").touch("Help now").at("urgent")


def test_a_link_leads_nowhere(kiosk: Kiosk) -> None:
    kiosk.answer()
    kiosk.root.evaluate(
        """e => { const link = document.createElement('a'); link.href = 'https://example.org/'; link.textContent = 'away';
        e.shadowRoot.querySelector('main').append(link) }"""
    )
    kiosk.root.get_by_role("link", name="away").click()
    kiosk.page.wait_for_timeout(200)
    assert kiosk.page.url == kiosk.url
    assert len(kiosk.page.context.pages) == 1


# Emergencies


def test_emergency_fills_the_screen_and_calls_the_staff(kiosk: Kiosk, staff: tuple[str, list[bytes]]) -> None:
    calls = staff[1]
    calls.clear()
    kiosk.ask("i fell and how long will it take").at("urgent")
    alarm = kiosk.root.get_by_role("alert")
    expect(alarm).to_contain_text("Tell the staff here now.")
    expect(alarm).to_contain_text("Call 911")
    covered = kiosk.frame.evaluate("e => [e.offsetWidth, e.offsetHeight, getComputedStyle(e).backgroundColor]")
    assert covered == [1080, 1920, "rgb(125, 11, 11)"]
    kiosk.touch("Call the staff")
    expect(kiosk.root.locator(".call-status")).to_contain_text("The staff has been called")
    assert calls == [b'{"event": "call_staff", "kiosk": "waiting room 2"}']
    kiosk.touch("Show the answer to my question").at("answer")
    expect(kiosk.root.locator("hipwise-reply .text")).to_have_text(default_builder().reply("ask_duration").text)


def test_a_call_that_fails_says_so(kiosk: Kiosk) -> None:
    kiosk.page.route("**/call-staff", lambda route: route.fulfill(status=502, json={"error": {}}))
    kiosk.touch("Help now").at("urgent").touch("Call the staff")
    expect(kiosk.root.locator(".call-status")).to_contain_text("Please call out")


def test_without_a_webhook_it_is_words_only(make: Callable[..., Kiosk], tmp_path: Path) -> None:
    with kiosk_gateway(tmp_path) as plain:
        kiosk = make(server=plain)
        kiosk.touch("Help now").at("urgent")
        expect(kiosk.root.get_by_role("alert")).to_contain_text("Tell the staff here now.")
        expect(kiosk.button("Call the staff")).to_have_count(0)


# The server is away, or slow


def test_without_the_server(make: Callable[..., Kiosk], new_context: NewContext, tmp_path: Path) -> None:
    with kiosk_gateway(tmp_path) as first:
        port = first.port
        kiosk = make(server=first, service_workers="allow")
        page = kiosk.page
        page.wait_for_function("async () => (await (await caches.open('hipwise-kiosk')).keys()).length >= 8")
        page.wait_for_function("async () => !!(await navigator.serviceWorker.ready).active")
        kept = page.evaluate("async () => (await (await caches.open('hipwise-kiosk')).keys()).map(one => one.url)")
        assert not [url for url in kept if "conversations" in url]
        kiosk.answer()
    # Down: the tiles go on, and what is written is met with the closest of them.
    kiosk.touch("Is it permanent?").at("answer")
    kiosk.ask("is swimming good for me").at("closest")
    expect(kiosk.root.get_by_role("alert")).to_contain_text("can't be reached")
    kiosk.touch("Is exercise in water good for me?").at("answer")
    # Emergencies too, in the words of the server.
    kiosk.ask("I fell and can't walk").at("urgent")
    expect(kiosk.root.get_by_role("alert")).to_contain_text("Call 911")
    kiosk.ask("I don't want to live any more").at("urgent")
    expect(kiosk.root.get_by_role("alert")).to_contain_text("988")
    kiosk.touch("Start again").at("attract")
    expect(kiosk.root.locator("header .status")).to_contain_text("can't be reached")
    # Even after a power cut.
    page.reload()
    expect(kiosk.button("What is it?")).to_be_visible(timeout=15_000)
    kiosk.answer()
    assert kiosk.root.locator("img.figure").evaluate("async i => { await i.decode(); return i.naturalWidth }") > 0
    kiosk.ask("how long").at("closest")
    with kiosk_gateway(tmp_path, port=port) as second:
        kiosk.touch("Start again").at("attract")
        expect(kiosk.root.locator("header .status")).to_have_text("", timeout=15_000)
        kiosk.ask("how long").at("answer")
        assert second.processor.heard == ["how long"]


def test_a_slow_server(make: Callable[..., Kiosk], gateway: Gateway) -> None:
    kiosk = make()
    release = threading.Event()

    async def wait(text: str) -> None:
        if "slowly" in text:
            await asyncio.to_thread(release.wait, 20)

    gateway.processor.hook = wait
    kiosk.page.clock.install()
    kiosk.ask("how long, slowly").at("waiting")
    kiosk.page.clock.run_for(3_000)
    expect(kiosk.root.locator(".looking")).to_contain_text("longer than usual")
    kiosk.page.clock.run_for(8_000)
    kiosk.at("closest")
    release.set()
    kiosk.page.wait_for_timeout(300)
    kiosk.at("closest")
    kiosk.touch("Start again")
    nothing_left(kiosk, gateway, "slowly")


def test_one_who_leaves_while_the_answer_is_awaited(make: Callable[..., Kiosk], gateway: Gateway) -> None:
    kiosk = make()
    release = threading.Event()

    async def wait(text: str) -> None:
        if "slowly" in text:
            await asyncio.to_thread(release.wait, 20)

    gateway.processor.hook = wait
    kiosk.ask("how long, slowly").at("waiting").touch("Start again").at("attract")
    release.set()
    kiosk.page.wait_for_timeout(300)
    nothing_left(kiosk, gateway, "slowly")


# Taking it home


def test_take_home_by_phone(make: Callable[..., Kiosk], new_context: NewContext) -> None:
    kiosk = make("")
    kiosk.ask("how long for Archibald Xylander").at("answer")
    kiosk.touch("All topics").touch("May I walk and exercise?").touch("May I put weight on the leg?").at("answer")
    kiosk.touch("Take home").at("take")
    expect(kiosk.root.locator(".list li")).to_have_text(["How long does it last?", "May I put weight on the leg?"])
    picture = Image.open(io.BytesIO(kiosk.page.screenshot()))
    codes = zxingcpp.read_barcodes(picture)
    assert len(codes) == 1
    address = codes[0].text
    assert address == kiosk.url.removesuffix("/kiosk") + "/take-home#topics=duration,weight_bearing"
    phone = new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True).new_page()
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    phone.goto(address)
    expect(phone.get_by_role("heading", level=2)).to_have_text(
        ["How long does it last?", "May I put weight on the leg?", "Questions to ask your doctor", "Sources"]
    )
    builder = default_builder()
    for topic in ("ask_duration", "ask_weight_bearing"):
        expect(phone.get_by_text(builder.reply(topic).text)).to_be_visible()
    assert phone.locator("figure img").count() == 2
    expect(phone.locator(".sources li")).to_have_count(3)
    expect(phone.locator(".doctor li")).to_have_count(9)
    expect(phone.get_by_text("When can I go back to sport?")).to_be_visible()
    assert phone.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert axe(phone) == []
    # What was read stays in the phone: the server is only asked for all answers, as everyone asks.
    assert not [url for url in asked if "duration" in url.partition("#")[0]]


@pytest.mark.parametrize("fragment", ["", "#topics=", "#topics=nonsense,%3Cscript%3E", "#topics=" + "a" * 5000, "#x=1"])
def test_a_broken_link_says_so(new_context: NewContext, gateway: Gateway, fragment: str) -> None:
    phone = new_context().new_page()
    phone.goto(f"http://127.0.0.1:{gateway.port}/take-home{fragment}")
    expect(phone.get_by_role("alert")).to_contain_text("holds no answers")


def test_the_sheet_on_paper(make: Callable[..., Kiosk]) -> None:
    kiosk = make(script="window.printed = []; window.print = () => printed.push(document.querySelector('#paper').innerText)")
    kiosk.answer().touch("Take home").at("take").touch("Print")
    kiosk.page.wait_for_function("() => printed.length === 1")
    text = kiosk.page.evaluate("() => printed[0]")
    # Hidden on the screen, so its own text is taken as it is written.
    assert "6 to 12 months" in text
    assert "Questions to ask your doctor" in text
    expect(kiosk.page.locator("#paper")).to_be_empty()


@pytest.mark.parametrize(("paper", "width", "height"), [("A4", 210, 297), ("Letter", 215.9, 279.4)])
def test_the_sheet_fits_the_paper(new_context: NewContext, gateway: Gateway, paper: str, width: float, height: float) -> None:
    page = new_context().new_page()
    page.goto(f"http://127.0.0.1:{gateway.port}/take-home#topics=duration,treatment")
    expect(page.locator(".doctor li").first).to_be_visible()
    page.locator("figure img").first.evaluate("i => i.decode()")
    pdf = page.pdf(format=paper)
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 2 or pdf.count(b"/Type /Pages") == 1
    # On paper: nothing wider than what lies between the margins, no buttons, black on white.
    px = 96 / 25.4
    page.set_viewport_size({"width": int((width - 30) * px), "height": int((height - 31) * px)})
    page.emulate_media(media="print")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    expect(page.get_by_role("button")).to_be_hidden()
    assert page.evaluate("() => document.querySelector('main').scrollHeight") < 2 * (height - 31) * px


# Sound

_RECORD = """
  window.spoken = []; window.cancelled = 0;
  const voice = {localService: true, lang: 'en-US', default: true, name: 'x', voiceURI: 'x'};
  speechSynthesis.getVoices = () => [voice];
  speechSynthesis.speak = one => spoken.push([one.text.trim(), one.rate, one.volume]);
  speechSynthesis.cancel = () => { cancelled++ };
  Object.defineProperty(SpeechSynthesisUtterance.prototype, 'voice', {set() {}, configurable: true});
"""


def test_read_aloud(make: Callable[..., Kiosk]) -> None:
    kiosk = make(script=_RECORD)
    page = kiosk.page
    kiosk.answer()
    assert page.evaluate("() => spoken") == [], "off until asked for"
    kiosk.touch("Read aloud")
    said = page.evaluate("() => spoken")
    assert said[0] == ["How long does it last?", 1, 1]
    reply = default_builder().reply("ask_duration")
    assert reply.figure
    assert " ".join(text for text, _, _ in said[1:]) == f"{reply.text} Picture: {reply.figure.alt}"
    page.evaluate("() => { spoken.length = 0; cancelled = 0 }")
    kiosk.touch("Slower")
    assert page.evaluate("() => spoken[0][1]") == pytest.approx(0.85)
    kiosk.touch("Quieter")
    assert page.evaluate("() => spoken.at(-1)[2]") == 0.75
    expect(kiosk.root.get_by_text("Speed 2 of 5. Loudness 3 of 4.")).to_be_visible()
    page.evaluate("() => { spoken.length = 0; cancelled = 0 }")
    page.mouse.click(500, 300)
    assert page.evaluate("() => [spoken.length, cancelled > 0]") == [0, True]
    expect(kiosk.button("Read again")).to_be_visible()
    kiosk.touch("Is it permanent?")
    assert until(lambda: page.evaluate("() => spoken[0]?.[0]") == "Is it permanent?")
    kiosk.touch("Start again").at("attract")
    expect(kiosk.root.locator("[data-action=listen]")).to_have_attribute("aria-pressed", "false")


def test_headset_says_each_control(make: Callable[..., Kiosk]) -> None:
    kiosk = make("?headset=1", script=_RECORD)
    page = kiosk.page
    page.keyboard.press("ArrowDown")
    assert page.evaluate("() => spoken.at(-1)[0]") == "5 questions, button"
    assert "What is it?" in page.evaluate("() => spoken.map(one => one[0])")
    page.keyboard.press("Enter")
    kiosk.at("group")
    assert until(lambda: "Which question is yours?" in page.evaluate("() => spoken.map(one => one[0])"))


def test_without_a_voice_the_button_is_off(kiosk: Kiosk) -> None:
    expect(kiosk.button("Read aloud")).to_be_disabled()


# Days

_FAST_SERVER = """(topics => {
  const plain = window.fetch, reply = JSON.stringify({replies: [topics.reply]});
  window.calls = 0;
  window.fetch = async (url, options) => {
    if (!String(url).includes('/conversations')) return plain(url, options);
    calls++;
    if (options.method === 'DELETE') return new Response(null, {status: 204});
    if (String(url).endsWith('/messages')) return new Response(reply, {status: 200});
    return new Response(JSON.stringify({id: 'c' + calls, token: 't' + calls, expires_at: '', replies: []}), {status: 201});
  };
})"""
_VISITS = """async count => {
  const kiosk = document.querySelector('hipwise-kiosk');
  const root = kiosk.shadowRoot;
  // A task of its own each time, without the 4 ms that timers take.
  const channel = new MessageChannel();
  const task = () => new Promise(done => { channel.port1.onmessage = done; channel.port2.postMessage(0) });
  const drawn = async () => { await kiosk.updateComplete; await task() };
  const press = async where => {
    const button = typeof where === 'string' ? root.querySelector(where) : where;
    if (!button) throw new Error('nothing to press: ' + where);
    button.click(); await drawn() };
  for (let n = 0; n < count; n++) {
    const groups = root.querySelectorAll('.groups button');
    await press(groups[n % groups.length]);
    const tiles = root.querySelectorAll('.questions button');
    await press(tiles[n % tiles.length]);
    if (n % 6 === 0) await press('[data-action=take]');
    if (n % 10 === 0) {
      await press('[data-action=write]');
      const box = root.querySelector('textarea');
      box.value = 'question ' + n; box.dispatchEvent(new InputEvent('input', {bubbles: true}));
      await press('.keys .main-key');
      for (let i = 0; i < 50 && kiosk.screen.name === 'waiting'; i++) await drawn();
      if (kiosk.screen.name !== 'answer') throw new Error(kiosk.screen.name);
    }
    if (n % 14 === 0) { await press('[data-action=hide]'); await press('.hidden-text button') }
    await press('[data-action=again]');
    if (kiosk.screen.name !== 'home') throw new Error(kiosk.screen.name);
  }
  channel.port1.close();
  return calls;
}"""


@pytest.mark.slow
def test_two_thousand_visits(make: Callable[..., Kiosk]) -> None:
    reply = default_builder().reply("ask_duration").as_dict()
    kiosk = make()
    kiosk.page.evaluate(f"topics => {_FAST_SERVER}(topics)", {"reply": reply})
    session = kiosk.page.context.new_cdp_session(kiosk.page)

    def used() -> tuple[float, int, int]:
        # Sayings for the screen reader stay for some seconds.
        kiosk.page.wait_for_timeout(7_500)
        for _ in range(3):
            session.send("HeapProfiler.collectGarbage")
        heap = session.send("Runtime.getHeapUsage")["usedSize"]
        counters = session.send("Memory.getDOMCounters")
        return heap / 1e6, counters["nodes"], counters["jsEventListeners"]

    kiosk.page.evaluate(_VISITS, 120)
    before = used()
    calls = kiosk.page.evaluate(_VISITS, 2_000)
    after = used()
    print(f"heap {before[0]:.2f} -> {after[0]:.2f} MB, nodes {before[1]} -> {after[1]}, listeners {before[2]} -> {after[2]}")
    assert calls > 3 * 2_000, "each visit had a conversation of its own, and erased it"
    assert after[0] - before[0] < 0.5
    assert after[1] <= before[1] + 50
    assert after[2] <= before[2] + 20


def test_no_page_error_while_nobody_is_there(page_errors: list[str], make: Callable[..., Kiosk]) -> None:
    kiosk = make()
    kiosk.page.on("console", lambda message: page_errors.append(message.text) if message.type == "error" else None)
    kiosk.page.clock.install()
    kiosk.page.clock.run_for(3_600_000)
    kiosk.at("attract")
    assert page_errors == []


@pytest.fixture
def page_errors() -> list[str]:
    """What the console said."""
    return []
