/**
 * What is remembered between pages: which conversation it is and how it is opened, never what was said in it.
 *
 * The words stay on the server and are fetched again, so that nobody finds them in the browser's storage.
 */

/** The way into one conversation. */
export interface Ticket {
  id: string;
  token: string;
  /** ISO date. */
  expires_at: string;
}

export interface Saved {
  current: Ticket | null;
  /** Conversations that could not be deleted because the server was away: tried again later. */
  doomed: Ticket[];
  /** Grows with each change, so that other tabs are told even when nothing else changed. */
  revision: number;
}

/** A place to keep `Saved`. The kiosk uses `PageMemory`, the widget `BrowserMemory`. */
export interface Memory {
  read(): Saved;
  write(saved: Saved): void;
  /** Calls back when another tab has written. Returns what ends it. */
  watch(changed: () => void): () => void;
}

const nothing = (): Saved => ({ current: null, doomed: [], revision: 0 });

/** Forgotten with the page. */
export class PageMemory implements Memory {
  #saved = nothing();

  read(): Saved {
    return this.#saved;
  }

  write(saved: Saved): void {
    this.#saved = saved;
  }

  watch(): () => void {
    return () => {};
  }
}

/** Kept in `localStorage` under one key; where that is blocked or full, in the page. */
export class BrowserMemory implements Memory {
  readonly #key: string;
  readonly #fallback = new PageMemory();
  #blocked = false;

  constructor(key: string) {
    this.#key = key;
  }

  read(): Saved {
    const text = this.#blocked ? undefined : readItem("local", this.#key);
    if (text === undefined) return this.#fallback.read();
    if (text === null) return nothing();
    try {
      const saved = JSON.parse(text) as Partial<Saved>;
      const fits = (t: unknown): t is Ticket =>
        typeof t === "object" && t !== null && typeof (t as Ticket).id === "string" && "token" in t;
      return {
        current: fits(saved.current) ? saved.current : null,
        doomed: Array.isArray(saved.doomed) ? saved.doomed.filter(fits) : [],
        revision: Number(saved.revision) || 0,
      };
    } catch {
      return nothing();
    }
  }

  write(saved: Saved): void {
    this.#fallback.write(saved);
    this.#blocked = !writeItem("local", this.#key, JSON.stringify(saved));
  }

  watch(changed: () => void): () => void {
    const listen = (event: StorageEvent): void => {
      // A null key means that everything was cleared.
      if (event.key === this.#key || event.key === null) changed();
    };
    addEventListener("storage", listen);
    return () => removeEventListener("storage", listen);
  }
}

function area(which: "local" | "session"): Storage {
  return which === "local" ? localStorage : sessionStorage;
}

/** The stored text, null when there is none, undefined when storage is blocked. */
export function readItem(which: "local" | "session", key: string): string | null | undefined {
  try {
    return area(which).getItem(key);
  } catch {
    return undefined;
  }
}

/** Stores, or removes with null. False where storage is blocked or full, which is no error: the page goes on without. */
export function writeItem(which: "local" | "session", key: string, value: string | null): boolean {
  try {
    if (value === null) area(which).removeItem(key);
    else area(which).setItem(key, value);
    return true;
  } catch {
    return false;
  }
}
