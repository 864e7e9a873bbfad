/**
 * `<hipwise-chat>`: the launcher and the panel. The class only; `widget.ts` registers it.
 *
 * Attributes, properties, methods, events, parts and custom properties are in docs/widget.md.
 */

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Api, ApiError } from "./api.js";
import type { AnnouncerElement } from "./components/announcer.js";
import type { ComposerElement } from "./components/composer.js";
import { type IconName, icon } from "./components/icons.js";
import type { RateDetail, ReplyElement } from "./components/reply.js";
import { base, parts, widget } from "./components/styles.js";
import {
  type AnswerDetail,
  type BotEntry,
  Conversation,
  type Entry,
  replyLang,
  type UserEntry,
} from "./conversation.js";
import { BrowserMemory, readItem, writeItem } from "./memory.js";
import { Speaker } from "./speech.js";
import { formatTime, printTranscript, replyText, transcriptText } from "./transcript.js";
import { en, type Strings } from "./translations/en.js";
import type { Suggestion } from "./types.js";

/** The panel covers the whole window where it would otherwise be cramped. Same as in the style sheet. */
const FULL_SCREEN = "(max-width: 480px), (max-height: 480px)";

export class HipwiseChat extends LitElement {
  /** Where to ask when no `server` is given; set from the script's own address. */
  static defaultServer = "";

  static override styles = [base, parts, widget];

  static override properties = {
    server: {},
    open: { type: Boolean, reflect: true },
    theme: { reflect: true },
    side: { reflect: true },
    heading: {},
    label: {},
    strings: { attribute: false },
    view: { state: true },
    unread: { state: true },
    size: { state: true },
    aloud: { state: true },
    asking: { state: true },
    said: { state: true },
  };

  /** The address of the Hipwise server. */
  declare server: string;
  declare open: boolean;
  declare theme: "auto" | "light" | "dark";
  declare side: "right" | "left";
  /** The title of the panel. */
  declare heading: string;
  /** The words on the launcher. */
  declare label: string;
  /** The widget's own words: replace some or all. */
  declare strings: Partial<Strings>;
  declare private view: "chat" | "options";
  declare private unread: number;
  declare private size: number;
  declare private aloud: boolean;
  declare private asking: "delete" | "restart" | null;
  declare private said: string;

  #conversation: Conversation | null = null;
  #key = "";
  readonly #speaker = new Speaker();
  readonly #full = matchMedia(FULL_SCREEN);
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  #shown = false;
  /** There was something in the way at the last drawing. */
  #trouble = false;
  /** What to scroll to after the next drawing: the end, or the entry with this key. */
  #follow: { key: string } | "end" | null = null;

  constructor() {
    super();
    this.server = "";
    this.open = false;
    this.theme = "auto";
    this.side = "right";
    this.heading = "";
    this.label = "";
    this.strings = {};
    this.view = "chat";
    this.unread = 0;
    this.size = 0;
    this.aloud = false;
    this.asking = null;
    this.said = "";
  }

  /** Open the panel, as the launcher does. */
  show(): void {
    this.open = true;
  }

  /** Close the panel; the conversation stays. */
  hide(): void {
    this.open = false;
  }

  /** Ask something, as if it had been written in the box. Opens the panel. */
  ask(text: string): void {
    this.show();
    this.#conversation?.say(text);
  }

  // Life

  override connectedCallback(): void {
    super.connectedCallback();
    this.#speaker.connect();
    this.#speaker.addEventListener("change", this.#redraw);
    this.#full.addEventListener("change", this.#onResize);
    this.#dark.addEventListener("change", this.#onTheme);
    visualViewport?.addEventListener("resize", this.#onViewport);
    visualViewport?.addEventListener("scroll", this.#onViewport);
    this.#connectConversation();
    // On a large window the panel is open again after a reload. Where it covers everything, the page comes first.
    if (this.hasUpdated === false && !this.#full.matches && readItem("session", `${this.#key}:open`) === "1") {
      this.open = true;
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#speaker.disconnect();
    this.#speaker.removeEventListener("change", this.#redraw);
    this.#full.removeEventListener("change", this.#onResize);
    this.#dark.removeEventListener("change", this.#onTheme);
    visualViewport?.removeEventListener("resize", this.#onViewport);
    visualViewport?.removeEventListener("scroll", this.#onViewport);
    this.#conversation?.disconnect();
    this.#conversation = null;
  }

  #connectConversation(): void {
    const server = this.#server;
    this.#key = `hipwise:${server}${this.id ? `#${this.id}` : ""}`;
    const conversation = new Conversation(new Api(server), new BrowserMemory(this.#key), () => this.#t);
    const on = (name: string, then: (event: Event) => void): void => conversation.addEventListener(name, then);
    on("change", this.#redraw);
    on("announce", (event) => {
      const { text, lang } = (event as CustomEvent<{ text: string; lang: string }>).detail;
      this.#announce(text, lang);
    });
    on("asked", () => {
      this.#follow = "end";
    });
    on("started", () => this.#emit("hipwise-start"));
    on("removed", () => this.#emit("hipwise-delete"));
    on("answer", (event) => this.#onAnswer((event as CustomEvent<AnswerDetail>).detail));
    on("refused", (event) => {
      this.#composer?.giveBack((event as CustomEvent<{ text: string }>).detail.text);
    });
    conversation.connect();
    this.#conversation?.disconnect();
    this.#conversation = conversation;
    const preferences = readItem("local", `${this.#key}:preferences`);
    try {
      const { size, aloud } = JSON.parse(preferences ?? "{}") as { size?: number; aloud?: boolean };
      this.size = [0, 1, 2].includes(Number(size)) ? Number(size) : 0;
      this.aloud = aloud === true;
    } catch {
      // Someone else's words under our key: the defaults will do.
    }
  }

  get #server(): string {
    return new URL(this.server || HipwiseChat.defaultServer || "/", document.baseURI).href.replace(/\/+$/, "");
  }

  get #t(): Strings {
    return { ...en, ...this.strings };
  }

  readonly #redraw = (): void => {
    this.requestUpdate();
  };

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("server") && this.hasUpdated) {
      this.#connectConversation();
      if (this.open) void this.#conversation?.open();
    }
    if (changed.has("theme")) this.#onTheme();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("open") && this.open !== this.#shown) this.#toggle();
    this.#restoring = false;
    // What stands in the way takes room from the log: the message that waits stays in sight.
    const trouble = !!this.#conversation?.problem;
    if (trouble && !this.#trouble) this.#follow ??= "end";
    this.#trouble = trouble;
    if (this.#follow) this.#scroll();
  }

  // Opening and closing

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector("dialog");
  }

  get #composer(): ComposerElement | null {
    return this.renderRoot.querySelector("hipwise-composer");
  }

  #toggle(): void {
    const first = this.#restoring;
    this.#shown = this.open;
    writeItem("session", `${this.#key}:open`, this.open ? "1" : null);
    if (this.open) {
      this.unread = 0;
      this.#lay();
      this.#follow = "end";
      void this.#conversation?.open();
      if (!first) this.#focusFirst();
      this.#emit("hipwise-open");
    } else {
      const inside = this.#dialog?.matches(":focus-within") ?? false;
      this.#speaker.stop();
      this.view = "chat";
      this.asking = null;
      this.#dialog?.close();
      this.#dialog?.removeAttribute("open");
      this.#conversation?.settle();
      // The launcher is drawn again with this update, so that it can have the focus back.
      if (inside) this.renderRoot.querySelector<HTMLElement>(".launcher")?.focus();
      this.#emit("hipwise-close");
    }
  }

  /** Open from the beginning, not opened by somebody: the focus stays where it is. */
  #restoring = true;

  /** Over the page as a modal dialog where it covers it all, else beside it; without moving the focus. */
  #lay(): void {
    const dialog = this.#dialog;
    if (!dialog) return;
    if (this.#full.matches) {
      dialog.removeAttribute("open");
      dialog.showModal();
    } else {
      // Not show(), which would move the focus.
      dialog.setAttribute("open", "");
    }
    this.#onViewport();
  }

  #focusFirst(): void {
    // On a phone the box would bring up the keyboard over the greeting.
    if (this.#full.matches) this.renderRoot.querySelector<HTMLElement>("h2")?.focus();
    else this.#composer?.focus();
  }

  readonly #onResize = (): void => {
    const dialog = this.#dialog;
    if (!this.open || !dialog) return;
    const focused = this.shadowRoot?.activeElement as HTMLElement | null;
    dialog.close();
    this.#lay();
    focused?.focus({ preventScroll: true });
  };

  readonly #onTheme = (): void => {
    this.toggleAttribute("dark", this.theme === "dark" || (this.theme !== "light" && this.#dark.matches));
  };

  /** Keep the panel in the part of the window that the on-screen keyboard leaves. */
  readonly #onViewport = (): void => {
    const view = visualViewport;
    const dialog = this.#dialog;
    if (!view || !dialog) return;
    // Zoomed by pinching, the reader sees a part of the panel and wants it that way.
    if (Math.abs(view.scale - 1) > 0.01) return;
    dialog.style.setProperty("--seen", `${view.height}px`);
    dialog.style.setProperty("--shift", `${view.offsetTop}px`);
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.view === "options") this.#closeOptions();
    else this.hide();
  };

  // Answers

  #onAnswer({ replies, key }: AnswerDetail): void {
    this.#follow = { key };
    if (!this.open) {
      this.unread += 1;
      this.renderRoot
        .querySelector<AnnouncerElement>("hipwise-announcer.outside")
        ?.say(this.#t.launcherUnread(this.unread), this.#t.lang);
    }
    if (this.aloud && this.open) {
      for (const reply of replies) this.#speaker.say(reply.text, replyLang(reply), reply);
    }
    // No words, neither the patient's nor ours: a page may count kinds and topics, and nothing else.
    for (const { kind, topic } of replies) this.#emit("hipwise-answer", { kind, topic });
  }

  #announce(text: string, lang: string): void {
    if (this.open) this.renderRoot.querySelector<AnnouncerElement>("dialog hipwise-announcer")?.say(text, lang);
  }

  #scroll(): void {
    const follow = this.#follow;
    this.#follow = null;
    const log = this.renderRoot.querySelector<HTMLElement>(".log");
    const dialog = this.#dialog;
    if (!log || !dialog) return;
    // In the next frame, when the replies have drawn themselves.
    requestAnimationFrame(() => {
      // At very little height the panel scrolls as a whole, else the log does.
      const box = log.scrollHeight > log.clientHeight + 1 ? log : dialog;
      const item = follow === "end" ? null : log.querySelector(`[data-key="${CSS.escape(follow?.key ?? "")}"]`);
      // The beginning of an answer, not its end, with a glimpse of the question above.
      const glimpse = Math.min(72, box.clientHeight / 8);
      box.scrollTop = item
        ? item.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop - glimpse
        : box.scrollHeight;
    });
  }

  #emit(name: string, detail: object | null = null): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  // Drawing

  protected override render(): TemplateResult {
    const t = this.#t;
    return html`<div class="frame">
      ${
        this.open
          ? nothing
          : html`<button class="launcher" part="launcher" lang=${t.lang} aria-haspopup="dialog" aria-expanded="false" @click=${this.show}>
              ${icon("chat")} <span>${this.label || t.launcher}</span>
              ${this.unread ? html`<span class="unread" part="unread">${t.launcherUnread(this.unread)}</span>` : nothing}
            </button>`
      }
      <hipwise-announcer class="outside"></hipwise-announcer>
      <dialog
        part="panel"
        class="size-${this.size}"
        lang=${t.lang}
        dir=${t.dir as "ltr"}
        aria-labelledby="title"
        @keydown=${this.#onKey}
        @cancel=${(event: Event) => event.preventDefault()}
      >
        <div class="head" part="header">
          <div>
            <h2 id="title" part="title" tabindex="-1">${this.heading || t.title}</h2>
            <p part="subtitle">${t.subtitle}</p>
          </div>
          <button part="header-button" aria-label=${t.options} title=${t.options} aria-expanded=${this.view === "options"} @click=${this.#toggleOptions}>
            ${icon("options")}
          </button>
          <button part="header-button" aria-label=${t.close} title=${t.close} @click=${this.hide}>${icon("close")}</button>
        </div>
        <hipwise-announcer></hipwise-announcer>
        ${this.view === "options" ? this.#options() : this.#chat()}
      </dialog>
    </div>`;
  }

  #chat(): TemplateResult {
    const t = this.#t;
    const conversation = this.#conversation;
    const entries = conversation?.entries ?? [];
    const problem = conversation?.problem;
    const busy = conversation?.waiting && !problem;
    return html`
      <div class="log" part="log" role="region" tabindex="0" aria-label=${t.conversation}>
        <ol class="messages" role="list">
          ${repeat(
            entries,
            (entry) => entry.key,
            (entry) => this.#entry(entry),
          )}
        </ol>
        ${
          conversation?.ended
            ? html`<p><button class="button main" @click=${() => void conversation.restart()}>${t.startNew}</button></p>`
            : nothing
        }
        ${
          busy || (entries.length === 0 && !problem)
            ? html`<p class="typing" part="typing" aria-hidden="true">
                <span class="dots"><i></i><i></i><i></i></span>
                ${busy ? (conversation.slow ? t.slow : t.writing) : t.starting}
              </p>`
            : nothing
        }
      </div>
      ${
        problem
          ? html`<div class="problem" part="problem">
              <p>${problem.text}</p>
              ${problem.retry ? html`<p>${t.emergency}</p>` : nothing}
              ${problem.retry ? html`<button class="button" @click=${() => conversation?.retry()}>${t.tryAgain}</button>` : nothing}
            </div>`
          : nothing
      }
      <hipwise-composer .strings=${t} @hw-send=${(event: CustomEvent<string>) => this.#say(event.detail)}></hipwise-composer>
    `;
  }

  #say(text: string): void {
    this.#speaker.stop();
    this.#conversation?.say(text);
  }

  #entry(entry: Entry): TemplateResult {
    const t = this.#t;
    if (entry.from === "notice") return html`<li class="notice" part="notice"><p>${entry.text}</p></li>`;
    if (entry.from === "user") return this.#userEntry(entry);
    const { reply } = entry;
    return html`<li class="bot" data-key=${entry.key} part="message message-bot">
      <h3 class="vh">${t.assistant}</h3>
      <hipwise-reply
        .reply=${reply}
        .strings=${t}
        .server=${`${this.#server}/`}
        .fresh=${entry.fresh}
        .rated=${entry.messageId !== null}
        .canSpeak=${this.#speaker.available(replyLang(reply))}
        .speaking=${this.#speaker.current === reply}
        @hw-choose=${(event: CustomEvent<Suggestion>) => this.#choose(event.detail)}
        @hw-rate=${(event: CustomEvent<RateDetail>) => void this.#rate(entry, event.detail)}
        @hw-copy=${(event: CustomEvent<(ok: boolean) => void>) => void this.#copy(replyText(reply, t)).then(event.detail)}
        @hw-speak=${(event: Event) => this.#speak(entry, event.target as ReplyElement)}
      ></hipwise-reply>
      ${this.#time(entry.at)}
    </li>`;
  }

  #userEntry(entry: UserEntry): TemplateResult {
    const t = this.#t;
    const states = {
      sent: "",
      sending: t.stateSending,
      waiting: t.stateWaiting,
      failed: t.stateFailed,
      refused: t.stateRefused,
    };
    // A moment of sending is not worth a word; the indicator below says it.
    const state = entry.state === "sending" ? "" : states[entry.state];
    return html`<li class="user" part="message message-user">
      <h3 class="vh">${t.you}</h3>
      <p class="text" part="text">${entry.text}</p>
      ${this.#time(entry.at, state)}
    </li>`;
  }

  #time(at: Date, state = ""): TemplateResult {
    const words = formatTime(at, this.#t.lang);
    return html`<span class="meta" part="meta">
      ${words ? html`<time datetime=${at.toISOString()}>${words}</time>` : nothing}${state ? html` · ${state}` : nothing}
    </span>`;
  }

  #choose(suggestion: Suggestion): void {
    this.#speaker.stop();
    this.#conversation?.choose(suggestion);
  }

  async #rate(entry: BotEntry, { rating, reason, done }: RateDetail): Promise<void> {
    try {
      await this.#conversation?.rate(entry, rating, reason);
      done(true);
    } catch {
      done(false);
    }
  }

  #speak(entry: BotEntry, _element: ReplyElement): void {
    const speaking = this.#speaker.current === entry.reply;
    this.#speaker.stop();
    if (!speaking) this.#speaker.say(entry.reply.text, replyLang(entry.reply), entry.reply);
  }

  // Options

  #toggleOptions(): void {
    if (this.view === "options") {
      this.#closeOptions();
      return;
    }
    this.view = "options";
    this.said = "";
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(".sheet h3")?.focus());
  }

  #closeOptions(): void {
    this.view = "chat";
    this.asking = null;
    this.#follow = "end";
    void this.updateComplete.then(() => {
      this.renderRoot.querySelector<HTMLElement>(".head button")?.focus();
    });
  }

  #options(): TemplateResult {
    const t = this.#t;
    const canSpeak = this.#speaker.available(t.lang);
    const button = (name: IconName, words: string, then: () => void): TemplateResult =>
      html`<button class="button" @click=${then}>${icon(name)} ${words}</button>`;
    return html`<div class="sheet" part="options">
      <h3 tabindex="-1">${t.options}</h3>
      <div class="row">${button("back", t.back, () => this.#closeOptions())}</div>
      <fieldset>
        <legend>${t.textSize}</legend>
        ${t.textSizes.map(
          (words, n) => html`<label class="choice">
            <input type="radio" name="size" .checked=${this.size === n} @change=${() => this.#prefer({ size: n })} /> ${words}
          </label>`,
        )}
      </fieldset>
      <fieldset>
        <legend>${t.listen}</legend>
        <label class="choice">
          <input type="checkbox" .checked=${this.aloud && canSpeak} ?disabled=${!canSpeak} @change=${(event: Event) =>
            this.#prefer({ aloud: (event.target as HTMLInputElement).checked })} />
          ${t.readAloud}
        </label>
        ${canSpeak ? nothing : html`<p class="said">${t.noVoice}</p>`}
      </fieldset>
      <fieldset>
        <legend>${t.keep}</legend>
        <div class="row">
          ${button("copy", t.copyAll, () => void this.#copyAll())}
          ${button("print", t.print, () => this.#print())}
          ${button("save", t.save, () => this.#save())}
        </div>
      </fieldset>
      <fieldset>
        <legend>${t.yours}</legend>
        ${this.#deleting()}
      </fieldset>
      <p class="said" role="status">${this.said}</p>
    </div>`;
  }

  #deleting(): TemplateResult {
    const t = this.#t;
    const { asking } = this;
    if (!asking) {
      return html`<div class="row">
        <button class="button" id="restart" @click=${() => this.#ask("restart")}>${t.startAgain}</button>
        <button class="button danger" id="delete" @click=${() => this.#ask("delete")}>${t.delete}</button>
      </div>`;
    }
    return html`<div class="ask" role="group" aria-labelledby="ask">
      <p id="ask" tabindex="-1">${asking === "delete" ? t.deleteAsk : t.startAgainAsk}</p>
      <div class="row">
        <button class="button danger" @click=${() => void this.#confirmed(asking)}>
          ${asking === "delete" ? t.deleteYes : t.startAgainYes}
        </button>
        <button class="button" @click=${() => this.#ask(null)}>${t.no}</button>
      </div>
    </div>`;
  }

  #ask(what: "delete" | "restart" | null): void {
    const before = this.asking;
    this.asking = what;
    this.said = "";
    void this.updateComplete.then(() =>
      this.renderRoot.querySelector<HTMLElement>(what ? "#ask" : `#${before ?? "delete"}`)?.focus(),
    );
  }

  async #confirmed(what: "delete" | "restart"): Promise<void> {
    this.#speaker.stop();
    if (what === "delete") {
      try {
        await this.#conversation?.remove();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.#ask(null);
        this.said = this.#t.deleteFailed;
        return;
      }
    } else {
      void this.#conversation?.restart();
    }
    this.#closeOptions();
  }

  #prefer(change: { size?: number; aloud?: boolean }): void {
    this.size = change.size ?? this.size;
    this.aloud = change.aloud ?? this.aloud;
    if (change.aloud === false) this.#speaker.stop();
    writeItem("local", `${this.#key}:preferences`, JSON.stringify({ size: this.size, aloud: this.aloud }));
  }

  async #copyAll(): Promise<void> {
    const ok = await this.#copy(transcriptText(this.#conversation?.entries ?? [], this.#t));
    this.said = ok ? this.#t.copied : this.#t.copyFailed;
  }

  async #copy(text: string): Promise<boolean> {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return false;
    }
  }

  #print(): void {
    printTranscript(this.#conversation?.entries ?? [], `${this.#server}/`, this.#t, this.renderRoot);
  }

  #save(): void {
    const file = new Blob([transcriptText(this.#conversation?.entries ?? [], this.#t)], {
      type: "text/plain;charset=utf-8",
    });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = this.#t.saveName;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
}
