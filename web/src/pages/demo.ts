/** The demonstration page: opens the widget from the page's own buttons, and copies the snippet. */

import type { HipwiseChat } from "../chat.js";

const chat = (): HipwiseChat | null => document.querySelector<HipwiseChat>("hipwise-chat");

for (const code of document.querySelectorAll("#snippet, #pinned")) {
  // The snippet names this server, wherever it is reached.
  code.textContent = (code.textContent ?? "")
    .replace('src="/widget.js"', `src="${location.origin}/widget.js"`)
    .replace('server="/"', `server="${location.origin}"`);
}

document.querySelector("#try")?.addEventListener("click", () => chat()?.show());

for (const button of document.querySelectorAll<HTMLElement>("[data-ask]")) {
  button.addEventListener("click", () => chat()?.ask(button.dataset.ask ?? ""));
}

for (const button of document.querySelectorAll<HTMLElement>("[data-copy]")) {
  button.addEventListener("click", () => {
    const status = document.querySelector("#copied");
    const text = document.getElementById(button.dataset.copy ?? "")?.textContent ?? "";
    navigator.clipboard.writeText(text).then(
      () => {
        if (status) status.textContent = "Copied.";
      },
      () => {
        if (status) status.textContent = "Copying is blocked here: please select the line.";
      },
    );
  });
}
