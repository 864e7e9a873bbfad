/** What the server says, as the HTTP contract has it. */

export type Kind =
  | "answer"
  | "not_covered"
  | "refer"
  | "urgent"
  | "crisis"
  | "out_of_scope"
  | "clarify"
  | "smalltalk"
  | "service";

export interface Reference {
  id: string;
  citation: string;
  url: string | null;
}

export interface Suggestion {
  title: string;
  payload: string;
}

export interface Figure {
  url: string;
  alt: string;
}

export interface Reply {
  text: string;
  kind: Kind;
  facts: string[];
  references: Reference[];
  suggestions: Suggestion[];
  figure: Figure | null;
  topic: string | null;
  lang: string;
}

/** A new conversation. `expires_at` is an ISO date. */
export interface Created {
  id: string;
  token: string;
  expires_at: string;
  replies: Reply[];
}

export interface UserMessage {
  from: "user";
  text: string;
  message_id: string | null;
  at: string;
}

export type BotMessage = Reply & { from: "bot"; at: string };

export interface History {
  messages: (UserMessage | BotMessage)[];
  expires_at: string;
}

export type Rating = "up" | "down";

/** Replies that must stand out, whatever else is on the screen. */
export const isUrgent = (reply: Reply): boolean => reply.kind === "urgent" || reply.kind === "crisis";
