/**
 * One reply, drawn: its words, picture, sources, suggestions, and what can be done with it.
 *
 * It draws into its parent's tree, so that one style sheet and one set of ids serve the widget and the kiosk. It fires
 * `hw-choose` (a suggestion), `hw-rate` ({rating, reason, done}), `hw-copy` and `hw-speak`; all bubble.
 */

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { replyLang } from "../conversation.js";
import { phoneNumbers, telLink } from "../phone.js";
import { webAddress } from "../transcript.js";
import type { Strings } from "../translations/en.js";
import { isUrgent, type Kind, type Rating, type Reply, type Suggestion } from "../types.js";
import { type IconName, icon } from "./icons.js";

/** Kinds that say something about the condition or the service: worth keeping and judging. Not small talk, not alarms. */
const RATED: readonly Kind[] = ["answer", "not_covered", "refer", "out_of_scope", "clarify", "service"];

export interface RateDetail {
  rating: Rating;
  reason: string | undefined;
  /** Called with whether it arrived. */
  done: (ok: boolean) => void;
}

export class ReplyElement extends LitElement {
  static override properties = {
    reply: { attribute: false },
    strings: { attribute: false },
    server: { attribute: false },
    fresh: { type: Boolean },
    rated: { type: Boolean },
    canSpeak: { type: Boolean },
    speaking: { type: Boolean },
    plain: { type: Boolean },
    rating: { state: true },
    status: { state: true },
    asking: { state: true },
  };

  declare reply: Reply;
  declare strings: Strings;
  /** The address that pictures are relative to. */
  declare server: string;
  /** Just arrived: an urgent reply is then an alert. Never for what was there before. */
  declare fresh: boolean;
  /** Feedback can be given. */
  declare rated: boolean;
  declare canSpeak: boolean;
  declare speaking: boolean;
  /** Without the row of actions. */
  declare plain: boolean;
  declare private rating: Rating | null;
  declare private status: string;
  declare private asking: boolean;

  constructor() {
    super();
    this.fresh = this.rated = this.canSpeak = this.speaking = this.plain = false;
    this.rating = null;
    this.status = "";
    this.asking = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override shouldUpdate(_changed: PropertyValues): boolean {
    return this.reply !== undefined && this.strings !== undefined;
  }

  protected override render(): TemplateResult {
    const { reply } = this;
    const lang = replyLang(reply);
    return html`
      <div class="bubble ${reply.kind}" part="bubble bubble-${reply.kind}" role=${isUrgent(reply) && this.fresh ? "alert" : nothing}>
        ${this.#heading()}
        <p class="text" part="text" lang=${lang}>${reply.text}</p>
        ${isUrgent(reply) ? this.#calls() : nothing}
      </div>
      ${this.#figure()} ${this.#sources()} ${this.plain || !RATED.includes(reply.kind) ? nothing : this.#actions()} ${this.#suggestions(lang)}
    `;
  }

  #heading(): TemplateResult | typeof nothing {
    const t = this.strings;
    const headings: Partial<Record<Kind, [IconName, string]>> = {
      urgent: ["warning", t.kindUrgent],
      crisis: ["support", t.kindCrisis],
      not_covered: ["info", t.kindNotCovered],
      refer: ["doctor", t.kindRefer],
    };
    const heading = headings[this.reply.kind];
    if (!heading) return nothing;
    const [name, words] = heading;
    return isUrgent(this.reply)
      ? html`<h4 class="alarm" part="urgent-heading">${icon(name)} ${words}</h4>`
      : html`<p class="label" part="label">${icon(name)} ${words}</p>`;
  }

  #calls(): TemplateResult {
    return html`<p class="calls">
      ${phoneNumbers(this.reply.text).map(
        (number) =>
          html`<a class="button call" part="call" href=${telLink(number)}>${icon("phone")} ${this.strings.call(number)}</a>`,
      )}
    </p>`;
  }

  #figure(): TemplateResult | typeof nothing {
    const { figure } = this.reply;
    const address = webAddress(figure?.url ?? null, this.server);
    if (!figure || !address) return nothing;
    return html`<figure part="figure">
      <img src=${address} alt=${figure.alt} width="480" height="320" decoding="async" />
      <figcaption>
        <a href=${address} target="_blank" rel="noopener noreferrer">${icon("external")} ${this.strings.enlarge}</a>
      </figcaption>
    </figure>`;
  }

  #sources(): TemplateResult | typeof nothing {
    const t = this.strings;
    const { references } = this.reply;
    if (references.length === 0) return nothing;
    const article = references.some((one) => one.id === "ref.article") && references.length > 1;
    return html`<details class="sources" part="sources">
      <summary part="sources-summary">${t.sources(references.length)}</summary>
      ${article ? html`<p>${t.sourcesNote}</p>` : nothing}
      <ol>
        ${references.map((one) => {
          const address = webAddress(one.url);
          return html`<li>
            ${
              address
                ? html`<a href=${address} target="_blank" rel="noopener noreferrer"
                    >${one.citation} ${icon("external")}<span class="vh"> (${t.newTab})</span></a
                  >`
                : one.citation
            }
          </li>`;
        })}
      </ol>
    </details>`;
  }

  #actions(): TemplateResult {
    const t = this.strings;
    const rate = (rating: Rating, name: IconName, label: string): TemplateResult =>
      html`<button class="quiet" part="action" aria-pressed=${this.rating === rating} aria-label=${label} title=${label} @click=${() => this.#rate(rating)}>
        ${icon(name)}
      </button>`;
    const listen = this.speaking ? t.listenStop : t.listen;
    return html`<div class="actions" part="actions">
        ${this.rated ? [rate("up", "up", t.helpful), rate("down", "down", t.notHelpful)] : nothing}
        <button class="quiet" part="action" aria-label=${t.copy} title=${t.copy} @click=${() => this.#fire("hw-copy", (ok: boolean) => this.#say(ok ? t.copied : t.copyFailed))}>
          ${icon("copy")}
        </button>
        ${
          this.canSpeak
            ? html`<button class="quiet" part="action" aria-label=${listen} title=${listen} @click=${() => this.#fire("hw-speak", null)}>
                ${icon(this.speaking ? "stop" : "speak")}
              </button>`
            : nothing
        }
        <span class="status" role="status">${this.status}</span>
      </div>
      ${this.asking ? this.#reason() : nothing}`;
  }

  #reason(): TemplateResult {
    const t = this.strings;
    return html`<form class="reason" part="reason" @submit=${this.#sendReason}>
      <label>${t.reason} <input name="reason" maxlength="500" autocomplete="off" /></label>
      <button class="button">${t.reasonSend}</button>
    </form>`;
  }

  #suggestions(lang: string): TemplateResult | typeof nothing {
    const { suggestions } = this.reply;
    if (suggestions.length === 0) return nothing;
    return html`<ul class="suggestions" part="suggestions" role="list" aria-label=${this.strings.suggestions} lang=${lang}>
      ${suggestions.map(
        (one) =>
          html`<li><button class="suggestion" part="suggestion" @click=${() => this.#fire<Suggestion>("hw-choose", one)}>${one.title}</button></li>`,
      )}
    </ul>`;
  }

  #rate(rating: Rating): void {
    const before = this.rating;
    this.rating = rating;
    this.asking = rating === "down";
    // The focus stays on the button; the box that came is merely brought into view.
    if (this.asking) {
      void this.updateComplete.then(() => this.querySelector(".reason")?.scrollIntoView({ block: "nearest" }));
    }
    this.#fire<RateDetail>("hw-rate", {
      rating,
      reason: undefined,
      done: (ok) => {
        if (!ok) this.rating = before;
        this.#say(ok ? this.strings.thanks : this.strings.rateFailed);
      },
    });
  }

  #sendReason(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const reason = String(new FormData(form).get("reason") ?? "").trim();
    this.#fire<RateDetail>("hw-rate", {
      rating: "down",
      reason,
      done: (ok) => {
        this.#say(ok ? this.strings.thanks : this.strings.rateFailed);
        if (!ok) return;
        // The form goes away with the focus in it: back to the button that brought it.
        const inside = form.contains((this.getRootNode() as ShadowRoot | Document).activeElement);
        this.asking = false;
        if (inside) this.querySelector<HTMLElement>("[aria-pressed=true]")?.focus();
      },
    });
  }

  #say(words: string): void {
    this.status = words;
  }

  #fire<T>(name: string, detail: T): void {
    this.dispatchEvent(new CustomEvent<T>(name, { detail, bubbles: true }));
  }
}
