/** The HTTP contract, one method a call. Says what went wrong in `ApiError`; decides nothing about it. */

import type { Created, Figure, History, Kind, Rating, Reference, Reply, Suggestion } from "./types.js";

/** How long one call may take, in milliseconds, before it is given up (and tried again by the caller). */
const PATIENCE = 30_000;

/** A call that did not succeed. `status` is 0 when no answer came at all. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly code: string;
  /** Seconds to wait, from `Retry-After`; null when the server did not say. */
  readonly retryAfter: number | null;
  /** An error may carry replies all the same: a text too long that speaks of a red flag. */
  readonly replies: Reply[];

  constructor(status: number, code: string, retryAfter: number | null = null, replies: Reply[] = []) {
    super(`${status} ${code}`);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
    this.replies = replies;
  }

  /** No answer, or one from a proxy in front of a server that is away: worth the same call again. */
  get passing(): boolean {
    return [0, 502, 503, 504].includes(this.status);
  }

  /** The conversation is not there any more, or the token does not open it. */
  get gone(): boolean {
    return this.status === 401 || this.status === 404 || this.status === 410;
  }
}

export class Api {
  readonly #base: string;
  readonly #patience: number;

  /** `server` is the address the calls go to, for instance `https://answers.example`. */
  constructor(server: string, patience = PATIENCE) {
    this.#base = `${server.replace(/\/+$/, "")}/api/v1/conversations`;
    this.#patience = patience;
  }

  async create(channel: "web" | "kiosk"): Promise<Created> {
    const body = asRecord(await this.#call("POST", "", null, { channel }));
    const { id, token, expires_at } = body;
    if (typeof id !== "string" || typeof token !== "string") throw new ApiError(502, "unreadable");
    return { id, token, expires_at: String(expires_at ?? ""), replies: readReplies(body.replies) };
  }

  async send(id: string, token: string, text: string, messageId: string): Promise<Reply[]> {
    const body = asRecord(await this.#call("POST", `/${id}/messages`, token, { text, message_id: messageId }));
    return readReplies(body.replies);
  }

  async history(id: string, token: string): Promise<History> {
    const body = asRecord(await this.#call("GET", `/${id}`, token));
    const messages: History["messages"] = [];
    for (const one of Array.isArray(body.messages) ? body.messages : []) {
      const message = asRecord(one);
      const at = String(message.at ?? "");
      if (message.from === "user") {
        const messageId = typeof message.message_id === "string" ? message.message_id : null;
        messages.push({ from: "user", text: String(message.text ?? ""), message_id: messageId, at });
      } else {
        const [reply] = readReplies([one]);
        if (reply) messages.push({ ...reply, from: "bot", at });
      }
    }
    return { messages, expires_at: String(body.expires_at ?? "") };
  }

  async remove(id: string, token: string): Promise<void> {
    await this.#call("DELETE", `/${id}`, token);
  }

  async rate(
    id: string,
    token: string,
    messageId: string,
    index: number,
    rating: Rating,
    reason?: string,
  ): Promise<void> {
    const body = { message_id: messageId, index, rating, ...(reason ? { reason } : {}) };
    await this.#call("POST", `/${id}/feedback`, token, body);
  }

  async #call(method: string, path: string, token: string | null, body?: object): Promise<unknown> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), this.#patience);
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#base + path, {
        method,
        headers: {
          ...(body ? { "Content-Type": "application/json" } : {}),
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
        },
        body: body ? JSON.stringify(body) : null,
        credentials: "omit",
        referrerPolicy: "no-referrer",
        cache: "no-store",
        redirect: "error",
        signal: stop.signal,
      });
      text = await response.text();
    } catch {
      throw new ApiError(0, "unreachable");
    } finally {
      clearTimeout(timer);
    }
    const json = parse(text);
    if (response.ok) return json;
    const error = asRecord(json);
    const after = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
    throw new ApiError(
      response.status,
      String(asRecord(error.error).code ?? "error"),
      Number.isFinite(after) ? after : null,
      readReplies(error.replies ?? asRecord(error.error).replies),
    );
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

/** Replies as the widget needs them, whatever was missing in what came. */
function readReplies(value: unknown): Reply[] {
  if (!Array.isArray(value)) return [];
  return value.map(asRecord).map((one) => {
    const figure = asRecord(one.figure);
    return {
      text: String(one.text ?? ""),
      kind: (typeof one.kind === "string" ? one.kind : "service") as Kind,
      facts: strings(one.facts),
      references: (Array.isArray(one.references) ? one.references : []).map(asRecord).map(
        (ref): Reference => ({
          id: String(ref.id ?? ""),
          citation: String(ref.citation ?? ""),
          url: typeof ref.url === "string" ? ref.url : null,
        }),
      ),
      suggestions: (Array.isArray(one.suggestions) ? one.suggestions : [])
        .map(asRecord)
        .map((s): Suggestion => ({ title: String(s.title ?? ""), payload: String(s.payload ?? s.title ?? "") }))
        .filter((s) => s.title !== ""),
      figure: typeof figure.url === "string" ? ({ url: figure.url, alt: String(figure.alt ?? "") } as Figure) : null,
      topic: typeof one.topic === "string" ? one.topic : null,
      lang: typeof one.lang === "string" ? one.lang : "en",
    };
  });
}
