"""Measures the safety check: how many red flags were tried and missed, how many look-alikes alarmed, and how long it takes.

``python -m benchmarks.safety`` writes the tables between the marks in docs/safety.md and all numbers to build/safety.json.
``--threshold`` shows what each threshold of the classifier would cost on the training messages (cross-validation), and writes
nothing. The held-out messages are only counted, never shown: nobody may tune anything to them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hipwise.paths import DATA, HOME, KNOWLEDGE
from hipwise.safety import SafetyCheck
from hipwise.yaml_files import read_yaml

if TYPE_CHECKING:
    from hipwise.nlu.red_flag_classifier import Opinion
    from hipwise.safety.check import SafetyFinding

HELD_OUT = HOME / "tests" / "safety" / "held_out"
DOCUMENT = HOME / "docs" / "safety.md"
RESULTS = HOME / "build" / "safety.json"
MARKS = ("<!-- measured: begin -->", "<!-- measured: end -->")
LOOK_ALIKE, ORDINARY = "look_alike", "ordinary"
FOLDS = 4
#: The likenesses at which `--threshold` cuts.
SWEEP = (-0.7, -0.6, -0.5, -0.4, -0.3, -0.2, -0.1, -0.05, 0.0, 0.1, 0.2)
DOUBTS = (-2.0, -1.2, -1.0, -0.9, -0.8, -0.7, -0.6, -0.55, -0.5, -0.4)


@dataclass(frozen=True)
class Case:
    """A message and what it is: a group, LOOK_ALIKE or ORDINARY."""

    text: str
    group: str
    author: int = 1

    @property
    def harmless(self) -> bool:
        """Whether it must not alarm."""
        return self.group in (LOOK_ALIKE, ORDINARY)


@dataclass(frozen=True)
class Outcome:
    """What became of one case."""

    case: Case
    found: SafetyFinding | None
    together: bool
    level: str | None
    groups: tuple[str, ...]
    opinion: Opinion

    @property
    def by_rules(self) -> bool:
        """Whether the rules found something."""
        return self.found is not None


def training_cases(messages: Iterable[Any]) -> list[Case]:
    """The cases of Rasa training messages."""
    from hipwise.nlu.red_flag_classifier import LOOK_ALIKE as LOOK_ALIKE_INTENT
    from hipwise.nlu.red_flag_classifier import group_of

    cases = []
    for message in messages:
        group = group_of(message)
        harmless = LOOK_ALIKE if message.get("intent") == LOOK_ALIKE_INTENT else ORDINARY
        cases.append(Case(str(message.get("text")), group or harmless))
    return cases


def held_out_cases(folder: Path = HELD_OUT) -> list[Case]:
    """The messages that were written apart from rules and training data."""
    cases: list[Case] = []
    for name, default in (("red_flags", None), ("crisis", "self_harm"), ("look_alikes", LOOK_ALIKE)):
        for entry in read_yaml(folder / f"{name}.yml")["messages"]:
            if isinstance(entry, str):
                entry = {"texts": [entry]}
            texts = entry.get("texts") or [entry["text"]]
            cases.extend(Case(text, default or entry["group"], entry.get("author", 1)) for text in texts)
    return cases


class Bench:
    """Trains the shipped classifier on parts of the training data and asks it about the rest."""

    def __init__(self) -> None:
        from rasa.shared.importers.utils import training_data_from_paths

        from benchmarks._pipeline import Pipeline, pipeline_of

        self.check = SafetyCheck(KNOWLEDGE / "safety.yml")
        parts = pipeline_of()
        names = [part["name"].rpartition(".")[2] for part in parts]
        self.options = next((dict(p) for p in parts if p["name"].endswith("RedFlagClassifier")), {})
        self.options.pop("name", None)
        data = training_data_from_paths([str(DATA / "nlu.yml"), str(DATA / "safety.yml")], "en")
        self.before = Pipeline(parts[: names.index("SentenceEncoder") + 1], data)
        self.messages = [m for m in data.training_examples if m.get("text") and m.get("intent")]
        self.messages = [m for m in self.messages if m.get("intent") != "other_language"]
        self.cases = training_cases(self.messages)

    @property
    def shipped(self) -> dict[str, Any]:
        """The classifier's options."""
        from hipwise.nlu.red_flag_classifier import RedFlagClassifier

        return {**RedFlagClassifier.get_default_config(), **self.options}

    def classifier(self, messages: Sequence[Any]) -> Any:
        """The shipped classifier, trained on these messages."""
        import tempfile

        from rasa.engine.graph import ExecutionContext, GraphSchema
        from rasa.engine.storage.local_model_storage import LocalModelStorage
        from rasa.engine.storage.resource import Resource
        from rasa.shared.nlu.training_data.training_data import TrainingData

        from hipwise.nlu.red_flag_classifier import RedFlagClassifier

        config = self.shipped
        context = ExecutionContext(graph_schema=GraphSchema({}), model_id="benchmark")
        with tempfile.TemporaryDirectory(prefix="hipwise-safety-") as folder:
            storage = LocalModelStorage.create(Path(folder))
            component = RedFlagClassifier.create(config, storage, Resource("red_flags"), context)
            resource = component.train(TrainingData(list(messages)))
            return RedFlagClassifier.load(config, storage, resource, context)

    def untrained(self, config: Mapping[str, Any]) -> Any:
        """A classifier with these options, good only to decide on opinions."""
        from rasa.engine.storage.resource import Resource

        from hipwise.nlu.red_flag_classifier import RedFlagClassifier

        return RedFlagClassifier(dict(config), None, Resource("red_flags"), self.check)

    def outcome(self, classifier: Any, message: Any, case: Case) -> Outcome:
        """Ask about one message that went through the pipeline up to the encoder."""
        from hipwise.nlu.red_flag_classifier import dense_rows, statements

        found = self.check.check(case.text)
        opinion = classifier.opinion(case.text, dense_rows([message]), statements(message))
        finding = classifier.decide(found, opinion)
        level, groups = (finding.level, finding.groups) if finding else (None, ())
        return Outcome(case, found, finding is not None, level, groups, opinion)

    def cross_validated(self) -> list[Outcome]:
        """Every training message, asked of a classifier that has not seen it. The rules have seen many."""
        from sklearn.model_selection import StratifiedKFold

        outcomes: list[Outcome] = []
        groups = [case.group for case in self.cases]
        for learnt, asked in StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(groups, groups):
            classifier = self.classifier([self.messages[number] for number in learnt])
            outcomes += [self.outcome(classifier, self.messages[number], self.cases[number]) for number in asked]
        return outcomes

    def held_out(self) -> list[Outcome]:
        """Every held-out message, asked of a classifier that learnt from all training messages."""
        classifier = self.classifier(self.messages)
        return [self.outcome(classifier, self.before.parse(case.text), case) for case in held_out_cases()]


def table(outcomes: Sequence[Outcome], order: Sequence[str]) -> str:
    """Tried, missed and alarmed, per group, as Markdown."""
    tried = Counter(o.case.group for o in outcomes)
    wrong_rules = Counter(o.case.group for o in outcomes if o.by_rules == o.case.harmless)
    wrong = Counter(o.case.group for o in outcomes if o.together == o.case.harmless)
    lines = ["| group | tried | missed by the rules alone | missed |", "|---|--:|--:|--:|"]
    flags = [group for group in order if tried[group]]
    for group in flags:
        lines.append(f"| {group} | {tried[group]} | {wrong_rules[group]} | {wrong[group]} |")
    total, rules, together = (sum(count[group] for group in flags) for count in (tried, wrong_rules, wrong))
    lines.append(f"| **all** | **{total}** | **{rules}** ({rules / total:.1%}) | **{together}** ({together / total:.1%}) |")
    lines += ["", "| harmless | tried | alarmed by the rules alone | alarmed |", "|---|--:|--:|--:|"]
    for group in (LOOK_ALIKE, ORDINARY):
        if tried[group]:
            alone, both = (f"{count[group]} ({count[group] / tried[group]:.1%})" for count in (wrong_rules, wrong))
            lines.append(f"| {group.replace('_', '-')} | {tried[group]} | {alone} | {both} |")
    return "\n".join(lines)


def by_author(outcomes: Sequence[Outcome]) -> str:
    """Missed and alarmed for each author of held-out messages, as Markdown."""
    lines = ["| author | red flags and crises | missed | look-alikes | alarmed |", "|---|--:|--:|--:|--:|"]
    for author in sorted({o.case.author for o in outcomes}):
        flags = [o for o in outcomes if o.case.author == author and not o.case.harmless]
        alike = [o for o in outcomes if o.case.author == author and o.case.harmless]
        alarmed = sum(o.together for o in alike)
        missed = sum(not o.together for o in flags)
        lines.append(f"| {author} | {len(flags)} | {missed} | {len(alike)} | {alarmed} ({alarmed / max(1, len(alike)):.1%}) |")
    return "\n".join(lines)


def extras(outcomes: Sequence[Outcome]) -> str:
    """How often level and group were right, in a sentence."""
    flags = [o for o in outcomes if not o.case.harmless and o.together]
    crisis = [o for o in flags if o.case.group == "self_harm"]
    right_level = sum(o.level == "crisis" for o in crisis)
    right_group = sum(o.case.group in o.groups for o in flags)
    return (
        f"Of the red flags that were caught, {right_group / max(1, len(flags)):.0%} were put into the right group (among "
        f"others); of {len(crisis)} crises caught, {right_level} were answered as a crisis, the rest as an emergency."
    )


def sweep(outcomes: Sequence[Outcome], shipped: Mapping[str, Any], classifier: Any) -> str:
    """What other numbers than the shipped ``threshold`` and ``doubt`` would cost, as Markdown; classifier: an untrained one."""
    flags = [o for o in outcomes if not o.case.harmless]
    alike = [o for o in outcomes if o.case.group == LOOK_ALIKE]
    ordinary = [o for o in outcomes if o.case.group == ORDINARY]

    def alarmed(some: Sequence[Outcome], threshold: float, doubt: float) -> int:
        decide = classifier({**shipped, "threshold": threshold, "doubt": doubt}).decide
        decided = []
        for o in some:
            loud = o.opinion.loudest >= threshold or o.opinion.group == "self_harm"
            alarm = o.opinion.alarm if o.opinion.story else loud
            decided.append(decide(o.found, replace(o.opinion, alarm=alarm)))
        return sum(finding is not None for finding in decided)

    lines = ["| threshold | doubt | missed | look-alikes alarmed | ordinary questions alarmed |", "|--:|--:|--:|--:|--:|"]
    pairs = [(threshold, min(shipped["doubt"], threshold)) for threshold in SWEEP]
    pairs += [(shipped["threshold"], doubt) for doubt in DOUBTS]
    for threshold, doubt in pairs:
        missed = len(flags) - alarmed(flags, threshold, doubt)
        costs = [f"{alarmed(some, threshold, doubt) / max(1, len(some)):.1%}" for some in (alike, ordinary)]
        lines.append(f"| {threshold:.2f} | {doubt:.2f} | {missed} ({missed / len(flags):.1%}) | {costs[0]} | {costs[1]} |")
    return "\n".join(lines)


def timing(check: SafetyCheck, cases: Sequence[Case]) -> dict[str, float]:
    """Milliseconds of the rules alone: ordinary messages, and 20,000 characters."""
    texts = [case.text for case in cases]
    for text in texts:
        check.check(text)  # patterns are compiled when first needed
    times = []
    for text in texts:
        started = time.perf_counter()
        check.check(text)
        times.append((time.perf_counter() - started) * 1000)
    times.sort()
    story = " ".join(texts)[:20_000]
    started = time.perf_counter()
    check.check(story)
    return {
        "median": statistics.median(times),
        "99 %": times[int(len(times) * 0.99)],
        "longest": times[-1],
        "20,000 characters": (time.perf_counter() - started) * 1000,
    }


def write(text: str, document: Path = DOCUMENT) -> None:
    """Put the text between the marks of the document."""
    content = document.read_text(encoding="utf-8")
    before, _, rest = content.partition(MARKS[0])
    _, found, after = rest.partition(MARKS[1])
    if not found:
        raise SystemExit(f"{document}: the marks {MARKS[0]} and {MARKS[1]} are missing.")
    document.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", encoding="utf-8")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="Measure the safety check.")
    parser.add_argument("--threshold", action="store_true", help="only show what each threshold of the classifier would cost")
    options = parser.parse_args()
    started = time.perf_counter()
    check = SafetyCheck(KNOWLEDGE / "safety.yml")
    loaded = time.perf_counter() - started
    bench = Bench()
    crossed = bench.cross_validated()
    if options.threshold:
        print(sweep(crossed, bench.shipped, bench.untrained))
        return
    held = bench.held_out()
    order = check.rules.order
    speed = timing(check, [o.case for o in held])
    milliseconds = ", ".join(f"{name} {value:.2f}" for name, value in speed.items())
    text = "\n\n".join(
        [
            f"Held out: {len(held)} messages by authors who saw neither rules nor training data.",
            table(held, order),
            by_author(held),
            extras(held),
            f"Training messages, {FOLDS}-fold cross-validation of the classifier (the rules were made with many of them):",
            table(crossed, order),
            "What other thresholds would have cost in that cross-validation:",
            sweep(crossed, bench.shipped, bench.untrained),
            f"The rules alone, one thread, milliseconds a message: {milliseconds}. Reading the rules: {loaded:.2f} s.",
        ]
    )
    write(text)
    RESULTS.parent.mkdir(exist_ok=True)
    numbers = {
        name: {
            "tried": sum(not o.case.harmless for o in some),
            "missed": sum(not o.case.harmless and not o.together for o in some),
            "missed_by_rules": sum(not o.case.harmless and not o.by_rules for o in some),
            "look_alikes": sum(o.case.group == LOOK_ALIKE for o in some),
            "look_alikes_alarmed": sum(o.case.group == LOOK_ALIKE and o.together for o in some),
            "ordinary": sum(o.case.group == ORDINARY for o in some),
            "ordinary_alarmed": sum(o.case.group == ORDINARY and o.together for o in some),
        }
        for name, some in (("held_out", held), ("cross_validation", crossed))
    }
    RESULTS.write_text(json.dumps({**numbers, "milliseconds": speed}, indent=1), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
