/** The sheet to take home: the answers seen, with pictures, sources and questions to the doctor. On a phone and on paper. */

import { html, nothing, type TemplateResult } from "lit";
import { webAddress } from "../transcript.js";
import type { SheetStrings } from "../translations/kiosk.en.js";
import type { Reference } from "../types.js";
import { forDoctor, type Topic, type Topics } from "./topics.js";

/** `links`: sources can be opened, which they can't on paper or at the kiosk. */
export function sheet(
  ids: readonly string[],
  all: Topics,
  t: SheetStrings,
  server: string,
  links: boolean,
): TemplateResult {
  const seen = ids.flatMap((id) => all.topics.find((topic) => topic.id === id) ?? []);
  const references = new Map<string, Reference>();
  for (const topic of seen) for (const one of topic.reply.references) references.set(one.id, one);
  const numbers = [...references.keys()];
  return html`<h1>${t.title}</h1>
    <p>${t.about}</p>
    <p class="urgent"><strong>${t.urgent}</strong></p>
    ${seen.map((topic) => answer(topic, numbers, t, server))}
    <section class="doctor">
      <h2>${t.doctor}</h2>
      <p>${t.doctorWhy}</p>
      <ul role="list">
        ${forDoctor(ids, all).map((question) => html`<li><span class="box" aria-hidden="true"></span>${question}</li>`)}
        <li><span class="box" aria-hidden="true"></span>${t.own}<span class="line" aria-hidden="true"></span></li>
      </ul>
    </section>
    <section class="sources">
      <h2>${t.sources}</h2>
      <ol>
        ${[...references.values()].map((one) => {
          const address = webAddress(one.url);
          return html`<li>
            ${one.citation} ${address ? (links ? html`<a href=${address} rel="noopener noreferrer">${address}</a>` : address) : nothing}
          </li>`;
        })}
      </ol>
    </section>`;
}

function answer(topic: Topic, numbers: string[], t: SheetStrings, server: string): TemplateResult {
  const { reply } = topic;
  const picture = webAddress(reply.figure?.url ?? null, server);
  const marks = reply.references.map((one) => `[${numbers.indexOf(one.id) + 1}]`).join(" ");
  return html`<section class="answer">
    <h2>${topic.title}</h2>
    <p lang=${reply.lang}>${reply.text} <span class="marks">${marks}</span></p>
    ${
      picture && reply.figure
        ? html`<figure>
            <img src=${picture} alt=${reply.figure.alt} width="480" height="320" />
            <figcaption>${t.picture} ${reply.figure.alt}</figcaption>
          </figure>`
        : nothing
    }
  </section>`;
}
