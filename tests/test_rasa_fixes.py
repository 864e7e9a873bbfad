"""Each fix for Rasa gives the same result as Rasa's own, and steps aside where Rasa is not what it was written against."""

from __future__ import annotations

import ast
import asyncio
import copy
import importlib
import inspect
import json
import logging
import random
import tarfile
import threading
import types
from pathlib import Path
from typing import Any

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from hipwise import rasa_fixes
from hipwise.rasa_fixes import FIXES, TRAINING_FIXES, Fix

ALL = FIXES + TRAINING_FIXES


def of(name: str) -> Fix:
    """Return the fix whose name ends so."""
    return next(fix for fix in ALL if f"{fix.module}.{fix.name}".endswith(name))


def original(name: str) -> Any:
    """Return what Rasa has there, whether or not the fix is in place."""
    fix = of(name)
    if (fix.module, fix.name) in rasa_fixes._done:
        return rasa_fixes.original_of(fix.module, fix.name)
    owner, _, attribute = fix.name.rpartition(".")
    module = importlib.import_module(fix.module)
    return inspect.getattr_static(getattr(module, owner) if owner else module, attribute)


def made(name: str) -> Any:
    """Return the replacement."""
    return of(name).make(original(name))


def test_every_fix_finds_what_it_replaces() -> None:
    in_place = rasa_fixes.apply()
    assert set(in_place) == {f"{fix.module}.{fix.name}" for fix in FIXES} | (
        {f"{module}.{name}" for module, name in rasa_fixes._done} - {f"{fix.module}.{fix.name}" for fix in FIXES}
    )
    assert len(FIXES) == len({(fix.module, fix.name) for fix in FIXES})
    for fix in TRAINING_FIXES:
        if (fix.module, fix.name) not in rasa_fixes._done:
            assert rasa_fixes.source_digest(fix) == fix.digest, fix.name


def test_a_fix_steps_aside_where_rasa_differs(caplog: pytest.LogCaptureFixture) -> None:
    from rasa.shared.core import events

    names = ("do_events_begin_with_session_start", "gone")
    strangers = [Fix("rasa.shared.core.events", name, "0" * 16, lambda value: None) for name in names]
    with caplog.at_level(logging.WARNING):
        rasa_fixes.apply(strangers)
    assert events.do_events_begin_with_session_start is not None
    assert not hasattr(events, "gone")
    assert caplog.text.count("left as it is") == 2


# ------------------------------------------------------------------------------------------------- actions and events


@pytest.mark.parametrize(
    "result",
    [
        {"events": [], "responses": []},
        {"events": [{"event": "slot", "timestamp": None, "name": "topic", "value": "ask_mri"}], "responses": [{"text": "x"}]},
        {"events": [{"event": "slot"}], "responses": []},
        {"events": [{"name": "topic"}], "responses": []},
        {"events": {}, "responses": []},
        {"responses": "text"},
        [],
    ],
)
def test_an_actions_result_is_judged_alike(result: Any) -> None:
    from jsonschema import ValidationError
    from rasa.core.actions.action import RemoteAction

    def verdict(judge: Any) -> tuple[bool, str]:
        try:
            return bool(judge(RemoteAction("action_answer", None), copy.deepcopy(result))), ""
        except ValidationError as error:
            return False, error.message

    name = "RemoteAction._validate_action_result"
    assert verdict(made(name)) == verdict(original(name))


def test_event_classes_are_found_alike() -> None:
    from rasa.shared.core.events import ActionExecuted, Event
    from rasa.shared.utils.common import all_subclasses

    ours, theirs = made("Event.resolve_by_type"), original("Event.resolve_by_type")
    names = {kind.type_name for kind in all_subclasses(Event) if isinstance(kind.type_name, str)}
    assert len(names) > 20
    for name in [*sorted(names), *sorted(names)]:
        assert ours(name) is theirs(name)
    assert ours("topic") is None
    assert ours("nothing of the kind", ActionExecuted) is ActionExecuted
    for resolve in (ours, theirs):
        with pytest.raises(ValueError, match="nothing of the kind"):
            resolve("nothing of the kind")


# ------------------------------------------------------------------------------------------------- the graph


def graph_runners(*, broken: type[Exception] | None = None) -> list[Any]:
    """Return Rasa's runner and ours for a small graph: two inputs, a diamond, and a part that no target needs."""
    from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema, SchemaNode
    from rasa.engine.storage.resource import Resource
    from rasa.engine.storage.storage import ModelStorage

    calls: list[str] = []

    class Add(GraphComponent):
        @classmethod
        def create(
            cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
        ) -> Add:
            return cls()

        def run(self, left: int, right: int) -> int:
            if broken:
                raise broken("no")
            calls.append(f"{left}+{right}")
            return left + right

    def node(**needs: str) -> SchemaNode:
        return SchemaNode(needs=needs, uses=Add, constructor_name="create", fn="run", config={}, eager=True)

    schema = GraphSchema(
        {
            "last": node(left="one", right="two"),
            "one": node(left="a", right="b"),
            "two": node(left="one", right="a"),
            "unneeded": node(left="two", right="a"),
        }
    )
    kinds = [original("DaskGraphRunner"), made("DaskGraphRunner")]
    runners = [kind.create(schema, None, ExecutionContext(schema)) for kind in kinds]
    for runner in runners:
        runner.calls = calls
    return runners


def test_the_graph_gives_the_same_and_runs_nothing_else() -> None:
    outcomes = []
    for runner in graph_runners():
        runner.calls.clear()
        result = runner.run(inputs={"a": 1, "b": 2}, targets=["last", "two"])
        outcomes.append((result, sorted(runner.calls)))
    assert outcomes[0] == outcomes[1] == ({"last": 7, "two": 4}, ["1+2", "3+1", "3+4"])


@pytest.mark.parametrize("error", [ValueError, RuntimeError, KeyError])
def test_what_fails_in_the_graph_fails_alike(error: type[Exception]) -> None:
    from rasa.engine.exceptions import GraphComponentException, GraphRunError

    kinds = []
    for runner in graph_runners(broken=error):
        with pytest.raises((GraphComponentException, GraphRunError)) as caught:
            runner.run(inputs={"a": 1, "b": 2}, targets=["last"])
        kinds.append((type(caught.value), type(caught.value.__cause__)))
    assert kinds[0] == kinds[1]


async def test_understanding_runs_beside_the_event_loop() -> None:
    seen = []

    class Processor:
        http_interpreter = None

        def _parse_message_with_graph(self, message: str, tracker: object, only_output_properties: bool) -> dict[str, Any]:
            seen.append(threading.current_thread())
            return {"text": message, "intent": {}, "entities": []}

        def _update_full_retrieval_intent(self, data: dict[str, Any]) -> None:
            data["updated"] = True

        def _check_for_unseen_features(self, data: dict[str, Any]) -> None:
            data["checked"] = True

    parse = made("MessageProcessor.parse_message")
    results = await asyncio.gather(*(parse(Processor(), text, object()) for text in ("one", "two")))
    assert [result["text"] for result in results] == ["one", "two"]
    assert all(result["updated"] and result["checked"] for result in results)
    assert threading.main_thread() not in seen


# ------------------------------------------------------------------------------------------------- rules


def test_the_same_rules_apply() -> None:
    from rasa.core.policies.rule_policy import SHOULD_NOT_BE_SET, RulePolicy

    chance = random.Random(7)
    intents, actions = ["ask_a", "ask_b", "ask_c", None], ["action_listen", "action_answer", "action_urgent", None]

    def state(*, rule: bool) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if intent := chance.choice([*intents, SHOULD_NOT_BE_SET] if rule else intents):
            made["user"] = {"intent": intent} | ({"entities": ["medicine"]} if chance.random() < 0.3 else {})
        if action := chance.choice(actions):
            made["prev_action"] = {"action_name": action}
        if chance.random() < 0.3:
            made["slots"] = {"topic": chance.choice([[1.0], [0.0], SHOULD_NOT_BE_SET] if rule else [(1.0,), (0.0,)])}
        return made

    lookup = {json.dumps([state(rule=True) for _ in range(chance.randint(1, 3))]): "action_answer" for _ in range(300)}
    policies = [RulePolicy.__new__(RulePolicy), RulePolicy.__new__(RulePolicy)]
    ours, theirs = made("RulePolicy._get_possible_keys"), original("RulePolicy._get_possible_keys")
    found = 0
    for _ in range(400):
        states = [state(rule=False) for _ in range(chance.randint(1, 4))]
        expected = theirs(policies[0], lookup, states)
        assert ours(policies[1], lookup, states) == expected
        found += len(expected)
    assert found > 1000
    lookup[json.dumps([{"prev_action": {"action_name": "action_listen"}}])] = "action_urgent"
    states = [{"prev_action": {"action_name": "action_listen"}}]
    assert ours(policies[1], lookup, states) == theirs(policies[0], lookup, states), "the index follows the lookup"


def test_states_are_alike_after_every_event_and_nobody_can_spoil_them() -> None:
    from rasa.shared.core.events import ActionExecuted, BotUttered, SlotSet, UserUtteranceReverted, UserUttered
    from rasa.shared.core.trackers import DialogueStateTracker

    from hipwise.paths import DOMAIN

    domain = Domain.load(str(DOMAIN))
    ours, theirs = made("DialogueStateTracker.past_states"), original("DialogueStateTracker.past_states")
    tracker = DialogueStateTracker("one", domain.slots)
    slot = next(slot.name for slot in domain.slots if slot.influence_conversation)
    chance = random.Random(3)
    makers = [
        lambda: ActionExecuted("action_listen"),
        lambda: ActionExecuted("action_answer"),
        lambda: UserUttered("why", {"name": chance.choice(["ask_cause", "ask_duration"]), "confidence": 1.0}),
        lambda: SlotSet(slot, chance.choice(["ask_cause", None])),
        lambda: BotUttered("so"),
        UserUtteranceReverted,
    ]
    for number in range(60):
        for omit in (False, True):
            assert ours(tracker, domain, omit) == theirs(tracker, domain, omit)
            for state in ours(tracker, domain, omit):
                for part in state.values():
                    part.clear()
                state.clear()
            assert ours(tracker, domain, omit) == theirs(tracker, domain, omit), number
        rules = {"ignore_rule_only_turns": True, "rule_only_data": {}}
        assert ours(tracker, domain, **rules) == theirs(tracker, domain, **rules)
        tracker.update(chance.choice(makers)(), domain)
    other = Domain.load(str(DOMAIN))
    assert ours(tracker, other) == theirs(tracker, other)
    # The same number of events, another one at the end.
    tracker.events[-1] = UserUttered("how long", {"name": "ask_duration", "confidence": 1.0})
    assert ours(tracker, domain) == theirs(tracker, domain)


def test_states_are_worked_out_once() -> None:
    from rasa.shared.core.events import ActionExecuted
    from rasa.shared.core.trackers import DialogueStateTracker

    calls: list[Any] = []

    def work_out(*arguments: Any) -> list[Any]:
        calls.append(arguments)
        return [{"user": {}}]

    past_states = of("DialogueStateTracker.past_states").make(work_out)
    tracker = DialogueStateTracker("one", [])
    tracker.update(ActionExecuted("action_listen"))
    domain = object()
    for _ in range(3):
        assert past_states(tracker, domain) == [{"user": {}}]
    assert len(calls) == 1


@pytest.mark.parametrize("module", [fix.module for fix in FIXES if fix.name == "copy"])
def test_copies_that_are_left_out_serve_the_log_only(module: str) -> None:
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    within: set[ast.AST] = set()
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "structlogger.debug":
            within.update(ast.walk(call))
    copies = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "copy"]
    assert copies
    assert all(node in within for node in copies)


# ------------------------------------------------------------------------------------------------- models


@pytest.mark.filterwarnings("ignore:the load_module")  # pykwalify, with which Rasa checks the domain
def test_a_models_domain_loads_alike(tmp_path: Path) -> None:
    from rasa.engine.storage.local_model_storage import LocalModelStorage
    from rasa.engine.storage.resource import Resource
    from rasa.graph_components.providers.domain_provider import DomainProvider

    from hipwise.paths import DOMAIN

    storage = LocalModelStorage.create(tmp_path)
    resource = Resource("domain")
    DomainProvider(storage, resource)._persist(Domain.from_file(str(DOMAIN)))
    domains = []
    for load in (original("DomainProvider.load"), made("DomainProvider.load")):
        provider = load.__func__(DomainProvider, {}, storage, resource, None)
        domains.append(provider.provide_inference())
    theirs, ours = domains
    assert ours.as_dict() == theirs.as_dict()
    assert ours.fingerprint() == theirs.fingerprint()
    assert ours.action_names_or_texts == theirs.action_names_or_texts
    assert [slot.name for slot in ours.slots] == [slot.name for slot in theirs.slots]


def test_archives_are_unpacked_alike_and_stay_in_their_folder(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "metadata.json").write_text("{}")
    with made("TarSafe").open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "model", arcname="")
    for number, extract in enumerate((original("_extract_archive_to_directory"), made("_extract_archive_to_directory"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        extract(tmp_path / "model.tar.gz", folder)
        assert [path.name for path in folder.iterdir()] == ["metadata.json"]

    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "model" / "metadata.json", arcname="../outside.json")
    with pytest.raises(tarfile.OutsideDestinationError):
        made("_extract_archive_to_directory")(tmp_path / "bad.tar.gz", tmp_path / "0")
    assert not (tmp_path / "outside.json").exists()


# ------------------------------------------------------------------------------------------------- training


def examples() -> list[Message]:
    """Return messages, some of them twice, some alike but for one thing."""
    return [
        Message({"text": "how long", "intent": "ask_duration"}),
        Message({"text": "how long", "intent": "ask_duration"}),
        Message({"text": "how long", "intent": "ask_duration", "metadata": {"example": 1}}),
        Message({"text": "how long", "intent": "ask_cause"}),
        Message({"text": "why"}),
        Message({"action_name": "action_answer"}),
        Message({"action_name": "action_answer"}),
    ]


def test_duplicates_are_dropped_alike() -> None:
    ours, theirs = made("Message.__hash__"), original("Message.__hash__")
    messages = examples()
    for one in messages:
        for other in messages:
            if theirs(one) == theirs(other):
                assert ours(one) == ours(other)
    kept = {}
    for name, hash_of in (("ours", ours), ("theirs", theirs)):
        kind = type("Hashed", (Message,), {"__hash__": hash_of, "__eq__": Message.__eq__})
        kept[name] = [m.data for m in TrainingData.sanitize_examples([kind(dict(m.data)) for m in examples()])]
    assert kept["ours"] == kept["theirs"]
    assert len(kept["ours"]) == 5


def test_training_data_is_copied_as_deeply() -> None:
    import numpy as np
    from rasa.shared.nlu.training_data.features import Features

    assert isinstance(original("training_data.copy"), types.ModuleType)
    numbers = Features(np.ones((1, 2)), "sentence", "text", "test")
    message = Message({"text": "why", "entities": [{"entity": "test", "value": "MRI"}]}, output_properties={"text"})
    message.features = [numbers]
    twin = made("training_data.copy").deepcopy([message])[0]
    assert twin == message
    assert twin.output_properties == message.output_properties
    assert twin.features[0] is not numbers
    twin.data["entities"][0]["value"] = "X-ray"
    twin.output_properties.add("intent")
    assert message.data["entities"][0]["value"] == "MRI"
    assert "intent" not in message.output_properties


def test_archives_are_written_fast_and_read_by_anyone(tmp_path: Path) -> None:
    (tmp_path / "numbers").write_text("0123456789" * 1000)
    with made("TarSafe").open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "numbers", arcname="numbers")
    assert (tmp_path / "model.tar.gz").read_bytes()[8] == 4, "gzip's own mark of its fastest level"
    with original("TarSafe").open(tmp_path / "model.tar.gz", "r:gz") as archive:
        assert archive.getnames() == ["numbers"]


def test_training_computes_no_fingerprints() -> None:
    hook = made("TrainingHook")(cache=None, model_storage=None, pruned_schema=None)
    assert hook.on_before_node("node", None, {}, {}) == {}
    hook.on_after_node(node_name="node", execution_context=None, config={}, output=object(), input_hook_data={})


NLU_SCHEMA = "shared/nlu/training_data/schemas/nlu.yml"


@pytest.mark.parametrize(
    "content",
    [
        'version: "3.1"\nnlu:\n- intent: ask_cause\n  examples: |\n    - why\n',
        'version: "3.1"\nnlu:\n- intent: [ask_cause]\n  examples: 3\n',
        "nlu: why\n",
        "nlu:\n- intent: one\n  intent: two\n",
        "nlu: [\n",
        "",
    ],
)
def test_files_are_checked_alike(content: str) -> None:
    said = []
    for check in (original("validate_yaml_schema"), made("validate_yaml_schema")):
        try:
            check(content, NLU_SCHEMA)
            said.append("")
        except RasaException as error:
            said.append(f"{type(error).__name__}: {error}")
    assert said[0] == said[1]


def test_a_file_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from pykwalify.core import Core

    checked = []
    monkeypatch.setattr(Core, "validate", lambda self, raise_exception: checked.append(self))
    check = made("validate_yaml_schema")
    for content in ("nlu: []", "nlu: []", "nlu: [1]"):
        check(content, NLU_SCHEMA)
    assert len(checked) == 2
