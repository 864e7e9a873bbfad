/** The elements that the widget and the kiosk are made of. */

import { AnnouncerElement } from "./announcer.js";
import { ComposerElement } from "./composer.js";
import { define } from "./define.js";
import { ReplyElement } from "./reply.js";

export function registerComponents(): void {
  define("hipwise-announcer", AnnouncerElement);
  define("hipwise-composer", ComposerElement);
  define("hipwise-reply", ReplyElement);
}

declare global {
  interface HTMLElementTagNameMap {
    "hipwise-announcer": AnnouncerElement;
    "hipwise-composer": ComposerElement;
    "hipwise-reply": ReplyElement;
  }
}
