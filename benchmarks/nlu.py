"""Cross-validation of the shipped NLU pipeline on our own training data.

    python -m benchmarks.nlu [--folds 4] [--stock [--stock-examples 10] [--stock-python PYTHON]]

Every sentence of ``data/nlu.yml`` is asked once of a model that never saw it. Writes ``build/nlu.json``, and
``docs/nlu-benchmark.md`` and ``.png``. The examples of an intent are truly different sentences, so this is harder than what
patients will type; the held-out messages by another hand (``tests/nlu``) are the other figure.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._crossval import Fold, Split
from benchmarks.thresholds import errors, kind, run
from hipwise.nlu.decision import decide, thresholds

ROOT = Path(__file__).resolve().parent.parent


def figures(truth: list[str], predicted: list[str]) -> dict[str, Any]:
    """Return the measures of predictions: percentages, the pairs most confused, and intents that take others' sentences."""
    from sklearn.metrics import f1_score

    confused = Counter((a, b) for a, b in zip(truth, predicted, strict=True) if a != b)
    total = Counter(truth)
    taken: dict[str, Counter[str]] = {}
    for (a, b), times in confused.items():
        taken.setdefault(b, Counter())[a] += times
    kinds = np.array([kind(name) for name in truth]), np.array([kind(name) for name in predicted])
    turned, answered = errors(*kinds)
    return {
        "sentences": len(truth),
        "intents": len(total),
        "accuracy": 100 * float(np.mean([a == b for a, b in zip(truth, predicted, strict=True)])),
        "macro_f1": 100 * float(f1_score(truth, predicted, average="macro", zero_division=0)),
        "kind_accuracy": 100 * float((kinds[0] == kinds[1]).mean()),
        "turned_away": 100 * turned,
        "answered_as_if_covered": 100 * answered,
        "confused": [[a, b, times] for (a, b), times in confused.most_common(20)],
        "over_match": [
            [name, sum(others.values()), round(100 * sum(others.values()) / total[name], 1) if total[name] else None]
            for name, others in sorted(taken.items(), key=lambda item: -sum(item[1].values()))[:12]
        ],
    }


def decided(folds: Sequence[Fold], intents: NDArray[Any]) -> dict[str, Any]:
    """Return the figures of what the shipped pipeline said in some folds."""
    weight = thresholds()["answer_weight"]
    truth: list[str] = []
    predicted: list[str] = []
    for fold in folds:
        for number, result in zip(fold.tested, fold.results, strict=True):
            decision = decide(result, threshold=0.0, answer_weight=weight)
            truth.append(str(intents[number]))
            predicted.append(decision.name if decision else "nlu_fallback")
    return figures(truth, predicted)


def stock(texts: Sequence[str], intents: NDArray[Any], split: Split, python: str) -> dict[str, Any]:
    """Return the figures of Rasa's default pipeline on the same split, run in another environment.

    Raises:
        SystemExit: it failed.
    """
    train, test = ([int(number) for number in part] for part in split)
    request = {"train": [[texts[n] for n in train], [str(intents[n]) for n in train]], "test": [texts[n] for n in test]}
    done = subprocess.run(
        [python, "-W", "ignore", str(Path(__file__).with_name("_stock_nlu.py"))],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the stock pipeline failed:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])["intents"]
    return figures([str(intents[n]) for n in test], [name or "nlu_fallback" for name in found])


def page(report: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    found = report["hipwise"]
    columns = {f"all examples, {report['folds']} folds": found}
    if "beside" in report:
        few = f"{report['beside']['train']} examples an intent"
        columns |= {f"{few}": report["beside"]["hipwise"], f"{few}, default Rasa 3.6.21": report["beside"]["stock"]}
    lines = [
        "# Understanding, by cross-validation on our own data",
        "",
        f"{found['sentences']} sentences, {found['intents']} intents; `make bench-nlu` makes this page,",
        "`make bench-nlu STOCK=--stock` also the last two columns.",
    ]
    if "beside" in report:
        asked = report["beside"]["hipwise"]["sentences"]
        lines += [
            "",
            "Rasa's default pipeline (DIET, 100 epochs, as `rasa init` writes it) would need most of a day for all folds. So the",
            f"two are compared on fewer examples: {report['beside']['train']} of each intent are learnt, {asked} others asked.",
        ]
    lines += ["", f"| % | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    rows = [
        ("right intent", "accuracy"),
        ("macro F1", "macro_f1"),
        ("right kind of reply", "kind_accuracy"),
        ("answerable, but turned away", "turned_away"),
        ("not covered, referred or out of scope, but answered", "answered_as_if_covered"),
    ]
    lines += [f"| {title} | {' | '.join(f'{column[name]:.1f}' for column in columns.values())} |" for title, name in rows]
    lines += ["", "![The pairs most confused, and the intents that over-match](nlu-benchmark.png)", ""]
    lines += ["## Pairs most confused", "", "| meant | taken for | times |", "|---|---|---|"]
    lines += [f"| {a} | {b} | {times} |" for a, b, times in found["confused"]]
    lines += ["", "## Over-match", "", "Intents that take other intents' sentences: how many, and as a share of their own."]
    lines += ["", "| intent | taken | % of its own |", "|---|---|---|"]
    lines += [f"| {name} | {times} | {'-' if share is None else share} |" for name, times, share in found["over_match"]]
    return "\n".join(lines) + "\n"


def picture(report: dict[str, Any], path: Path) -> None:
    """Draw the pairs most confused and the intents that over-match."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    found = report["hipwise"]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(13, 6.5))
    pairs = found["confused"][:15][::-1]
    left.barh([f"{a} → {b}" for a, b, _ in pairs], [times for *_, times in pairs], color="#2f6f8f")
    left.set_title("Pairs most confused (sentences)")
    over = found["over_match"][::-1]
    right.barh([name for name, *_ in over], [times for _, times, _ in over], color="#b5651d")
    right.set_title("Over-match (others' sentences taken)")
    for axes in (left, right):
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    title = f"Cross-validation: {found['accuracy']:.1f} % right of {found['sentences']} sentences, {found['intents']} intents"
    if "beside" in report:
        one, other = report["beside"]["hipwise"]["accuracy"], report["beside"]["stock"]["accuracy"]
        title += f"\nwith {report['beside']['train']} examples an intent {one:.1f} %, default Rasa {other:.1f} %"
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nlu", description="Cross-validate the NLU pipeline.")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--stock", action="store_true", help="also Rasa's default pipeline, on a sample (most of an hour)")
    parser.add_argument("--stock-examples", type=int, default=10, help="of each intent to learn; half as many are asked")
    parser.add_argument("--stock-python", default=str(ROOT / ".venv-stock" / "bin" / "python"), help="its interpreter")
    options = parser.parse_args(arguments)
    warnings.filterwarnings("ignore")
    validation, folds = run(options.folds)
    report: dict[str, Any] = {"folds": options.folds, "hipwise": decided(folds, validation.intents)}
    kept = ROOT / "build" / "nlu.json"
    if kept.is_file():  # the default pipeline needs most of an hour: what it said last stays beside
        earlier = json.loads(kept.read_text(encoding="utf-8"))
        report |= {"beside": earlier["beside"]} if "beside" in earlier else {}
    if options.stock:
        split = validation.sample(options.stock_examples, options.stock_examples // 2)
        report["beside"] = {
            "train": options.stock_examples,
            "hipwise": decided([validation.fold(*split)], validation.intents),
            "stock": stock(validation.texts, validation.intents, split, options.stock_python),
        }
    for folder in ("build", "docs"):
        (ROOT / folder).mkdir(exist_ok=True)
    (ROOT / "build" / "nlu.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (ROOT / "docs" / "nlu-benchmark.md").write_text(page(report), encoding="utf-8")
    picture(report, ROOT / "docs" / "nlu-benchmark.png")
    print(page(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
