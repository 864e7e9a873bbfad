/**
 * The keys on the screen. They type into a text field that they are given, at its caret, as a keyboard would.
 *
 * The library keeps no copy of the words: its own record is emptied after each key.
 */

import { SimpleKeyboard as Keyboard } from "simple-keyboard";
import type { KioskStrings } from "../translations/kiosk.en.js";

const LAYOUT = [
  "1 2 3 4 5 6 7 8 9 0",
  "q w e r t y u i o p",
  "a s d f g h j k l '",
  "z x c v b n m , . ?",
  "{clear} {space} {bksp} {send}",
];

/** Milliseconds in which the same key again is a finger that trembles, not a second letter. */
const BOUNCE = 200;

export class Keys {
  readonly #keyboard: Keyboard;
  readonly #root: HTMLElement;

  constructor(root: HTMLElement, field: () => HTMLTextAreaElement | null, t: KioskStrings, send: () => void) {
    this.#root = root;
    const special: Record<string, string> = {
      "{clear}": t.keyClear,
      "{space}": t.keySpace,
      "{bksp}": t.keyDelete,
      "{send}": t.keySend,
    };
    let [last, at] = ["", 0];
    const press = (key: string): void => {
      this.#keyboard.clearInput();
      const box = field();
      const now = performance.now();
      const bounced = key === last && now - at < BOUNCE;
      [last, at] = [key, now];
      if (!box || bounced) return;
      if (key === "{send}") {
        send();
        return;
      }
      const [from, to] = [box.selectionStart, box.selectionEnd];
      if (key === "{clear}") box.value = "";
      else if (key === "{bksp}") box.setRangeText("", from === to ? Math.max(0, from - 1) : from, to, "end");
      else box.setRangeText(key === "{space}" ? " " : key, from, to, "end");
      box.scrollTop = box.scrollHeight;
      box.dispatchEvent(new InputEvent("input", { bubbles: true }));
    };
    const names = Object.entries(t.keyNames).map(([buttons, value]) => ({ attribute: "aria-label", value, buttons }));
    const all = LAYOUT.join(" ");
    this.#keyboard = new Keyboard(root, {
      layout: { default: LAYOUT },
      display: special,
      mergeDisplay: true,
      useButtonTag: true,
      // A hand that trembles or rests must not write a row of letters.
      disableButtonHold: true,
      preventMouseDownDefault: true,
      physicalKeyboardHighlight: false,
      disableCaretPositioning: true,
      buttonTheme: [{ class: "main-key", buttons: "{send}" }],
      buttonAttributes: [
        ...names,
        { attribute: "type", value: "button", buttons: all },
        { attribute: "tabindex", value: "-1", buttons: all },
        { attribute: "tabindex", value: "0", buttons: "q" },
      ],
      onKeyPress: press,
    });
    // Pressed by a key or by assistive technology: no pointer, so the library hears nothing.
    root.addEventListener("click", (event) => {
      const key = (event.target as Element).closest<HTMLElement>("[data-skbtn]")?.dataset.skbtn;
      if (event.detail === 0 && key) press(key);
    });
  }

  destroy(): void {
    this.#keyboard.destroy();
    this.#root.replaceChildren();
  }
}
