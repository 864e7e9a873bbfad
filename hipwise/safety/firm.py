"""Says which patterns of knowledge/safety.yml are firm, and writes them so: ``python -m hipwise.safety.firm``.

A firm pattern alarms alone. A possible one alarms unless the classifier finds the message quite unlike a red flag. Which is
which is not a matter of taste: a pattern is firm that fires on at least `LEAST` red flags of the training data, and on no more
than one harmless message for `FOR_EACH` of them (`FOR_EACH_STORY`, if it is a long one). The rules were written while looking
at some of those messages, so whoever adds look-alikes by new authors runs this again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from hipwise.paths import DATA, KNOWLEDGE
from hipwise.safety.check import SafetyCheck
from hipwise.yaml_files import read_yaml

#: Red flags on which a pattern must fire: one that was written for a single message says nothing about the next.
LEAST = 5
#: Red flags for each harmless message: "I could have killed myself for skipping rehab" should not make "kill myself" doubtful.
FOR_EACH = 50
#: The same for a harmless message of more than `STORY` words: so much is said in it that something fires by chance.
FOR_EACH_STORY, STORY = 15, 60
_ALARMING = ("red_flag", "crisis")
_KEY = re.compile(r"^(?P<indent> +)(?P<key>patterns|firm):\n$")
_CUES, _GROUP, _CUE = re.compile(r"^    cues:\n$"), re.compile(r"^  (\w+):"), re.compile(r"^      (\w+):\n$")


def examples(folder: Path = DATA) -> Iterator[tuple[str, str]]:
    """Intent and text of every training example."""
    for path in sorted(folder.glob("*.yml")):
        for block in read_yaml(path).get("nlu") or ():
            for line in str(block.get("examples", "")).splitlines():
                if "intent" in block and line.strip().startswith("- "):
                    yield str(block["intent"]), line.strip()[2:]


def firm_patterns(check: SafetyCheck, folder: Path = DATA) -> set[tuple[str, str]]:
    """Label of the cue and source of every pattern that deserves it."""
    alarming: Counter[tuple[str, str]] = Counter()
    harmless: Counter[tuple[str, str]] = Counter()  # what the red flags must outnumber
    for intent, text in examples(folder):
        fired = {(found.label, found.pattern) for found in check.explain(text, every=True) if found.why_not is None}
        if intent in _ALARMING:
            alarming.update(fired)
        else:
            harmless.update(dict.fromkeys(fired, FOR_EACH_STORY if len(text.split()) > STORY else FOR_EACH))
    return {pattern for pattern, times in alarming.items() if times >= LEAST and harmless[pattern] <= times}


def rewritten(text: str, firm: set[tuple[str, str]]) -> str:
    """The file with each cue's patterns below ``patterns:`` or ``firm:``; everything else stays as it is."""
    lines = text.splitlines(keepends=True)
    out: list[str] = []
    group = cue = ""
    position = 0
    while position < len(lines):
        line = lines[position]
        if found := _GROUP.match(line):
            group, cue = found.group(1), ""
        elif found := _CUE.match(line):
            cue = found.group(1)
        if not (cue and (key := _KEY.match(line)) and len(key["indent"]) == 8):
            out.append(line)
            position += 1
            continue
        listed: list[str] = []
        while position < len(lines) and (_KEY.match(lines[position]) or lines[position].startswith("        - ")):
            if lines[position].startswith("        - "):
                listed.append(lines[position])
            position += 1
        for name in ("firm", "patterns"):
            chosen = [entry for entry in listed if ((f"{group}.{cue}", _source(entry)) in firm) == (name == "firm")]
            if chosen:
                out += [f"        {name}:\n", *chosen]
    return "".join(out)


def _source(line: str) -> str:
    """The pattern on a line of a YAML list."""
    import yaml

    (source,) = yaml.safe_load(line)
    return str(source)


def main(rules: Path = KNOWLEDGE / "safety.yml") -> int:
    """Write the rules anew."""
    check = SafetyCheck(rules)
    firm = firm_patterns(check)
    rules.write_text(rewritten(rules.read_text(encoding="utf-8"), firm), encoding="utf-8")
    print(f"{len(firm)} of {sum(len(cue.patterns) for cue in check.rules.cues)} patterns are firm.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
