/**
 * Words that mean "now", for when the server can't be asked.
 *
 * This is a net with wide meshes turned the other way: it rather warns once too often. The server's safety check is the
 * one that counts; this one only speaks when that one can't.
 */

const URGENT = [
  /\b(fell|fallen|falling|tripped|slipped|collapsed)\b/,
  /\b(broke|broken|snapped|cracked|popped)\b/,
  /\b(can'?t|cannot|can not|could ?n'?t|unable to|not able to|no longer)\b.{0,25}\b(walk|stand|weight|move|get up|bear|lift|feel|pee|breathe)\b/,
  /\b(fever|chills|shivering|temperature of)\b/,
  /\b(chest pain|short(ness)? of breath|breathless|can'?t breathe|faint(ed|ing)?|passed out|unconscious)\b/,
  /\b(numb|numbness|paraly[sz]ed|tingling|pins and needles)\b/,
  /\b(incontinen\w*|wet myself|bowel|bladder)\b/,
  /\b(overdose\w*|too many (pills|tablets)|poison\w*)\b/,
  /\b(bleeding|blood|waters broke)\b/,
  /\b(calf|leg)\b.{0,30}\b(swollen|swelling|swelled|red|hot|warm|cold|blue|white|shorter|turned out)\b/,
  /\b(swollen|swelling|red|hot|cold|blue|shorter)\b.{0,30}\b(calf|leg|foot)\b/,
  /\b(unbearable|worst pain|excruciating|agony|emergency|ambulance|911|999|112)\b/,
  /\b(sudden(ly)?)\b.{0,20}\b(worse|pain|severe)\b/,
];
const CRISIS = [
  /\b(suicid\w*|kill(ing)? myself|end (it all|my life)|hurt(ing)? myself|harm(ing)? myself|self.?harm)\b/,
  /\b(want|wish|better)\b.{0,20}\b(to die|dead|not (to )?wake up)\b/,
  /\b(don'?t|do not|no longer|not)\b.{0,15}\b(want to (live|be here|go on)|worth living)\b/,
];

export function redFlag(text: string): "urgent" | "crisis" | null {
  const words = text.toLowerCase().replace(/[’‘`]/g, "'");
  if (CRISIS.some((one) => one.test(words))) return "crisis";
  return URGENT.some((one) => one.test(words)) ? "urgent" : null;
}
