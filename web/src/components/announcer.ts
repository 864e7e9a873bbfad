/**
 * Says things to a screen reader, each once, in order, politely.
 *
 * A region that is there from the start gets one new paragraph a saying, and loses it again a while later, so that
 * nobody comes across it when reading the page. It hears nothing of the history.
 */

import { html, LitElement, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

/** Milliseconds for which a saying stays in the page. */
const STAYS = 7000;

interface Saying {
  n: number;
  text: string;
  lang: string;
}

export class AnnouncerElement extends LitElement {
  static override properties = { sayings: { state: true } };

  declare private sayings: Saying[];
  #n = 0;

  constructor() {
    super();
    this.sayings = [];
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  say(text: string, lang: string): void {
    const saying = { n: this.#n++, text, lang };
    this.sayings = [...this.sayings, saying];
    setTimeout(() => {
      this.sayings = this.sayings.filter((one) => one !== saying);
    }, STAYS);
  }

  protected override render(): TemplateResult {
    return html`<div class="vh" aria-live="polite" aria-relevant="additions" aria-atomic="false">
      ${repeat(
        this.sayings,
        (one) => one.n,
        (one) => html`<p lang=${one.lang}>${one.text}</p>`,
      )}
    </div>`;
  }
}
