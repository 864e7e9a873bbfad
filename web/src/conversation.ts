/**
 * One conversation with the server: what was said, what is under way, and what to do when something fails.
 *
 * No pictures and no DOM here: the widget and the kiosk both draw from it. It fires
 * `change` when there is something to draw, `announce` when there is something to say to a screen reader,
 * `answer` for each answer to a question asked on this page, and `refused` with words that should be given back.
 */

import { type Api, ApiError } from "./api.js";
import type { Memory, Ticket } from "./memory.js";
import type { Strings } from "./translations/en.js";
import { isUrgent, type Rating, type Reply, type Suggestion } from "./types.js";

/** The server's limit on one message, in characters as people (and Python) count them. */
export const MAX_TEXT = 1000;
/** Longer than this is not even sent: the server reads a text that is too long for red flags only, up to 16 KB. */
const MAX_SENT = 3500;
/** Seconds before each try again. After the last one it is up to the reader. */
const BACKOFF = [1, 2, 4, 8, 15, 15, 30];
/** Milliseconds after which waiting is spoken of. */
const SLOW_AFTER = 4000;
/** The longest `Retry-After`, in seconds, that is waited out. */
const LONGEST_WAIT = 90;

/** The topic of the reply that says: everything is erased. */
const FORGET = "service_forget_me";

export type SendState = "sent" | "sending" | "waiting" | "failed" | "refused";

export interface UserEntry {
  from: "user";
  key: string;
  at: Date;
  text: string;
  messageId: string;
  state: SendState;
}

export interface BotEntry {
  from: "bot";
  key: string;
  at: Date;
  reply: Reply;
  /** Which reply of its answer it is, from 0; with `messageId`, what feedback is given to. */
  index: number;
  /** The question it answers; null for the greeting. */
  messageId: string | null;
  /** Came while the page was looking: only such replies are announced. */
  fresh: boolean;
}

export interface NoticeEntry {
  from: "notice";
  key: string;
  text: string;
}

export type Entry = UserEntry | BotEntry | NoticeEntry;

/** What stands in the way now, in words, and whether "Try again" makes sense. */
export interface Problem {
  text: string;
  retry: boolean;
}

interface Outgoing {
  entry: UserEntry;
  /** What is sent: the words, or the payload of a suggestion. */
  text: string;
  /** Begun anew for this one already: not twice. */
  renewed: boolean;
}

export interface AnswerDetail {
  replies: Reply[];
  /** The key of its first entry. */
  key: string;
}

export class Conversation extends EventTarget {
  entries: Entry[] = [];
  problem: Problem | null = null;
  /** An answer is awaited. */
  waiting = false;
  /** It has been awaited for long enough to say so. */
  slow = false;
  /** The conversation was deleted, and nothing begun in its place. */
  ended = false;

  readonly #api: Api;
  readonly #memory: Memory;
  readonly #strings: () => Strings;
  readonly #channel: "web" | "kiosk";
  #ticket: Ticket | null = null;
  #loaded = false;
  #starting: Promise<void> | null = null;
  #opening: Promise<void> | null = null;
  #outbox: Outgoing[] = [];
  #pumping = false;
  #wake: (() => void) | null = null;
  /** Grows when the conversation is left: work begun for the old one then comes to nothing. */
  #era = 0;
  #stale = false;
  #unwatch: () => void = () => {};

  constructor(api: Api, memory: Memory, strings: () => Strings, channel: "web" | "kiosk" = "web") {
    super();
    this.#api = api;
    this.#memory = memory;
    this.#strings = strings;
    this.#channel = channel;
  }

  /** Begin to follow other tabs and the connection. */
  connect(): void {
    const stop = this.#memory.watch(() => this.#onElsewhere());
    const online = (): void => this.#nudge();
    const offline = (): void => this.#change();
    const visible = (): void => {
      if (!document.hidden && this.#stale) this.#onElsewhere();
    };
    addEventListener("online", online);
    addEventListener("offline", offline);
    document.addEventListener("visibilitychange", visible);
    this.#unwatch = () => {
      stop();
      removeEventListener("online", online);
      removeEventListener("offline", offline);
      document.removeEventListener("visibilitychange", visible);
    };
  }

  disconnect(): void {
    this.#unwatch();
    this.#era++;
    this.#nudge();
  }

  /** There is a conversation to go on with, from this page or an earlier one. */
  get exists(): boolean {
    return this.#ticket !== null || this.#saved() !== null;
  }

  /** Show what there is: the conversation so far, or the greeting of a new one. */
  async open(): Promise<void> {
    if (this.#loaded || this.ended) return;
    try {
      await this.#prepare();
    } catch {
      // What was in the way is in `problem` by now, with a way to try again.
    }
  }

  /** Ask. Without a conversation, one is begun. */
  say(text: string): void {
    this.#post(text, text);
  }

  /** Choose what was offered: the payload is sent, its title shown. */
  choose(suggestion: Suggestion): void {
    this.#post(suggestion.payload, suggestion.title);
  }

  /** Try everything again that has not gone through, at once. */
  retry(): void {
    this.problem = null;
    for (const entry of this.entries) {
      if (entry.from === "user" && entry.state === "failed") {
        this.#failed.get(entry)?.();
        this.#failed.delete(entry);
      }
    }
    this.#nudge();
    if (this.#outbox.length > 0) void this.#pump();
    else if (!this.#loaded && !this.#starting) void this.open();
    this.#change();
  }

  /** Delete this conversation on the server, then here. Throws `ApiError` if the server could not be reached. */
  async remove(): Promise<void> {
    const ticket = this.#ticket ?? this.#saved();
    if (ticket) {
      try {
        await this.#api.remove(ticket.id, ticket.token);
      } catch (error) {
        if (!(error instanceof ApiError && error.gone)) throw error;
      }
    }
    this.#leave();
    this.ended = true;
    this.#notice(this.#strings().deletedHere);
    this.dispatchEvent(new Event("removed"));
  }

  /** Leave this conversation, have it deleted (later, if the server is away), and begin another. */
  async restart(): Promise<void> {
    const ticket = this.#ticket ?? this.#saved();
    const had = this.entries.length > 0;
    this.#leave();
    if (ticket) {
      const saved = this.#memory.read();
      this.#memory.write({ ...saved, doomed: [...saved.doomed, ticket], revision: saved.revision + 1 });
    }
    if (had) this.#notice(this.#strings().startedAgain);
    await this.#start().catch(() => {});
  }

  async rate(entry: BotEntry, rating: Rating, reason?: string): Promise<void> {
    if (!this.#ticket || entry.messageId === null) return;
    await this.#api.rate(this.#ticket.id, this.#ticket.token, entry.messageId, entry.index, rating, reason);
  }

  /** Nothing on the page counts as new any more, so that nothing is announced when it is shown again. */
  settle(): void {
    for (const entry of this.entries) if (entry.from === "bot") entry.fresh = false;
    this.#change();
  }

  // Beginning and fetching

  #saved(): Ticket | null {
    const { current } = this.#memory.read();
    if (current && Date.parse(current.expires_at) <= Date.now()) return null;
    return current;
  }

  #keep(ticket: Ticket | null): void {
    const saved = this.#memory.read();
    this.#ticket = ticket;
    this.#memory.write({ ...saved, current: ticket, revision: saved.revision + 1 });
  }

  #leave(): void {
    this.#era++;
    this.#outbox = [];
    this.#failed.clear();
    this.#wake?.();
    this.#starting = this.#opening = null;
    this.#pumping = false;
    this.entries = [];
    this.problem = null;
    this.waiting = this.slow = false;
    this.#loaded = false;
    this.#keep(null);
  }

  /** Have a conversation to speak in: the one there is, with its history, or a new one. */
  #prepare(): Promise<void> {
    const find = async (): Promise<void> => {
      this.#ticket ??= this.#saved();
      if (this.#ticket) await this.#load(true);
      else if (this.#memory.read().current) await this.#renew();
      else await this.#start();
    };
    this.#opening ??= find().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  #start(): Promise<void> {
    this.ended = false;
    this.#starting ??= this.#begin().finally(() => {
      this.#starting = null;
      this.#change();
    });
    this.#change();
    return this.#starting;
  }

  async #begin(): Promise<void> {
    const era = this.#era;
    void this.#flushDoomed();
    const created = await this.#persist(era, () => this.#api.create(this.#channel));
    if (!created || era !== this.#era) return;
    this.#keep({ id: created.id, token: created.token, expires_at: created.expires_at });
    this.#loaded = true;
    this.problem = null;
    // What was asked while the conversation was being made stays below the greeting.
    const asked = this.entries.filter((entry) => entry.from === "user");
    const before = this.entries.filter((entry) => entry.from === "notice");
    const greeting = this.#botEntries(created.replies, null, new Date(), true);
    this.entries = [...before, ...greeting, ...asked];
    this.dispatchEvent(new Event("started"));
    this.#tell(created.replies);
    this.#change();
  }

  async #load(patient: boolean): Promise<void> {
    const era = this.#era;
    const ticket = this.#ticket;
    if (!ticket) return;
    try {
      const call = () => this.#api.history(ticket.id, ticket.token);
      const history = patient ? await this.#persist(era, call) : await call();
      if (!history || era !== this.#era) return;
      let messageId: string | null = null;
      let index = 0;
      const known = new Map(this.entries.map((entry) => [entry.key, entry]));
      const drawn: Entry[] = [];
      for (const [n, message] of history.messages.entries()) {
        const at = new Date(message.at);
        if (message.from === "user") {
          messageId = message.message_id ?? `unknown-${n}`;
          index = 0;
          drawn.push({ from: "user", key: `u${messageId}`, at, text: message.text, messageId, state: "sent" });
        } else {
          const key = `b${messageId ?? ""}:${index}`;
          const old = known.get(key);
          const fresh = old?.from === "bot" && old.fresh;
          drawn.push({ from: "bot", key, at, reply: message, index, messageId, fresh });
          index++;
        }
      }
      // Questions that the server has not had yet stay at the end.
      if (drawn.length === 0) {
        // Forgotten on request: nothing is left but the permission to go on.
        await this.#forgotten(patient);
        return;
      }
      const shown = new Set(drawn.map((entry) => entry.key));
      const own = this.entries.filter(
        (entry) => !shown.has(entry.key) && (entry.from === "user" || this.#refusals.has(entry.key)),
      );
      this.entries = [...drawn, ...own];
      this.#loaded = true;
      this.#change();
    } catch (error) {
      if (error instanceof ApiError && error.gone && era === this.#era) await this.#renew();
      else if (patient) throw error;
    }
  }

  /** Everything said was erased. Where the page is opened, begin with a greeting; where it is open, say so. */
  async #forgotten(opening: boolean): Promise<void> {
    this.entries = this.entries.filter((entry) => entry.from === "user" && entry.state !== "sent");
    if (opening) {
      this.#keep(null);
      await this.#start();
    } else {
      this.#notice(this.#strings().deletedElsewhere, true);
    }
  }

  /** The conversation is gone: say so, and begin another. */
  async #renew(): Promise<void> {
    const asked = this.entries.filter((entry) => entry.from === "user" && entry.state !== "sent");
    this.#keep(null);
    this.#loaded = false;
    this.entries = asked;
    this.#notice(this.#strings().expired, true);
    await this.#start();
  }

  async #flushDoomed(): Promise<void> {
    for (const ticket of this.#memory.read().doomed) {
      try {
        await this.#api.remove(ticket.id, ticket.token);
      } catch (error) {
        if (!(error instanceof ApiError) || !error.gone) return;
      }
      const saved = this.#memory.read();
      this.#memory.write({ ...saved, doomed: saved.doomed.filter((one) => one.id !== ticket.id) });
    }
  }

  /** Another tab has written something. */
  #onElsewhere(): void {
    if (document.hidden) {
      this.#stale = true;
      return;
    }
    this.#stale = false;
    const current = this.#saved();
    if (current?.id === this.#ticket?.id) {
      if (!current || !this.#loaded) return;
      if (this.#pumping) this.#stale = true;
      else void this.#load(false);
      return;
    }
    if (!this.#loaded && !this.ended) {
      this.#ticket = current;
      return;
    }
    // Deleted there, or begun again: this tab follows.
    this.#era++;
    this.#outbox = [];
    this.#starting = this.#opening = null;
    this.#pumping = false;
    this.#wake?.();
    this.waiting = this.slow = false;
    this.problem = null;
    this.entries = [];
    this.#loaded = false;
    this.#ticket = current;
    this.ended = current === null;
    if (current) void this.open();
    else this.#notice(this.#strings().deletedElsewhere);
    this.#change();
  }

  // Asking

  #post(text: string, shown: string): void {
    if (this.problem && !this.problem.retry) this.problem = null;
    const messageId = newId();
    const entry: UserEntry = {
      from: "user",
      key: `u${messageId}`,
      at: new Date(),
      text: shown,
      messageId,
      state: "sending",
    };
    this.entries = [...this.entries, entry];
    this.#outbox.push({ entry, text: [...text].slice(0, MAX_SENT).join(""), renewed: false });
    this.dispatchEvent(new Event("asked"));
    // Whoever asks again while the connection is down wants it tried now.
    this.#nudge();
    void this.#pump();
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    const era = this.#era;
    while (era === this.#era) {
      const item = this.#outbox[0];
      if (!item) break;
      const done = await this.#deliver(item, era);
      if (era !== this.#era) return;
      if (!done) break;
      this.#outbox.shift();
    }
    if (era !== this.#era) return;
    this.#pumping = false;
    this.#calm();
    if (this.#stale) this.#onElsewhere();
  }

  /** Get one message answered. False when it is now up to the reader to try again. */
  async #deliver(item: Outgoing, era: number): Promise<boolean> {
    const { entry } = item;
    const t = this.#strings();
    this.waiting = true;
    const timer = setTimeout(() => {
      if (era !== this.#era || this.problem) return;
      this.slow = true;
      this.#announce(this.#strings().slow);
      this.#change();
    }, SLOW_AFTER);
    this.#mark(entry, "sending");
    try {
      if (!this.#loaded) await this.#prepare();
      const ticket = this.#ticket;
      if (era !== this.#era) return false;
      if (!ticket) throw new ApiError(0, "unreachable");
      const replies = await this.#persist(
        era,
        () => this.#api.send(ticket.id, ticket.token, item.text, entry.messageId),
        entry,
      );
      if (!replies) return false;
      this.problem = null;
      entry.state = "sent";
      if (replies.some((reply) => reply.topic === FORGET)) {
        // Erased on the server, so not left on the screen either.
        this.entries = this.entries.filter((one) => one === entry || (one.from === "user" && one.state !== "sent"));
      }
      this.#answer(entry, replies);
      this.#loaded = true;
      // Tells the other tabs.
      this.#keep(ticket);
      return true;
    } catch (error) {
      if (era !== this.#era) return false;
      const failure = error instanceof ApiError ? error : new ApiError(0, "unreachable");
      if (failure.gone && !item.renewed) {
        item.renewed = true;
        // A payload is good only where it was offered: in the new conversation its words are asked instead.
        item.text = entry.text;
        await this.#renew();
        return era === this.#era ? this.#deliver(item, era) : false;
      }
      if (failure.status === 413) {
        this.#mark(entry, "refused");
        this.#refusals.add(entry.key);
        this.#announce(t.tooLong);
        this.problem = { text: t.tooLong, retry: false };
        if (failure.replies.length > 0) this.#answer(entry, failure.replies);
        this.dispatchEvent(new CustomEvent("refused", { detail: { text: entry.text } }));
        return true;
      }
      if (failure.status >= 400 && failure.status < 500 && failure.status !== 429 && !failure.gone) {
        this.#mark(entry, "refused");
        this.#refusals.add(entry.key);
        this.#report(t.refused, false);
        return true;
      }
      this.#mark(entry, "failed");
      if (failure.replies.length > 0) this.#answer(entry, failure.replies);
      this.#failed.set(entry, () => {
        entry.state = "sending";
        if (!this.#outbox.includes(item)) this.#outbox.push(item);
      });
      const passing = failure.passing || failure.gone;
      this.#report(failure.status === 429 ? t.busyLong : passing ? t.gaveUp : t.failed, true);
      // The rest would fail the same way while the server is away; after an error of its own it may not.
      if (passing || failure.status === 429) return false;
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  readonly #failed = new Map<UserEntry, () => void>();
  /** Keys of entries that the server did not take, kept on the page when the rest is fetched again. */
  readonly #refusals = new Set<string>();

  #answer(entry: UserEntry, replies: Reply[]): void {
    const bots = this.#botEntries(replies, entry.messageId, new Date(), true);
    if (entry.state === "refused") for (const bot of bots) this.#refusals.add(bot.key);
    // Right below its question, also when others are waiting already; in place of what came with an error before.
    const others = this.entries.filter((one) => one.from !== "bot" || one.messageId !== entry.messageId);
    const at = others.indexOf(entry) + 1;
    this.entries = [...others.slice(0, at), ...bots, ...others.slice(at)];
    this.waiting = this.#outbox.length > 1;
    this.slow = false;
    this.dispatchEvent(new CustomEvent<AnswerDetail>("answer", { detail: { replies, key: `b${entry.messageId}:0` } }));
    this.#tell(replies);
    this.#change();
  }

  #botEntries(replies: Reply[], messageId: string | null, at: Date, fresh: boolean): BotEntry[] {
    return replies.map((reply, index) => ({
      from: "bot",
      key: `b${messageId ?? ""}:${index}`,
      at,
      reply,
      index,
      messageId,
      fresh,
    }));
  }

  /**
   * Call until it is answered. Waits while the server is away, starting or asking for patience, and says so.
   * Null when the conversation was left meanwhile; throws `ApiError` when trying again is of no use.
   */
  async #persist<T>(era: number, call: () => Promise<T>, entry?: UserEntry): Promise<T | null> {
    for (let attempt = 0; ; attempt++) {
      try {
        const result = await call();
        return era === this.#era ? result : null;
      } catch (error) {
        if (era !== this.#era) return null;
        if (!(error instanceof ApiError)) throw error;
        const t = this.#strings();
        let seconds = BACKOFF[attempt];
        if (error.status === 429) {
          seconds = error.retryAfter ?? 5;
          if (seconds > LONGEST_WAIT || attempt > 5) throw error;
          this.#report(t.busy(seconds), false);
        } else if (error.passing && seconds !== undefined) {
          const away = navigator.onLine ? (error.status === 503 ? t.notReady : t.unreachable) : t.offline;
          this.#report(away, true);
          if (error.retryAfter !== null) seconds = Math.min(error.retryAfter, LONGEST_WAIT);
        } else {
          if (!entry) this.#report(error.passing ? t.gaveUp : t.loadFailed, true);
          throw error;
        }
        if (entry) this.#mark(entry, "waiting");
        await this.#pause(seconds * 1000);
        if (era !== this.#era) return null;
        if (entry) this.#mark(entry, "sending");
      }
    }
  }

  /** Wait, or less when the connection is back or the reader asks for it. */
  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        if (this.#wake === done) this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.#wake = done;
    });
  }

  #nudge(): void {
    this.#wake?.();
  }

  // Telling

  #mark(entry: UserEntry, state: SendState): void {
    entry.state = state;
    this.#change();
  }

  #report(text: string, retry: boolean): void {
    // Said once, not at every try.
    if (this.problem?.text !== text) this.#announce(text);
    this.problem = { text, retry };
    this.slow = false;
    this.#change();
  }

  #calm(): void {
    this.waiting = this.slow = false;
    this.#change();
  }

  #notice(text: string, first = false): void {
    const entry: NoticeEntry = { from: "notice", key: `n${newId()}`, text };
    this.entries = first ? [entry, ...this.entries] : [...this.entries, entry];
    this.#announce(text);
    this.#change();
  }

  /** Say new replies once. Urgent ones speak for themselves: they are alerts. */
  #tell(replies: Reply[]): void {
    const t = this.#strings();
    for (const reply of replies.filter((one) => !isUrgent(one))) {
      const picture = reply.figure?.alt ? ` ${t.picture} ${reply.figure.alt}` : "";
      const more = reply.suggestions.length > 0 ? ` ${t.suggestionsBelow(reply.suggestions.length)}` : "";
      this.#announce(`${t.assistant}: ${reply.text}${picture}${more}`, replyLang(reply));
    }
  }

  #announce(text: string, lang?: string): void {
    this.dispatchEvent(new CustomEvent("announce", { detail: { text, lang: lang ?? this.#strings().lang } }));
  }

  #change(): void {
    this.dispatchEvent(new Event("change"));
  }
}

/** The language of a reply's words: the topic tells it where it is not the reply's own. */
export function replyLang(reply: Reply): string {
  return /^other_language_([a-z]{2,3})$/.exec(reply.topic ?? "")?.[1] ?? reply.lang;
}

/** An id nobody guesses. `randomUUID` is missing on pages without TLS. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
}
