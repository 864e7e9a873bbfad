/** The page that the QR code opens: the answers named in the address, drawn on the phone. */

import { html, render } from "lit";
import { sheet } from "../kiosk/sheet.js";
import { fromFragment, readTopics, type Topics } from "../kiosk/topics.js";
import { sheetEn as t } from "../translations/kiosk.en.js";

const place = document.querySelector<HTMLElement>("#sheet");

let topics: Topics | null = null;

async function draw(): Promise<void> {
  if (!place) return;
  if (!topics) {
    render(html`<h1>${t.title}</h1><p role="status">${t.loading}</p>`, place);
    try {
      const response = await fetch("/api/v1/topics", { signal: AbortSignal.timeout(20_000) });
      topics = response.ok ? readTopics(await response.json()) : null;
    } catch {
      topics = null;
    }
  }
  if (!topics) {
    const again = html`<button type="button" @click=${draw}>${t.tryAgain}</button>`;
    render(html`<h1>${t.title}</h1><p role="alert">${t.failed}</p>${again}`, place);
    return;
  }
  const known = topics;
  const ids = fromFragment(location.hash).filter((id) => known.topics.some((topic) => topic.id === id));
  if (ids.length === 0) {
    render(html`<h1>${t.title}</h1><p role="alert">${t.empty}</p>`, place);
    return;
  }
  render(
    html`${sheet(ids, topics, t, location.origin, true)}
      <p class="keep">${t.kept}</p>
      <p class="keep"><button type="button" @click=${() => print()}>${t.print}</button></p>`,
    place,
  );
}

addEventListener("hashchange", () => void draw());
void draw();
