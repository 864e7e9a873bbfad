/** Every word the widget itself says, in English. Another language is another file with the same keys. */

export const en = {
  lang: "en",
  dir: "ltr",

  launcher: "Ask about your hip",
  launcherUnread: (n: number): string => (n === 1 ? "1 new answer" : `${n} new answers`),
  title: "Hip questions",
  subtitle: "Automatic assistant, not a person. No medical advice.",
  close: "Close",
  options: "Options",
  back: "Back to the conversation",
  conversation: "Conversation",

  you: "You",
  assistant: "Assistant",
  input: "Your question",
  placeholder: "Write a question",
  inputHelp: "Enter sends. Shift and Enter start a new line.",
  send: "Send",
  left: (n: number): string => (n === 1 ? "1 character left" : `${n} characters left`),
  over: (n: number): string => (n === 1 ? "1 character too many" : `${n} characters too many`),

  suggestions: "Suggested questions",
  suggestionsBelow: (n: number): string =>
    n === 1 ? "1 suggested question follows." : `${n} suggested questions follow.`,
  sources: (n: number): string => (n === 1 ? "Source" : `Sources (${n})`),
  sourcesNote: "This answer is based on the article, which draws on the other sources listed.",
  newTab: "opens in a new tab",
  picture: "Picture:",
  enlarge: "Open the picture in a new tab",

  kindUrgent: "Get medical care now",
  kindCrisis: "You are not alone. Talk to someone now",
  kindNotCovered: "Not in our source",
  kindRefer: "One for your doctor",
  call: (number: string): string => `Call ${number}`,

  helpful: "Helpful",
  notHelpful: "Not helpful",
  thanks: "Thank you.",
  rateFailed: "That could not be sent. Please try again.",
  reason: "What was wrong? (optional)",
  reasonSend: "Send",
  copy: "Copy",
  copied: "Copied.",
  copyFailed: "Copying is blocked here.",
  listen: "Read aloud",
  listenStop: "Stop reading",

  writing: "Writing an answer",
  slow: "Still working on it. This takes longer than usual.",
  newAnswer: "New answer",

  starting: "Connecting",
  offline: "You are offline. Your message is sent as soon as you are connected again.",
  unreachable: "The assistant can't be reached right now. Trying again.",
  notReady: "The assistant is still starting up. Trying again in a moment.",
  busy: (seconds: number): string =>
    seconds > 1
      ? `Too many messages at once. Yours is sent in ${seconds} seconds.`
      : "Too many messages at once. Yours is sent in a moment.",
  busyLong: "Too many messages for now. Please try again later.",
  failed: "Something went wrong on our side, and your message was not answered.",
  refused: "This message could not be read. Please write it in other words.",
  tooLong: "Your message is too long: up to 1,000 characters. It is back in the box, for you to shorten.",
  gaveUp: "The assistant can't be reached. Your message was not sent.",
  loadFailed: "Your conversation can't be shown right now.",
  emergency: "In an emergency, don't wait for this page: call your emergency number.",
  tryAgain: "Try again",
  expired: "Your earlier conversation has ended and was deleted. Here is a new one.",
  deletedHere: "Your conversation was deleted, here and on the server.",
  deletedElsewhere: "This conversation was deleted in another window.",
  startedAgain: "Here is a new conversation. The earlier one is being deleted.",
  startNew: "Start a new conversation",

  stateSending: "Sending",
  stateWaiting: "Waiting for the connection",
  stateFailed: "Not sent",
  stateRefused: "Not answered",

  textSize: "Text size",
  textSizes: ["Standard", "Large", "Very large"] as readonly string[],
  readAloud: "Read new answers aloud",
  noVoice: "This device has no voice of its own to read aloud with.",
  keep: "Take it with you",
  copyAll: "Copy the conversation",
  print: "Print",
  save: "Save as a file",
  saveName: "hip-questions.txt",
  printTitle: "Your questions and answers about your hip",
  printNote: "From an automatic assistant. General information, not medical advice.",
  yours: "Your conversation",
  startAgain: "Start again",
  startAgainAsk: "Start again? This conversation is deleted.",
  delete: "Delete my conversation",
  deleteAsk: "Delete this conversation, here and on the server? This can't be undone.",
  deleteYes: "Yes, delete it",
  startAgainYes: "Yes, start again",
  no: "No, keep it",
  deleteFailed: "It could not be deleted, because the server can't be reached. Please try again.",
  nothingYet: "Nothing has been said yet.",
};

type Loose<T> = T extends (...args: infer A) => string
  ? (...args: A) => string
  : T extends readonly string[]
    ? readonly string[]
    : string;

/** What a translation has to give. */
export type Strings = { [K in keyof typeof en]: Loose<(typeof en)[K]> };
