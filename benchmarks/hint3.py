"""HINT3 v1: the shipped pipeline on three bots' real training data and real users' messages.

    python -m benchmarks.hint3 [--data FOLDER] [--train a.csv --test b.csv] [--stock --stock-python PYTHON]

Trains what ``config.yml`` says on each of the six training files (or on the one given), parses every test row, and writes
``build/hint3.json``. The threshold of ``mcc_fixed`` is found on the training file alone, by leaving intents out; ``mcc`` is
the best over all thresholds on the test rows, an oracle's figure, as the published ones are.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._crossval import OUT_OF_SCOPE, CrossValidation, best_threshold
from benchmarks._pipeline import Pipeline, pipeline_of, training_data_of

ROOT = Path(__file__).resolve().parent.parent
CONDITIONS = [(bot, size) for bot in ("sofmattress", "curekart", "powerplay11") for size in ("", "_subset")]
# Means over the six conditions, as published with the data set; Rasa 3.6.21 was measured once by its default pipeline.
PUBLISHED = [
    ("Rasa 1.10 (ConveRT + DIET)", 43.5, 0.748, 63.0, 45.5),
    ("LUIS", 47.5, None, 57.5, None),
    ("BERT", 48.0, None, 68.0, None),
    ("Dialogflow", 50.3, 0.807, 66.7, 51.9),
    ("Haptik", 51.2, None, 70.4, None),
]
# Components about patients; on other data they have nothing to find. The spelling's words of the domain are left out too.
_LEAVE_OUT = ("RedFlagDetector", "RedFlagClassifier")


def read(path: Path) -> tuple[list[str], list[str]]:
    """Return sentences and labels of a file with these two columns.

    Raises:
        SystemExit: the file is missing or has other columns.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}") from error
    if not rows or not {"sentence", "label"} <= set(rows[0]):
        raise SystemExit(f"{path}: needs the columns sentence and label")
    return [row["sentence"] or "" for row in rows], [row["label"] for row in rows]


def parts() -> list[dict[str, Any]]:
    """Return the shipped pipeline for data of another domain: same components, same hyper-parameters."""
    shipped = pipeline_of(leave_out=_LEAVE_OUT)
    for part in shipped:
        name = part["name"].rpartition(".")[2]
        if name == "SpellingNormalizer":
            part["domain_words"] = False
        elif name == "IntentClassifier":
            part["groups"] = []
        elif name in ("QuestionSelector", "IntentGate"):
            part["threshold"] = 0.0
    return shipped


def cross_validated_threshold(sentences: list[str], labels: list[str], times: int = 3) -> float:
    """Return the threshold for a training file, found by leaving intents out of it."""
    validation = CrossValidation(parts(), training_data_of(sentences, labels))
    truth: list[str] = []
    predicted: list[str] = []
    scores: list[float] = []
    for train, test in validation.leaving_out(times):
        fold = validation.fold(train, test)
        for number, known, result in zip(fold.tested, fold.known, fold.results, strict=True):
            truth.append(str(validation.intents[number]) if known else OUT_OF_SCOPE)
            predicted.append(result.ranking[0]["name"] if result.ranking else OUT_OF_SCOPE)
            scores.append(result.ranking[0]["confidence"] if result.ranking else 0.0)
    return best_threshold(truth, predicted, np.array(scores))[0]


def figures(truth: list[str], predicted: list[str], scores: NDArray[Any], threshold: float | None) -> dict[str, float | None]:
    """Return the measures of one condition; percentages but for ``auroc``. Those that need out-of-scope rows may be None."""
    from sklearn.metrics import matthews_corrcoef, roc_auc_score

    labels, guesses = np.array(truth, dtype=object), np.array(predicted, dtype=object)
    inside = labels != OUT_OF_SCOPE
    right = guesses == labels
    best_at, best = best_threshold(truth, predicted, scores)
    found: dict[str, float | None] = {
        "mcc": 100 * best,
        "mcc_threshold": best_at,
        "auroc": None,
        "in_scope_accuracy": 100 * float(right[inside].mean()) if inside.any() else None,
        "in_scope_at_oos80": None,
        "mcc_fixed": None,
        "fixed_threshold": threshold,
        "rows": len(truth),
    }
    if threshold is not None:
        found["mcc_fixed"] = 100 * float(matthews_corrcoef(truth, list(np.where(scores >= threshold, guesses, OUT_OF_SCOPE))))
    if inside.any() and not inside.all():
        found["auroc"] = float(roc_auc_score(inside, scores))
        # The lowest threshold that rejects four of five out-of-scope rows.
        limit = np.quantile(scores[~inside], 0.8)
        found["in_scope_at_oos80"] = 100 * float((right & (scores > limit))[inside].mean())
    return found


def ours(train: Path, test: Path) -> dict[str, Any]:
    """Train and test the shipped pipeline."""
    sentences, labels = read(train)
    started = time.process_time()
    threshold = cross_validated_threshold(sentences, labels) if len(set(labels)) > 4 else None
    validated = time.process_time()
    pipeline = Pipeline(parts(), training_data_of(sentences, labels))
    trained = time.process_time()
    asked, truth = read(test)
    predicted, scores, taken = [], [], []
    for sentence in asked:
        begin = time.perf_counter()
        message = pipeline.parse(sentence)
        taken.append(time.perf_counter() - begin)
        ranking = message.get("intent_ranking") or [{"name": OUT_OF_SCOPE, "confidence": 0.0}]
        predicted.append(ranking[0]["name"] or OUT_OF_SCOPE)
        scores.append(ranking[0]["confidence"])
    found: dict[str, Any] = figures(truth, predicted, np.array(scores), threshold)
    found["train_seconds"] = trained - validated
    found["validation_seconds"] = validated - started
    found["parse_ms_median"] = 1000 * float(np.median(taken))
    return found


def stock(train: Path, test: Path, python: str) -> dict[str, Any]:
    """Train and test Rasa's default pipeline in another environment."""
    sentences, labels = read(train)
    asked, truth = read(test)
    request = json.dumps({"train": [sentences, labels], "test": asked})
    done = subprocess.run(
        [python, "-W", "ignore", str(Path(__file__).with_name("_stock_nlu.py"))],
        input=request,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the stock pipeline failed:\n{done.stderr[-2000:]}")
    answers = json.loads(done.stdout.splitlines()[-1])
    found: dict[str, Any] = figures(truth, answers["intents"], np.array(answers["confidences"]), None)
    found["train_seconds"] = answers["train_seconds"]
    found["parse_ms_median"] = answers["parse_ms_median"]
    return found


def mean(conditions: dict[str, dict[str, Any]]) -> dict[str, float | None]:
    """Return the mean of each measure over the conditions that have it."""
    names = ("mcc", "auroc", "in_scope_accuracy", "in_scope_at_oos80", "mcc_fixed")
    found: dict[str, float | None] = {}
    for name in names:
        values = [condition[name] for condition in conditions.values() if condition.get(name) is not None]
        found[name] = float(np.mean(values)) if values else None
    return found


def _cell(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def table(report: dict[str, Any], published: bool) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        "| system | best MCC | MCC, threshold fixed beforehand | AUROC | in-scope accuracy | in-scope at 80 % OOS recall |",
        "|---|---|---|---|---|---|",
    ]
    if published:
        lines += [
            f"| {name} | {_cell(mcc)} | - | {_cell(auroc, 3)} | {_cell(accuracy)} | {_cell(at80)} |"
            for name, mcc, auroc, accuracy, at80 in PUBLISHED
        ]

    def row(name: str, found: dict[str, Any]) -> str:
        cells = [_cell(found.get("mcc")), _cell(found.get("mcc_fixed")), _cell(found.get("auroc"), 3)]
        cells += [_cell(found.get("in_scope_accuracy")), _cell(found.get("in_scope_at_oos80"))]
        return f"| {name} | " + " | ".join(cells) + " |"

    if "stock" in report:
        lines.append(row("Rasa 3.6.21, default pipeline, this machine", report["stock"]["mean"]))
    lines.append(row("**Hipwise**", report["mean"]))
    lines += ["", "Each condition:", "", *lines[:2]]
    for name, found in report["conditions"].items():
        lines.append(row(name, found))
        if "stock" in report:
            lines.append(row(f"{name}, default Rasa", report["stock"]["conditions"][name]))
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hint3", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "hint3", help="folder of HINT3 v1")
    parser.add_argument("--train", type=Path, help="a training file of the same form instead")
    parser.add_argument("--test", type=Path, help="its test file")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "hint3.json")
    parser.add_argument("--stock", action="store_true", help="also train and test Rasa's default pipeline")
    parser.add_argument("--stock-python", default=str(ROOT / ".venv-stock" / "bin" / "python"), help="its interpreter")
    options = parser.parse_args(arguments)
    if bool(options.train) != bool(options.test):
        parser.error("--train and --test go together")
    warnings.filterwarnings("ignore")
    if options.train:
        files = {options.train.stem: (options.train, options.test)}
    else:
        files = {
            f"{bot}{size}": (options.data / "train" / f"{bot}{size}_train.csv", options.data / "test" / f"{bot}_test.csv")
            for bot, size in CONDITIONS
        }
    report: dict[str, Any] = {"conditions": {}}
    for name, (train, test) in files.items():
        report["conditions"][name] = ours(train, test)
        print(f"{name}: best MCC {_cell(report['conditions'][name]['mcc'])}", file=sys.stderr, flush=True)
    report["mean"] = mean(report["conditions"])
    if options.stock:
        conditions = {name: stock(train, test, options.stock_python) for name, (train, test) in files.items()}
        report["stock"] = {"conditions": conditions, "mean": mean(conditions)}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(report, published=not options.train))
    return 0


if __name__ == "__main__":
    sys.exit(main())
