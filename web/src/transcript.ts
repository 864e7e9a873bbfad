/** The conversation as plain text, and as a sheet of paper: with the citations, without anything to click. */

import type { Entry } from "./conversation.js";
import type { Strings } from "./translations/en.js";
import type { Reference, Reply } from "./types.js";

/** "14:05", or with the date when it was not today. Empty for a time that can't be read. */
export function formatTime(at: Date, lang: string, now = new Date()): string {
  if (Number.isNaN(at.getTime())) return "";
  const today = at.toDateString() === now.toDateString();
  const time: Intl.DateTimeFormatOptions = { hour: "numeric", minute: "2-digit" };
  return new Intl.DateTimeFormat(lang, today ? time : { ...time, day: "numeric", month: "short" }).format(at);
}

/** A web address that may be linked to, made absolute; null for anything else, `javascript:` for instance. */
export function webAddress(url: string | null, base?: string): string | null {
  if (!url) return null;
  try {
    const address = new URL(url, base);
    return address.protocol === "https:" || address.protocol === "http:" ? address.href : null;
  } catch {
    return null;
  }
}

export function replyText(reply: Reply, t: Strings): string {
  const lines = [reply.text];
  if (reply.figure?.alt) lines.push(`${t.picture} ${reply.figure.alt}`);
  for (const one of reply.references) lines.push(`- ${citation(one)}`);
  return lines.join("\n");
}

function citation(reference: Reference): string {
  const address = webAddress(reference.url);
  return address ? `${reference.citation} ${address}` : reference.citation;
}

export function transcriptText(entries: readonly Entry[], t: Strings): string {
  const parts = [t.printTitle, t.printNote];
  for (const entry of entries) {
    if (entry.from === "user") parts.push(`${t.you} (${formatTime(entry.at, t.lang)}):\n${entry.text}`);
    if (entry.from === "bot") {
      parts.push(`${t.assistant} (${formatTime(entry.at, t.lang)}):\n${replyText(entry.reply, t)}`);
    }
  }
  return `${parts.join("\n\n")}\n`;
}

const PRINT_STYLE = `
  body { font: 12pt/1.5 system-ui, sans-serif; color: #000; background: #fff; margin: 0; max-width: 42em }
  h1 { font-size: 16pt } h2 { font-size: 11pt; margin: 1.2em 0 .2em; break-after: avoid }
  p { margin: .2em 0; white-space: pre-line; overflow-wrap: anywhere } ul { margin: .3em 0; font-size: 10pt }
  img { display: block; width: 110mm; height: auto; margin: .5em 0; break-inside: avoid } .you { font-weight: 600 }
`;

/**
 * Print the conversation. A frame of our own is filled and printed, so that the page around the widget is left alone.
 * Nothing in it comes from a string of markup, and its style needs no permission from the page's policy.
 */
export function printTranscript(entries: readonly Entry[], server: string, t: Strings, root: ParentNode & Node): void {
  const frame = document.createElement("iframe");
  frame.title = t.print;
  frame.className = "print-frame";
  frame.setAttribute("aria-hidden", "true");
  frame.tabIndex = -1;
  root.append(frame);
  const view = frame.contentWindow as (Window & typeof globalThis) | null;
  if (!view) return;
  const page = view.document;
  const sheet = new view.CSSStyleSheet();
  sheet.replaceSync(PRINT_STYLE);
  page.adoptedStyleSheets = [sheet];
  page.documentElement.lang = t.lang;
  page.title = t.printTitle;
  const add = (parent: Element, tag: string, text: string, className = ""): HTMLElement => {
    const element = page.createElement(tag);
    element.textContent = text;
    if (className) element.className = className;
    parent.append(element);
    return element;
  };
  add(page.body, "h1", t.printTitle);
  add(page.body, "p", t.printNote);
  const pictures: Promise<unknown>[] = [];
  for (const entry of entries) {
    if (entry.from === "notice") continue;
    const who = entry.from === "user" ? t.you : t.assistant;
    add(page.body, "h2", `${who}, ${formatTime(entry.at, t.lang)}`);
    if (entry.from === "user") {
      add(page.body, "p", entry.text, "you");
      continue;
    }
    add(page.body, "p", entry.reply.text);
    const picture = webAddress(entry.reply.figure?.url ?? null, server);
    if (picture && entry.reply.figure) {
      const img = add(page.body, "img", "") as HTMLImageElement;
      img.alt = entry.reply.figure.alt;
      img.src = picture;
      pictures.push(img.decode().catch(() => {}));
    }
    if (entry.reply.references.length > 0) {
      const list = add(page.body, "ul", "");
      for (const one of entry.reply.references) add(list, "li", citation(one));
    }
  }
  const gone = (): void => frame.remove();
  view.addEventListener("afterprint", () => setTimeout(gone, 500));
  // Pictures that don't come in time are printed as their text alternative.
  const patience = new Promise((resolve) => setTimeout(resolve, 2000));
  void Promise.race([Promise.all(pictures), patience]).then(() => {
    view.focus();
    view.print();
  });
}
