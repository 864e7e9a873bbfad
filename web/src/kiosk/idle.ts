/** Watches whether anyone is there. Fires `warn` (detail: seconds left, once a second) and `gone`; both only while armed. */

export class Idle extends EventTarget {
  seconds: number;
  warning: number;
  #timer = 0;
  #deadline = 0;
  #armed = false;
  #warned = false;

  constructor(seconds: number, warning: number) {
    super();
    this.seconds = seconds;
    this.warning = warning;
  }

  /** Someone touched something. Once the warning is shown, only `stay` counts. */
  touch(): void {
    if (this.#armed && !this.#warned) this.#begin();
  }

  arm(): void {
    this.#armed = true;
    if (!this.#warned) this.#begin();
  }

  stay(): void {
    this.#warned = false;
    if (this.#armed) this.#begin();
  }

  disarm(): void {
    this.#armed = this.#warned = false;
    clearTimeout(this.#timer);
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      this.#warned = true;
      this.#deadline = Date.now() + this.warning * 1000;
      this.#count();
    }, this.seconds * 1000);
  }

  #count(): void {
    const left = Math.ceil((this.#deadline - Date.now()) / 1000);
    if (left <= 0) {
      this.disarm();
      this.dispatchEvent(new Event("gone"));
      return;
    }
    this.dispatchEvent(new CustomEvent("warn", { detail: left }));
    this.#timer = window.setTimeout(() => this.#count(), 250);
  }
}
