/**
 * The kiosk in the waiting room: topics by touch, questions by keyboard, the sheet to take home, and nothing left behind.
 *
 * All that is known of a person is in `#person` and in the stack of screens; `erase` replaces both. Nothing is written to
 * storage, to the history or to the address.
 */

import { html, LitElement, nothing, type PropertyValues, render, type TemplateResult, unsafeCSS } from "lit";
import { keyed } from "lit/directives/keyed.js";
import keyboardStyle from "simple-keyboard/build/css/index.css?inline";
import { Api, ApiError } from "../api.js";
import type { AnnouncerElement } from "../components/announcer.js";
import { icon } from "../components/icons.js";
import { base, parts } from "../components/styles.js";
import { replyLang } from "../conversation.js";
import { Speaker } from "../speech.js";
import { webAddress } from "../transcript.js";
import { en } from "../translations/en.js";
import { kioskEn, sheetEn } from "../translations/kiosk.en.js";
import { isUrgent, type Reply, type Suggestion } from "../types.js";
import { type Config, readConfig } from "./config.js";
import { isArrow, neighbour } from "./focus.js";
import { kioskIcon } from "./icons.js";
import { Idle } from "./idle.js";
import { Keys } from "./keys.js";
import { qr } from "./qr.js";
import { redFlag } from "./redflags.js";
import { KioskServer } from "./server.js";
import { sheet } from "./sheet.js";
import { kiosk } from "./styles.js";
import { closest, GROUPS, type Group, readTopics, type Topic, type Topics, toFragment, topicsOf } from "./topics.js";

/** Milliseconds for which the server may think before the kiosk answers from what it has; less where it may be urgent. */
const PATIENCE = 10_000;
const PATIENCE_URGENT = 3000;
const SLOW_AFTER = 2500;
/** The longest question, as on the server. */
const MAX_TEXT = 1000;
/** Answers in the QR code: more would make it too fine for a camera. */
const MOST_TAKEN = 16;
const SPEEDS = [0.7, 0.85, 1, 1.25, 1.5];
const LOUDNESS = [0.25, 0.5, 0.75, 1];
/** Topics of replies that say: everything before is erased. */
const FORGETS = new Set(["service_forget_me", "service_start_again"]);

type Screen =
  | { name: "home" }
  | { name: "group"; group: Group }
  | { name: "write" }
  | { name: "waiting"; question: string; slow: boolean }
  | { name: "answer"; question: string; replies: Reply[]; cached: boolean }
  | { name: "closest"; question: string; topics: Topic[]; busy: boolean }
  | { name: "urgent"; reply: Reply; rest: Extract<Screen, { name: "answer" }> | null }
  | { name: "take" };

const HOME: Screen = { name: "home" };

/** What is known of the person who is here. */
interface Person {
  draft: string;
  /** Topics of the answers seen, in order. */
  seen: string[];
}

type Call = "idle" | "calling" | "called" | "failed";

const t = kioskEn;

export class HipwiseKiosk extends LitElement {
  static override styles = [unsafeCSS(keyboardStyle), base, parts, kiosk];
  static override properties = {
    stack: { state: true },
    active: { state: true },
    hiding: { state: true },
    warning: { state: true },
    call: { state: true },
    listening: { state: true },
    large: { state: true },
    overflow: { state: true },
    note: { state: true },
  };

  declare private stack: Screen[];
  /** Someone is here. */
  declare private active: boolean;
  declare private hiding: boolean;
  /** Seconds left; null while nobody needs to be warned. */
  declare private warning: number | null;
  declare private call: Call;
  declare private listening: boolean;
  /** The picture fills the screen's text area. */
  declare private large: boolean;
  /** Where there is more text: above, below. */
  declare private overflow: { up: boolean; down: boolean };
  declare private note: string;

  #person: Person = { draft: "", seen: [] };
  #visit = 0;
  #topics: Topics | null = null;
  #config: Config = readConfig(null, new URL(location.href));
  readonly #server = new KioskServer(new Api("", PATIENCE));
  readonly #speaker = new Speaker();
  readonly #idle = new Idle(60, 20);
  #speed = 2;
  #volume = 3;
  #keys: Keys | null = null;
  #timers: number[] = [];
  #shown: Screen | null = null;
  #version: string | null = null;
  readonly #printed = document.createElement("div");

  constructor() {
    super();
    this.stack = [HOME];
    this.active = this.hiding = this.listening = this.large = false;
    this.warning = null;
    this.call = "idle";
    this.overflow = { up: false, down: false };
    this.note = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#printed.id = "paper";
    this.#printed.className = "sheet";
    document.body.append(this.#printed);
    this.#speaker.connect();
    this.#speaker.addEventListener("change", () => {
      // Whoever listens is there.
      if (this.#speaker.current !== null) this.#idle.touch();
      this.requestUpdate();
    });
    this.#server.addEventListener("change", () => {
      if (this.#server.up && !this.#topics) void this.#load();
      this.requestUpdate();
    });
    this.#idle.addEventListener("warn", (event) => {
      if (this.#speaker.current !== null) return this.#idle.stay();
      this.warning = (event as CustomEvent<number>).detail;
    });
    this.#idle.addEventListener("gone", () => this.erase());
    const root = this.renderRoot as ShadowRoot;
    root.addEventListener("pointerdown", (event) => this.#touched(event), { capture: true });
    root.addEventListener("click", (event) => this.#stayHere(event), { capture: true });
    root.addEventListener("focusin", (event) => this.#spokenFocus(event));
    addEventListener("keydown", this.#keydown);
    addEventListener("pagehide", this.#leave);
    addEventListener("pageshow", this.#back);
    addEventListener("resize", this.#measure);
    addEventListener("contextmenu", this.#refuse);
    addEventListener("dragstart", this.#refuse);
    addEventListener("online", this.#refresh);
    void this.#load();
    this.#timers.push(window.setInterval(this.#refresh, 300_000));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#speaker.disconnect();
    this.#idle.disarm();
    removeEventListener("keydown", this.#keydown);
    removeEventListener("pagehide", this.#leave);
    removeEventListener("pageshow", this.#back);
    removeEventListener("resize", this.#measure);
    removeEventListener("contextmenu", this.#refuse);
    removeEventListener("dragstart", this.#refuse);
    removeEventListener("online", this.#refresh);
    this.#printed.remove();
  }

  get screen(): Screen {
    return this.stack.at(-1) ?? HOME;
  }

  /** The person is gone: nothing of them is left here, and soon nothing on the server. */
  erase(leaving = false): void {
    const someone = this.active;
    this.#visit++;
    this.#speaker.stop();
    this.#server.forget(leaving);
    this.#idle.disarm();
    this.#person = { draft: "", seen: [] };
    this.stack = [HOME];
    this.active = this.hiding = this.large = false;
    this.listening = this.#config.headset;
    this.warning = null;
    this.call = "idle";
    this.note = "";
    [this.#speed, this.#volume] = [2, 3];
    render(nothing, this.#printed);
    if (someone && !leaving) void this.updateComplete.then(() => this.#announce(t.erased));
  }

  // What is known in advance

  async #load(): Promise<void> {
    const [config, topics] = await Promise.all([
      this.#server.json("/api/v1/kiosk/config"),
      this.#server.json("/api/v1/topics"),
    ]);
    this.#config = readConfig(config ?? this.#lastConfig, new URL(location.href));
    this.#lastConfig = config ?? this.#lastConfig;
    this.#idle.seconds = this.#config.idleSeconds;
    this.#idle.warning = this.#config.warningSeconds;
    document.documentElement.style.setProperty("--mm", `${this.#config.pxPerMm}px`);
    if (!this.active) this.listening = this.#config.headset;
    this.#topics = readTopics(topics) ?? this.#topics;
    if (!this.#topics || !config) this.#timers[1] = window.setTimeout(() => void this.#load(), 4000);
    this.requestUpdate();
    if (this.#topics) void this.#keepOffline(this.#topics);
  }
  #lastConfig: unknown = null;

  /** Put everything into the browser's cache that the shell needs to come up without the server. Nothing of a person. */
  async #keepOffline(topics: Topics): Promise<void> {
    if (!("caches" in globalThis)) return;
    const pictures = topics.topics.flatMap((one) => one.reply.figure?.url ?? []);
    // What the page was loaded from: scripts and what they import, styles, icon.
    const files = performance
      .getEntriesByType("resource")
      .map((one) => one.name)
      .filter((name) => new URL(name).origin === location.origin && !name.includes("/api/"));
    const wanted = new Set(
      [location.pathname, "/api/v1/kiosk/config", "/api/v1/topics", ...pictures, ...files].map(
        (path) => new URL(path, location.href).href,
      ),
    );
    try {
      const cache = await caches.open("hipwise-kiosk");
      await Promise.all(
        [...wanted].map(async (url) => {
          const response = await fetch(url);
          if (response.ok) await cache.put(url, response);
        }),
      );
      for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request);
    } catch {
      // Away or full: it is tried again with the next refresh.
    }
  }

  /** Every few minutes while nobody is here: new answers, and a new version of the page. */
  readonly #refresh = async (): Promise<void> => {
    if (this.active) return;
    await this.#load();
    try {
      const page = await fetch(location.pathname, {
        method: "HEAD",
        cache: "no-cache",
        signal: AbortSignal.timeout(5000),
      });
      const version = page.ok ? page.headers.get("ETag") : null;
      if (version && this.#version && version !== this.#version && !this.active && !this.#server.busy)
        location.reload();
      this.#version = version ?? this.#version;
    } catch {
      // The server is away; what is here goes on.
    }
  };

  // Comings and goings

  #arrive(): void {
    if (!this.active) {
      this.active = true;
      this.#idle.arm();
    }
  }

  #touched(event: Event): void {
    const target = event.composedPath()[0] as Element;
    if (!target.closest?.(".sound")) this.#speaker.stop();
    this.#idle.touch();
    this.#server.touch();
  }

  readonly #leave = (): void => {
    this.erase(true);
    // Drawn now: the browser may keep a picture of the page.
    this.performUpdate();
  };

  readonly #back = (event: PageTransitionEvent): void => {
    if (event.persisted) this.erase();
  };

  readonly #refuse = (event: Event): void => event.preventDefault();

  /** Links lead nowhere: this page is all there is. */
  #stayHere(event: Event): void {
    if ((event.target as Element).closest?.("a")) event.preventDefault();
  }

  readonly #keydown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    this.#idle.touch();
    this.#server.touch();
    const root = this.renderRoot as ShadowRoot;
    const focused = root.activeElement;
    const writing = focused instanceof HTMLTextAreaElement;
    if (event.key === "Escape") {
      if (this.warning !== null) return;
      event.preventDefault();
      if (this.#speaker.current !== null) this.#speaker.stop();
      else if (this.hiding) this.hiding = false;
      else this.#goBack();
      return;
    }
    if (!isArrow(event.key)) return;
    // In the text, the arrows belong to the text until they reach its end.
    if (writing) {
      const forward = event.key === "ArrowDown" || event.key === "ArrowRight";
      const at = forward ? focused.selectionEnd === focused.value.length : focused.selectionStart === 0;
      if (!at) return;
    }
    const dialog = root.querySelector<HTMLElement>("dialog[open]");
    const all = [...(dialog ?? root).querySelectorAll<HTMLElement>("button:not(:disabled), textarea, [tabindex='0']")];
    const next = neighbour(
      focused,
      event.key,
      all.filter((one) => one.offsetParent !== null || dialog?.contains(one)),
    );
    if (next) {
      event.preventDefault();
      next.focus();
    }
  };

  // Going from screen to screen

  #go(screen: Screen, replace = false): void {
    this.#arrive();
    this.#speaker.stop();
    this.large = false;
    this.note = "";
    const before = replace ? this.stack.slice(0, -1) : this.stack;
    // Nobody goes back through fifty screens.
    this.stack = screen.name === "home" ? [HOME] : [...before.slice(-50), screen];
    if (this.stack[0] !== HOME) this.stack = [HOME, ...this.stack];
  }

  #goBack(): void {
    if (this.stack.length < 2) return;
    this.#speaker.stop();
    this.large = false;
    this.note = "";
    this.#visit++;
    this.stack = this.stack.slice(0, -1);
  }

  #open(topic: Topic): void {
    // The server hears of it, so that "why?" is understood, the answer counts, and the conversation is there to be erased.
    this.#server.tell(`/${topic.id}`);
    this.#show(topic.title, [topic.reply], true);
  }

  #show(question: string, replies: Reply[], cached: boolean, replace = false): void {
    const alarm = replies.find(isUrgent);
    const rest = replies.filter((reply) => reply !== alarm);
    const answer: Extract<Screen, { name: "answer" }> | null =
      rest.length > 0 ? { name: "answer", question, replies: rest, cached } : null;
    for (const reply of rest) {
      const id = reply.topic ?? "";
      if (!this.#topics?.topics.some((topic) => topic.id === id)) continue;
      this.#person.seen = [...this.#person.seen.filter((one) => one !== id), id];
    }
    if (alarm) {
      this.call = "idle";
      this.#go({ name: "urgent", reply: alarm, rest: answer }, replace);
    } else if (answer) this.#go(answer, replace);
  }

  #choose(suggestion: Suggestion, cached: boolean): void {
    const id = suggestion.payload.replace(/^\//, "");
    const topic = this.#topics?.topics.find((one) => one.id === id);
    if (topic) this.#open(topic);
    // A payload is only good in the conversation that offered it.
    else void this.#ask(suggestion.title, cached ? suggestion.title : suggestion.payload);
  }

  async #ask(question: string, text = question): Promise<void> {
    const screen: Screen = { name: "waiting", question, slow: false };
    this.#go(screen);
    const visit = ++this.#visit;
    const here = (): boolean => visit === this.#visit && this.active;
    const flag = redFlag(question);
    const slow = setTimeout(() => {
      if (here()) this.stack = this.stack.map((one) => (one === screen ? { ...screen, slow: true } : one));
    }, SLOW_AFTER);
    let patience = 0;
    try {
      const late = new Promise<never>((_, reject) => {
        const most = flag ? PATIENCE_URGENT : PATIENCE;
        patience = window.setTimeout(() => reject(new ApiError(0, "late")), most);
      });
      const replies = await Promise.race([this.#server.ask(text), late]);
      if (!here()) return;
      if (replies.some((reply) => FORGETS.has(reply.topic ?? ""))) {
        this.#person = { draft: "", seen: [] };
        this.stack = [HOME, screen];
      }
      this.#show(question, replies, false, true);
    } catch (error) {
      if (!here()) return;
      const failure = error instanceof ApiError ? error : new ApiError(0, "unreachable");
      const alarm = failure.replies.filter(isUrgent)[0] ?? (flag ? this.#alarm(flag) : null);
      const found = this.#topics ? closest(question, this.#topics) : [];
      const rest: Screen = { name: "closest", question, topics: found, busy: !failure.passing };
      if (alarm) this.#show(question, [alarm], true, true);
      else this.#go(rest, true);
    } finally {
      clearTimeout(slow);
      clearTimeout(patience);
    }
  }

  /** The emergency advice, also before the server has ever answered. */
  #alarm(kind: "urgent" | "crisis"): Reply {
    const kept = this.#topics?.[kind];
    if (kept) return kept;
    const text = kind === "urgent" ? `${t.tellStaff} ${sheetEn.urgent}` : `${t.crisisTitle}. ${t.tellStaff}`;
    const none = { facts: [], references: [], suggestions: [], figure: null, topic: null, lang: t.lang };
    return { text, kind, ...none };
  }

  #helpNow(): void {
    this.call = "idle";
    this.hiding = false;
    this.#go({ name: "urgent", reply: this.#alarm("urgent"), rest: null });
  }

  async #callStaff(): Promise<void> {
    const visit = this.#visit;
    this.call = "calling";
    const done = await this.#server.callStaff();
    if (visit === this.#visit) this.call = done ? "called" : "failed";
  }

  #send(): void {
    const text = this.#person.draft.trim();
    if (!text) {
      this.#box?.focus();
      return;
    }
    if ([...text].length > MAX_TEXT) {
      this.note = t.tooLong;
      return;
    }
    this.#person.draft = "";
    void this.#ask(text);
  }

  async #print(): Promise<void> {
    if (!this.#topics) return;
    const visit = this.#visit;
    render(sheet(this.#person.seen, this.#topics, sheetEn, location.origin, false), this.#printed);
    this.note = t.printing;
    await Promise.race([
      Promise.all([...this.#printed.querySelectorAll("img")].map((img) => img.decode().catch(() => {}))),
      new Promise((resolve) => setTimeout(resolve, 2000)),
    ]);
    if (visit !== this.#visit) return;
    print();
    // Nothing of it stays in the page.
    render(nothing, this.#printed);
  }

  // Sound

  #speakScreen(): void {
    this.#speaker.stop();
    const head = this.renderRoot.querySelector("h1")?.textContent?.trim() ?? "";
    const screen = this.screen;
    const lang = screen.name === "answer" ? replyLang(screen.replies[0] as Reply) : t.lang;
    const words = [...this.renderRoot.querySelectorAll("[data-spoken]")].map((one) => one.textContent?.trim() ?? "");
    const picture = this.renderRoot.querySelector<HTMLImageElement>(".figure")?.alt;
    if (picture) words.push(`${en.picture} ${picture}`);
    const text = [head, ...words].filter((one) => one !== "").map((one) => (/[.!?]$/.test(one) ? one : `${one}.`));
    this.#say(text.join(" "), lang);
  }

  #say(text: string, lang = t.lang): void {
    this.#speaker.volume = LOUDNESS[this.#volume] ?? 1;
    const voice = this.#speaker.available(lang) ? lang : t.lang;
    this.#speaker.say(text.replace(/\s+/g, " "), voice, this.screen, SPEEDS[this.#speed]);
  }

  #listen(): void {
    this.#arrive();
    this.listening = !this.listening;
    if (this.listening) this.#speakScreen();
    else this.#speaker.stop();
  }

  #tune(speed: number, volume: number): void {
    this.#speed = Math.min(SPEEDS.length - 1, Math.max(0, this.#speed + speed));
    this.#volume = Math.min(LOUDNESS.length - 1, Math.max(0, this.#volume + volume));
    this.#speakScreen();
    this.requestUpdate();
  }

  /** With a headset, each control says its name when it is reached. */
  #spokenFocus(event: Event): void {
    const target = event.target as HTMLElement;
    if (!this.#config.headset || !this.listening || !target.matches("button, textarea")) return;
    const kind = target.matches("textarea") ? t.field : t.button;
    const name = target.getAttribute("aria-label") ?? target.innerText ?? "";
    this.#speaker.stop();
    this.#say(`${name.trim() || t.yourQuestion}, ${kind}`);
  }

  // Drawing

  get #box(): HTMLTextAreaElement | null {
    return this.renderRoot.querySelector("textarea");
  }

  #announce(text: string): void {
    this.renderRoot.querySelector<AnnouncerElement>("hipwise-announcer")?.say(text, t.lang);
  }

  protected override updated(changed: PropertyValues): void {
    const dialog = this.renderRoot.querySelector<HTMLDialogElement>("dialog");
    if (dialog && this.warning !== null && !dialog.open) {
      dialog.showModal();
      if (this.listening) this.#say(`${t.warnTitle} ${t.warnText(this.warning)}`);
    } else if (dialog?.open && this.warning === null) dialog.close();
    if (this.screen.name === "write" && !this.hiding) {
      const place = this.renderRoot.querySelector<HTMLElement>(".keys");
      if (place && !this.#keys)
        this.#keys = new Keys(
          place,
          () => this.#box,
          t,
          () => this.#send(),
        );
    } else if (this.#keys) {
      this.#keys.destroy();
      this.#keys = null;
    }
    if (changed.has("stack") && this.#shown !== this.screen) this.#arrived();
    this.#measure();
  }

  /** A new screen: it is read from its top, by eye, by screen reader and by voice. */
  #arrived(): void {
    const before = this.#shown;
    this.#shown = this.screen;
    const scroll = this.renderRoot.querySelector(".scroll");
    if (scroll) scroll.scrollTop = 0;
    if (!this.active) {
      ((this.renderRoot as ShadowRoot).activeElement as HTMLElement | null)?.blur();
      return;
    }
    if (this.warning !== null) return;
    if (this.screen.name === "write") this.#box?.focus();
    else this.renderRoot.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
    if (this.screen.name === "answer") {
      this.#announce(this.screen.replies.map((reply) => reply.text).join(" "));
    }
    if (this.listening && before !== null && this.screen.name !== "waiting") this.#speakScreen();
  }

  readonly #measure = (): void => {
    const scroll = this.renderRoot.querySelector(".scroll");
    const up = !!scroll && scroll.scrollTop > 4;
    const down = !!scroll && scroll.scrollTop + scroll.clientHeight < scroll.scrollHeight - 4;
    if (up !== this.overflow.up || down !== this.overflow.down) this.overflow = { up, down };
  };

  #scroll(sign: 1 | -1): void {
    const scroll = this.renderRoot.querySelector(".scroll");
    scroll?.scrollBy({ top: sign * scroll.clientHeight * 0.8 });
    this.#measure();
  }

  protected override render(): TemplateResult {
    const urgent = this.screen.name === "urgent" ? this.screen.reply.kind : "";
    const name = this.active ? this.screen.name : "attract";
    return html`<div class="frame">
      <div class="kiosk ${urgent}" lang=${t.lang} data-screen=${this.hiding ? "hidden" : name}>
        ${this.hiding ? this.#hidden() : html`<main class=${this.screen.name}>${this.#content()}</main>`} ${this.#bar()}
      </div>
      ${keyed(`${this.active} ${this.hiding}`, html`<hipwise-announcer></hipwise-announcer>`)}
      <dialog aria-labelledby="warn" @cancel=${this.#still}>
        ${
          this.warning === null
            ? nothing
            : html`<h2 id="warn">${t.warnTitle}</h2>
                <p class="count" role="timer">${t.warnText(this.warning)}</p>
                <button class="main-button" autofocus @click=${this.#still}>${t.stillHere}</button>
                <button class="tile" @click=${() => this.erase()}>${t.eraseNow}</button>`
        }
      </dialog>
    </div>`;
  }

  readonly #still = (event: Event): void => {
    event.preventDefault();
    this.warning = null;
    this.#idle.stay();
    this.#server.touch();
  };

  #content(): TemplateResult {
    const { screen } = this;
    if (screen.name === "group") return this.#group(screen.group);
    if (screen.name === "write") return this.#write();
    if (screen.name === "waiting") return this.#waiting(screen);
    if (screen.name === "answer") return this.#answer(screen);
    if (screen.name === "closest") return this.#closest(screen);
    if (screen.name === "urgent") return this.#urgent(screen);
    if (screen.name === "take") return this.#take();
    return this.#home();
  }

  #home(): TemplateResult {
    return html`<header>
        <h1 tabindex="-1">${t.title}</h1>
        <p class="what" data-spoken>${t.what}</p>
        <p data-spoken>${t.machine}</p>
        <p class="emergency-hint" data-spoken>${icon("warning")} <strong>${t.emergencyHint}</strong></p>
        <p data-spoken>${this.#config.headset && this.listening ? t.headsetHint : t.touch}</p>
        ${this.#status()}
      </header>
      <div class="tiles groups">
        ${
          this.#topics
            ? GROUPS.map((group) => {
                const count = this.#topics ? topicsOf(group, this.#topics).length : 0;
                return html`<button class="tile" @click=${() => this.#go({ name: "group", group })}>
                  <span class="tile-title">${t.groups[group.id]}</span>
                  <span class="tile-note">${t.questionsCount(count)}</span>
                </button>`;
              })
            : html`<p class="what" role="status">${t.starting}</p>`
        }
      </div>`;
  }

  #status(): TemplateResult {
    return html`<p class="status" role="status">${this.#server.up || !this.#topics ? "" : html`${icon("info")} ${t.away}`}</p>`;
  }

  #group(group: Group): TemplateResult {
    return html`<header>
        <h1 tabindex="-1">${t.groups[group.id]}</h1>
        <p data-spoken>${t.choose}</p>
        ${this.#status()}
      </header>
      <div class="tiles questions">
        ${(this.#topics ? topicsOf(group, this.#topics) : []).map((topic) => this.#tile(topic))}
      </div>`;
  }

  #tile(topic: Topic): TemplateResult {
    return html`<button class="tile" @click=${() => this.#open(topic)}><span class="tile-title">${topic.title}</span></button>`;
  }

  #write(): TemplateResult {
    return html`<header>
        <h1 tabindex="-1">${t.writeTitle}</h1>
        <p data-spoken>${t.writeHelp}</p>
        ${this.#status()}
      </header>
      <form class="writing" autocomplete="off" @submit=${this.#refuse}>
        <label for="question">${t.yourQuestion}</label>
        <textarea
          id="question"
          rows="3"
          autocomplete="off"
          autocapitalize="off"
          spellcheck="false"
          inputmode="none"
          .value=${this.#person.draft}
          @input=${(event: Event) => {
            this.#person.draft = (event.target as HTMLTextAreaElement).value;
          }}
          @keydown=${this.#enter}
        ></textarea>
        <p class="status" role="status">${this.note}</p>
      </form>
      <div class="keys" role="group" aria-label=${t.keyboard}></div>`;
  }

  readonly #enter = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    this.#send();
  };

  #waiting(screen: { question: string; slow: boolean }): TemplateResult {
    return html`<header>
      <p class="label">${t.asked}</p>
      <h1 tabindex="-1" class="own">${screen.question}</h1>
      <p role="status" class="looking">${t.looking} ${screen.slow ? t.slow : ""}</p>
    </header>`;
  }

  #answer(screen: Extract<Screen, { name: "answer" }>): TemplateResult {
    const references = new Map(screen.replies.flatMap((one) => one.references).map((one) => [one.id, one]));
    const suggestions = screen.replies.at(-1)?.suggestions ?? [];
    const figure = screen.replies.find((one) => one.figure)?.figure ?? null;
    const picture = webAddress(figure?.url ?? null, location.origin);
    return html`<header><h1 tabindex="-1" class=${screen.cached ? "" : "own"}>${screen.question}</h1></header>
      <div class="scroll ${this.large ? "large" : ""}" role="region" aria-label=${t.asked} tabindex=${this.overflow.up || this.overflow.down ? 0 : nothing} @scroll=${this.#measure}>
        <div class="words" ?hidden=${this.large}>
          ${screen.replies.map(
            (reply) =>
              html`<div data-spoken><hipwise-reply .reply=${bare(reply)} .strings=${en} server="" plain></hipwise-reply></div>`,
          )}
        </div>
        ${picture && figure ? html`<img class="figure" src=${picture} alt=${figure.alt} width="480" height="320" @load=${this.#measure} />` : nothing}
        ${
          references.size > 0 && !this.large
            ? html`<section class="citations">
                  <h2>${t.sources}</h2>
                  <ol>
                    ${[...references.values()].map((one) => html`<li>${one.citation} ${webAddress(one.url) ?? nothing}</li>`)}
                  </ol>
                </section>`
            : nothing
        }
      </div>
      <div class="pager">
        ${this.overflow.up ? html`<button class="tile" @click=${() => this.#scroll(-1)}>${kioskIcon("less")} ${t.less}</button>` : nothing}
        ${this.overflow.down ? html`<button class="tile" @click=${() => this.#scroll(1)}>${kioskIcon("more")} ${t.more}</button>` : nothing}
        ${
          picture
            ? html`<button class="tile" aria-pressed=${this.large} @click=${() => {
                this.large = !this.large;
              }}>
                ${kioskIcon("figure")} ${this.large ? t.figureClose : t.figureLarge}
              </button>`
            : nothing
        }
      </div>
      ${this.#sound()}
      ${
        suggestions.length > 0
          ? html`<section class="next">
              <h2>${t.next}</h2>
              <div class="tiles suggested">
                ${suggestions.map(
                  (one) =>
                    html`<button class="tile" @click=${() => this.#choose(one, screen.cached)}>
                      <span class="tile-title">${one.title}</span>
                    </button>`,
                )}
              </div>
            </section>`
          : nothing
      }`;
  }

  #sound(): TemplateResult | typeof nothing {
    if (!this.listening) return nothing;
    const reading = this.#speaker.current !== null;
    return html`<div class="sound" role="group" aria-label=${t.soundControls}>
      <button class="tile" @click=${() => (reading ? this.#speaker.stop() : this.#speakScreen())}>
        ${icon(reading ? "stop" : "speak")} ${reading ? t.stop : t.readAgain}
      </button>
      <button class="tile" @click=${() => this.#tune(-1, 0)}>${t.slower}</button>
      <button class="tile" @click=${() => this.#tune(1, 0)}>${t.faster}</button>
      <button class="tile" @click=${() => this.#tune(0, -1)}>${t.quieter}</button>
      <button class="tile" @click=${() => this.#tune(0, 1)}>${t.louder}</button>
      <p role="status">${t.speedIs(this.#speed + 1, SPEEDS.length)}. ${t.volumeIs(this.#volume + 1, LOUDNESS.length)}.</p>
    </div>`;
  }

  #closest(screen: Extract<Screen, { name: "closest" }>): TemplateResult {
    return html`<header>
        <p class="label">${t.asked}</p>
        <h1 tabindex="-1" class="own">${screen.question}</h1>
        <p class="what" role="alert" data-spoken>${screen.busy ? t.busyAnswer : t.offlineAnswer}</p>
      </header>
      <div class="tiles questions">${screen.topics.map((topic) => this.#tile(topic))}</div>`;
  }

  #urgent(screen: Extract<Screen, { name: "urgent" }>): TemplateResult {
    const crisis = screen.reply.kind === "crisis";
    const said: Record<Call, string> = { idle: "", calling: t.calling, called: t.called, failed: t.notCalled };
    return html`<div class="alarm" role="alert">
        ${icon(crisis ? "support" : "warning")}
        <h1 tabindex="-1">${crisis ? t.crisisTitle : t.urgentTitle}</h1>
        <p class="tell" data-spoken>${t.tellStaff} <span>${t.showThis}</span></p>
        <p class="advice" lang=${replyLang(screen.reply)} data-spoken>${screen.reply.text}</p>
      </div>
      <div class="alarm-actions">
        <p class="call-status" role="status">${said[this.call]}</p>
        ${
          this.#config.callStaff
            ? html`<button class="call-staff" ?disabled=${this.call === "calling"} @click=${this.#callStaff}>
                ${kioskIcon("bell")} ${t.callStaff}
              </button>`
            : nothing
        }
        ${
          screen.rest
            ? html`<button class="tile" @click=${() => screen.rest && this.#go(screen.rest)}>
                <span class="tile-title">${t.goOn}</span>
              </button>`
            : nothing
        }
      </div>
      ${this.#sound()}`;
  }

  #take(): TemplateResult {
    const { seen } = this.#person;
    const taken = seen.slice(-MOST_TAKEN);
    const titles = taken.flatMap((id) => this.#topics?.topics.find((topic) => topic.id === id)?.title ?? []);
    const phone = this.#config.phoneUrl;
    const address = phone ? `${phone}/take-home#${toFragment(taken)}` : null;
    return html`<header>
        <h1 tabindex="-1">${t.takeTitle}</h1>
        <p data-spoken>${address ? t.takeHow : t.takeNoLink}</p>
        ${address ? html`<p data-spoken>${t.takeWhat}</p>` : nothing}
      </header>
      <div class="taking">
        ${address ? qr(address, t.qrLabel) : nothing}
        <div class="list">
          <h2>${t.takeList}</h2>
          <ul>
            ${titles.map((title) => html`<li>${title}</li>`)}
          </ul>
          ${seen.length > MOST_TAKEN ? html`<p>${t.takeMost(MOST_TAKEN)}</p>` : nothing}
        </div>
      </div>
      <div class="paper">
        ${
          this.#config.printer
            ? html`<button class="main-button" @click=${this.#print}>${icon("print")} ${t.print}</button>`
            : html`<p data-spoken>${t.takeNoPrinter}</p>`
        }
        <p role="status">${this.note}</p>
      </div>`;
  }

  #hidden(): TemplateResult {
    return html`<main class="hidden-text">
      <header>
        <h1 tabindex="-1">${t.hiddenTitle}</h1>
        <p data-spoken>${t.hiddenText}</p>
      </header>
      <button
        class="main-button"
        @click=${() => {
          this.hiding = false;
        }}
      >
        ${t.show}
      </button>
    </main>`;
  }

  /** Always there, always in the same place. What does nothing now is marked so, and keeps its place. */
  #bar(): TemplateResult {
    const button = (
      name: string,
      picture: TemplateResult,
      words: string,
      off: boolean,
      act: () => void,
      pressed?: boolean,
    ) =>
      html`<button class="bar-button" data-action=${name} ?disabled=${off} aria-pressed=${pressed ?? nothing} @click=${act}>
        ${picture}<span>${words}</span>
      </button>`;
    const deep = this.stack.length > 1;
    const { hiding } = this;
    const mute = !this.#speaker.available(t.lang);
    return html`<nav class="bar" aria-label=${t.controls}>
      ${button("back", icon("back"), t.back, hiding || !deep, () => this.#goBack())}
      ${button("home", kioskIcon("home"), t.home, hiding || !deep, () => this.#go(HOME))}
      ${button("again", kioskIcon("again"), t.startAgain, !this.active, () => this.erase())}
      <button class="bar-button" data-action="hide" ?disabled=${!this.active || hiding} @pointerdown=${this.#hide} @click=${this.#hide}>
        ${kioskIcon("hide")}<span>${t.hide}</span>
      </button>
      ${button("listen", icon("speak"), this.listening ? t.listenOff : t.listen, hiding || mute, () => this.#listen(), this.listening)}
      ${button("write", kioskIcon("keys"), t.write, hiding || !this.#topics || this.screen.name === "write", () => this.#go({ name: "write" }))}
      ${button("take", kioskIcon("square"), t.take, hiding || this.#person.seen.length === 0 || this.screen.name === "take", () => this.#go({ name: "take" }))}
      ${button("help", icon("warning"), t.help, !hiding && this.screen.name === "urgent", () => this.#helpNow())}
    </nav>`;
  }

  /** At the touch, not when the finger leaves: someone is looking. */
  readonly #hide = (): void => {
    if (this.hiding || !this.active) return;
    this.#speaker.stop();
    this.hiding = true;
    this.performUpdate();
    this.renderRoot.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  };
}

/** The words and their heading only: the kiosk draws the rest itself, larger and without links. */
function bare(reply: Reply): Reply {
  let kept = bares.get(reply);
  if (!kept) {
    kept = { ...reply, references: [], suggestions: [], figure: null };
    bares.set(reply, kept);
  }
  return kept;
}
const bares = new WeakMap<Reply, Reply>();
