/**
 * The script that a page includes. It registers the elements and, where the page has no `<hipwise-chat>` of its own,
 * adds one with the script's `data-` attributes. Leaves nothing in the global scope.
 */

import { HipwiseChat } from "./chat.js";
import { define } from "./components/define.js";
import { registerComponents } from "./components/index.js";

const script = document.currentScript instanceof HTMLScriptElement ? document.currentScript : null;
if (script?.src) HipwiseChat.defaultServer = new URL(".", script.src).href;

registerComponents();
define("hipwise-chat", HipwiseChat);

function place(): void {
  if (document.querySelector("hipwise-chat") || script?.dataset.manual !== undefined) return;
  const element = document.createElement("hipwise-chat");
  for (const name of ["server", "theme", "side", "heading", "label"]) {
    const value = script?.dataset[name];
    if (value !== undefined) element.setAttribute(name, value);
  }
  document.body.append(element);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", place, { once: true });
else place();
