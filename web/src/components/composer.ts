/**
 * The box to write in: Enter sends, Shift+Enter is a new line, and what is left of the limit is counted near its end.
 *
 * Nothing is cut off and nothing refused here. A text that is too long is still sent, because the server looks for red
 * flags in it and answers those. Fires `hw-send` with the words; bubbles.
 */

import { html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { MAX_TEXT } from "../conversation.js";
import type { Strings } from "../translations/en.js";
import { icon } from "./icons.js";

/** Counting begins when this many characters are left. */
const COUNT_FROM = 200;

export class ComposerElement extends LitElement {
  static override properties = {
    strings: { attribute: false },
    text: { state: true },
    spoken: { state: true },
  };

  declare strings: Strings;
  declare private text: string;
  /** What a screen reader was last told about the length. */
  declare private spoken: string;
  #timer = 0;

  constructor() {
    super();
    this.text = "";
    this.spoken = "";
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override shouldUpdate(_changed: PropertyValues): boolean {
    return this.strings !== undefined;
  }

  override focus(options?: FocusOptions): void {
    this.#box?.focus(options);
  }

  /** Give words back to be changed. What is being written already stays. */
  giveBack(words: string): void {
    if (this.text.trim() === "") this.#set(words);
  }

  get #box(): HTMLTextAreaElement | null {
    return this.querySelector("textarea");
  }

  protected override render(): TemplateResult {
    const t = this.strings;
    const left = MAX_TEXT - [...this.text].length;
    const count = left > COUNT_FROM ? "" : left < 0 ? t.over(-left) : t.left(left);
    return html`<form class="composer" part="composer" @submit=${this.#submit}>
      <label class="vh" for="question">${t.input}</label>
      <textarea
        id="question"
        part="input"
        rows="1"
        placeholder=${t.placeholder}
        aria-describedby="question-help question-count"
        aria-invalid=${left < 0 ? "true" : "false"}
        autocomplete="off"
        enterkeyhint="send"
        .value=${this.text}
        @input=${(event: InputEvent) => this.#set((event.target as HTMLTextAreaElement).value)}
        @keydown=${this.#keydown}
      ></textarea>
      <button class="send" part="send" aria-label=${t.send} title=${t.send}>${icon("send")}</button>
      <span id="question-help" class="vh">${t.inputHelp}</span>
      <span id="question-count" class="count ${left < 0 ? "over" : ""}" part="count">${count}</span>
      <span class="vh" role="status">${this.spoken}</span>
    </form>`;
  }

  protected override updated(): void {
    const box = this.#box;
    if (!box) return;
    // As high as the text, up to the limit that the style sheet sets.
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
  }

  #set(text: string): void {
    this.text = text;
    clearTimeout(this.#timer);
    const left = MAX_TEXT - [...text].length;
    // After a pause in the typing, so that not every key is spoken over.
    this.#timer = window.setTimeout(() => {
      this.spoken = left > COUNT_FROM ? "" : left < 0 ? this.strings.over(-left) : this.strings.left(left);
    }, 1000);
  }

  #keydown(event: KeyboardEvent): void {
    // While an input method is composing, Enter belongs to it (229 is how Safari says so).
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#send();
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    this.#send();
  }

  #send(): void {
    const words = this.text.trim();
    if (!words) {
      this.focus();
      return;
    }
    this.#set("");
    this.dispatchEvent(new CustomEvent("hw-send", { detail: words, bubbles: true }));
  }
}
