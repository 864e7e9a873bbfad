/**
 * The kiosk's way to the server: one conversation a person, erased there when the person is gone.
 *
 * The token is in this object and nowhere else. Fires `change` when the server is found to be away or back.
 */

import { type Api, ApiError } from "../api.js";
import type { Reply } from "../types.js";

interface Ticket {
  id: string;
  token: string;
}

/** Milliseconds between two tries while something is left to do. */
const AGAIN = 5000;

export class KioskServer extends EventTarget {
  /** It answered when it was asked last. */
  up = true;
  readonly #api: Api;
  readonly #base: string;
  #ticket: Promise<Ticket> | null = null;
  /** Grows when a person leaves: what comes back for the one before is thrown away, and erased. */
  #era = 0;
  #last: Promise<unknown> = Promise.resolve();
  #doomed: Ticket[] = [];
  #timer = 0;
  #touched = 0;

  constructor(api: Api, base = "") {
    super();
    this.#api = api;
    this.#base = base;
  }

  /** Something of a person is on the server, or may be. */
  get busy(): boolean {
    return this.#ticket !== null || this.#doomed.length > 0;
  }

  /** Ask, after what was told before, so that "why?" is understood. Throws `ApiError`. */
  ask(text: string): Promise<Reply[]> {
    const era = this.#era;
    const answer = this.#last.then(() => this.#send(text, era));
    this.#last = answer.catch(() => {});
    return answer;
  }

  /** Let the server know what was read, without waiting for it. */
  tell(text: string): void {
    if (this.up) void this.ask(text).catch(() => {});
  }

  /** Someone is still reading: the server must not take the conversation for abandoned. */
  touch(): void {
    if (!this.#ticket || Date.now() - this.#touched < 20_000) return;
    this.#touched = Date.now();
    void this.#ticket.then(({ id, token }) => this.#api.history(id, token)).catch(() => {});
  }

  /** True when the staff's system has taken the call. */
  async callStaff(): Promise<boolean> {
    try {
      const { token } = await this.#open(this.#era);
      const response = await fetch(`${this.#base}/api/v1/kiosk/call-staff`, {
        method: "POST",
        headers: { Authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(8000),
        cache: "no-store",
      });
      return response.ok;
    } catch {
      return false;
    }
  }

  /** Erase what there is on the server. `leaving`: the page is going away, so the browser has to finish it alone. */
  forget(leaving = false): void {
    this.#era++;
    this.#last = Promise.resolve();
    const ticket = this.#ticket;
    this.#ticket = null;
    if (leaving) {
      const erase = (one: Ticket): void => {
        void fetch(`${this.#base}/api/v1/conversations/${one.id}`, {
          method: "DELETE",
          headers: { Authorization: `Bearer ${one.token}` },
          keepalive: true,
        }).catch(() => {});
      };
      for (const one of this.#doomed) erase(one);
      // A ticket that has come is there at once: its handler runs before the page is gone.
      ticket?.then(erase).catch(() => {});
      return;
    }
    ticket?.then((one) => this.#doom(one)).catch(() => {});
  }

  /** Get a file of the server as JSON; null when it can't be had. */
  async json(path: string): Promise<unknown> {
    try {
      const response = await fetch(this.#base + path, { signal: AbortSignal.timeout(8000) });
      if (!response.ok) throw new Error(String(response.status));
      return await response.json();
    } catch {
      return null;
    }
  }

  async #send(text: string, era: number, again = true): Promise<Reply[]> {
    if (era !== this.#era) throw new ApiError(0, "left");
    try {
      const { id, token } = await this.#open(era);
      const replies = await this.#api.send(id, token, text, newId());
      this.#touched = Date.now();
      this.#mark(true);
      return replies;
    } catch (error) {
      const failure = error instanceof ApiError ? error : new ApiError(0, "unreachable");
      if (failure.passing) this.#mark(false);
      if (failure.gone && again && era === this.#era) {
        this.#ticket = null;
        return this.#send(text, era, false);
      }
      throw failure;
    }
  }

  #open(era: number): Promise<Ticket> {
    if (this.#ticket) return this.#ticket;
    const opening = this.#api.create("kiosk").then(
      ({ id, token }) => {
        this.#mark(true);
        return { id, token };
      },
      (error: unknown) => {
        // The next one tries again.
        if (era === this.#era) this.#ticket = null;
        if (error instanceof ApiError && error.passing) this.#mark(false);
        throw error;
      },
    );
    this.#ticket = opening;
    return opening;
  }

  #doom(ticket: Ticket): void {
    this.#doomed.push(ticket);
    void this.#erase();
  }

  async #erase(): Promise<void> {
    for (const ticket of [...this.#doomed]) {
      try {
        await this.#api.remove(ticket.id, ticket.token);
      } catch (error) {
        if (!(error instanceof ApiError && error.gone)) {
          if (error instanceof ApiError && error.passing) this.#mark(false);
          this.#later();
          return;
        }
      }
      this.#doomed = this.#doomed.filter((one) => one !== ticket);
    }
  }

  #mark(up: boolean): void {
    if (!up) this.#later();
    if (this.up === up) return;
    this.up = up;
    this.dispatchEvent(new Event("change"));
  }

  #later(): void {
    if (this.#timer) return;
    this.#timer = window.setTimeout(async () => {
      this.#timer = 0;
      try {
        const ready = await fetch(`${this.#base}/readyz`, { cache: "no-store", signal: AbortSignal.timeout(4000) });
        this.#mark(ready.ok);
      } catch {
        this.#mark(false);
      }
      if (this.up && this.#doomed.length > 0) await this.#erase();
    }, AGAIN);
  }
}

/** An id nobody guesses. `randomUUID` is missing on pages without TLS. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
}
