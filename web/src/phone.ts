/** The short numbers that people are told to call: emergencies and crisis lines. Other short numbers are no phones. */
const SHORT = ["911", "988", "112", "999", "000", "111", "113", "116 ?123", "13 ?11 ?14"].join("|");
const NUMBER = new RegExp(`(?<![\\d.,+-])(?:\\+?\\d[\\d ().-]{5,18}\\d|${SHORT})(?![\\d%])`, "g");

/**
 * The phone numbers in a text, as written, each once and at most three.
 *
 * A number to send a text message to ("text HOME to 741741") is none to call.
 */
export function phoneNumbers(text: string): string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(NUMBER)) {
    if (/\btext \w+ to $/i.test(text.slice(0, match.index))) continue;
    found.add(match[0].trim());
  }
  return [...found].slice(0, 3);
}

/** The same as the address of a link. */
export function telLink(number: string): string {
  return `tel:${number.replace(/[^\d+]/g, "")}`;
}
