/** All answers, kept in advance: they are the same for everyone, so the tiles work without the server. */

import type { Reply } from "../types.js";

export interface Topic {
  id: string;
  title: string;
  reply: Reply;
}

export interface Topics {
  topics: Topic[];
  urgent: Reply;
  crisis: Reply;
  /** Questions that the source leaves to the doctor. */
  for_doctor: { id: string; title: string }[];
}

export interface Group {
  id: string;
  topics: string[];
  /** What someone who read these answers may want to ask a doctor. */
  doctor: string[];
}

/** The first touch chooses one of these, the second a question in it. Eight at most of each, so that all fit at once. */
export const GROUPS: readonly Group[] = [
  {
    id: "what",
    topics: ["definition", "bone", "other_bones", "regular_osteoporosis", "long_term"],
    doctor: ["refer_diagnose_me", "not_covered_recurrence", "not_covered_other_hip"],
  },
  {
    id: "time",
    topics: ["duration", "pain_course", "self_resolve", "permanent", "cure"],
    doctor: ["refer_personal_outlook", "not_covered_follow_up_scans", "not_covered_recurrence"],
  },
  {
    id: "signs",
    topics: ["symptoms", "pain_location", "onset", "pain_with_weight", "limp", "stiffness", "severity"],
    doctor: ["refer_diagnose_me", "not_covered_sleep", "not_covered_other_hip"],
  },
  {
    id: "treatment",
    topics: ["treatment", "pain_medicine", "bisphosphonates", "physical_therapy", "vitamin_d_calcium"],
    doctor: [
      "refer_treatment_choice",
      "not_covered_which_pain_medicine",
      "refer_dosage",
      "not_covered_side_effects",
      "refer_stop_or_combine",
    ],
  },
  {
    id: "moving",
    topics: ["weight_bearing", "walking_aids", "exercise", "activity", "water_exercise"],
    doctor: ["not_covered_return_to_sport", "not_covered_work", "not_covered_driving", "refer_safe_for_me"],
  },
  {
    id: "why",
    topics: [
      "cause",
      "cause_blood_flow",
      "cause_stress",
      "cause_hormones",
      "why_me",
      "who_gets_it",
      "men",
      "pregnancy",
    ],
    doctor: ["not_covered_heredity", "not_covered_prevention"],
  },
  {
    id: "tests",
    topics: ["diagnosis", "xray", "mri", "lookalikes", "arthritis", "avascular_necrosis", "stress_fracture"],
    doctor: [
      "refer_read_results",
      "not_covered_bone_density_scan",
      "not_covered_blood_tests",
      "not_covered_other_tests",
      "not_covered_imaging_safety",
    ],
  },
  {
    id: "risk",
    topics: ["fracture_risk", "danger", "warning_signs"],
    doctor: ["refer_safe_for_me", "not_covered_surgery"],
  },
];
/** Besides those of the groups: for a woman who read about pregnancy. */
const PREGNANCY = ["not_covered_baby", "not_covered_birth", "not_covered_breastfeeding"];
const PREFIX = "ask_";
/** As many questions to the doctor as fit on a sheet, and in a consultation. */
const MOST_DOCTOR = 8;

/** The topics of a group that the server has, in the group's order. Those in no group are in the first. */
export function topicsOf(group: Group, all: Topics): Topic[] {
  const found = group.topics.flatMap((id) => all.topics.find((topic) => topic.id === PREFIX + id) ?? []);
  if (group !== GROUPS[0]) return found;
  const grouped = new Set(GROUPS.flatMap((one) => one.topics.map((id) => PREFIX + id)));
  return [...found, ...all.topics.filter((topic) => !grouped.has(topic.id))];
}

/** The answers in the address of the sheet: ids only, without what they all begin with. */
export function toFragment(ids: readonly string[]): string {
  return `topics=${ids.map((id) => id.slice(PREFIX.length)).join(",")}`;
}

/** The ids in an address; whatever is none is left out. */
export function fromFragment(hash: string): string[] {
  const text = new URLSearchParams(hash.replace(/^#/, "")).get("topics") ?? "";
  const ids = text.split(",").filter((id) => /^[a-z_]{1,60}$/.test(id));
  return [...new Set(ids)].slice(0, 60).map((id) => PREFIX + id);
}

/** Questions to ask the doctor, for someone who read these answers. */
export function forDoctor(ids: readonly string[], all: Topics): string[] {
  const groups = GROUPS.filter((group) => group.topics.some((id) => ids.includes(PREFIX + id)));
  const wanted = ids.includes("ask_pregnancy") ? [...PREGNANCY] : [];
  // One of each group in turn, so that no group crowds the others out.
  for (let n = 0; n < 8; n++) for (const group of groups) wanted.push(...group.doctor.slice(n, n + 1));
  wanted.push("refer_personal_outlook", "refer_treatment_choice");
  const titles = [...new Set(wanted)].flatMap((id) => all.for_doctor.find((one) => one.id === id)?.title ?? []);
  return titles.slice(0, MOST_DOCTOR);
}

/** The topics whose words come closest to a question, best first; for when the server can't be asked. */
export function closest(question: string, all: Topics, most = 4): Topic[] {
  const words = (text: string): string[] =>
    (text.toLowerCase().match(/[a-z]{3,}/g) ?? []).map((word) => word.slice(0, 6));
  const asked = new Set(words(question).filter((word) => !COMMON.has(word)));
  const scored = all.topics.map((topic) => {
    const title = new Set(words(topic.title));
    const text = new Set(words(topic.reply.text));
    let score = 0;
    for (const word of asked) score += title.has(word) ? 3 : text.has(word) ? 1 : 0;
    return { topic, score };
  });
  const found = scored.filter((one) => one.score > 0).sort((a, b) => b.score - a.score);
  const usual = ["ask_definition", "ask_duration", "ask_treatment", "ask_weight_bearing"];
  const rest = all.topics.filter((topic) => usual.includes(topic.id));
  return [...new Set([...found.map((one) => one.topic), ...rest])].slice(0, most);
}

const COMMON = new Set(
  "the and for you can does how what when why with have this that are was will from hip".split(" "),
);

/** What came over the wire, or null if it is not what it should be. */
export function readTopics(value: unknown): Topics | null {
  const body = value as Partial<Topics> | null;
  if (!body || !Array.isArray(body.topics) || !body.topics.length || !body.urgent?.text) return null;
  const whole = body.topics.every((one) => typeof one?.id === "string" && typeof one?.reply?.text === "string");
  if (!whole) return null;
  return {
    topics: body.topics,
    urgent: body.urgent,
    crisis: body.crisis ?? body.urgent,
    for_doctor: body.for_doctor ?? [],
  };
}
