"""What each component of the NLU pipeline takes of a message: ``python -W ignore -m benchmarks.performance.components``.

The trained model parses held-out messages on one thread, each for the first time, after as many others have warmed it up.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

from benchmarks._pipeline import pipeline_of
from benchmarks.performance.load import messages

MESSAGES = 300


def measure(agent: Any, texts: list[str]) -> dict[str, list[float]]:
    """Milliseconds of each component for each text, in the order of the pipeline; ``all`` is their sum."""
    from rasa.shared.nlu.training_data.message import Message

    nodes = agent.processor.graph_runner._instantiated_nodes.values()
    components = {type(node._component).__name__: node._component for node in nodes}
    names = [part["name"].rpartition(".")[2] for part in pipeline_of()]
    taken: dict[str, list[float]] = {name: [] for name in [*names, "all"]}
    for text in texts:
        parsed = [Message(data={"text": text})]
        for name in names:
            started = time.perf_counter()
            parsed = components[name].process(parsed)
            taken[name].append((time.perf_counter() - started) * 1000)
        taken["all"].append(sum(taken[name][-1] for name in names))
    return taken


def main() -> int:
    """Print median and 95th percentile."""
    from hipwise.agent import load_agent

    agent = load_agent()
    texts = messages(2 * MESSAGES)
    measure(agent, texts[::2])
    print("| component | median ms | 95 % |\n|---|--:|--:|")
    for name, values in measure(agent, texts[1::2]).items():
        print(f"| {name} | {statistics.median(values):.2f} | {statistics.quantiles(values, n=20)[-1]:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
