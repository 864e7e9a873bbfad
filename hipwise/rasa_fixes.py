"""Mends Rasa 3.6.21 where it wastes time on every message. The answers stay the same.

Rasa's open-source line ended with 3.6.21, so nobody will mend it there. Each fix below names what it replaces, why, and
what it saves; figures are from this project's model on one core of a small server. A fix is put in place only where the
code that it replaces is, to the letter, the code that it was written against: :func:`apply` compares hashes, and leaves
Rasa's own in place, slower and as right as ever, where they differ. ``tests/test_rasa_fixes.py`` compares them.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import importlib
import inspect
import logging
import os
import tarfile
import types
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

log = logging.getLogger(__name__)

#: The version that the fixes were written against.
RASA_VERSION = "3.6.21"


class Fix(NamedTuple):
    """One replacement.

    Attributes:
        module: the module that holds what is replaced.
        name: its qualified name there.
        digest: of the source that it was written against, see :func:`source_digest`.
        make: given the original, returns the replacement.
    """

    module: str
    name: str
    digest: str
    make: Callable[[Any], Any]


# --- a custom action's result is checked by a validator that is compiled once, and in Rust: 23 ms an action become 0.01

@functools.cache
def _action_result_validator(schema: Callable[[], dict[str, Any]]) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(schema())


def _validate_action_result(original: Callable[..., bool]) -> Callable[..., bool]:
    """``jsonschema.validate`` checks the schema itself, each time. The schema does not change.

    What jsonschema-rs does not take is put before Rasa's own, which has the last word.
    """

    def validate(self: Any, result: dict[str, Any]) -> bool:
        # A static method, so one function for all actions; a class that has another is given a validator of its own.
        if _action_result_validator(type(self).action_response_format_spec).is_valid(result):
            return True
        return original(self, result)  # raises, with the words that Rasa has for it

    return validate


# --- the class of an event is looked up instead of searched for among all subclasses of all subclasses: 0.13 ms an event

_event_classes: dict[str, Any] = {}


def _resolve_by_type(original: staticmethod[..., Any]) -> Any:
    def resolve(type_name: str, default: Any = None) -> Any:
        found = _event_classes.get(type_name)
        if found is None:
            found = original(type_name, default)
            # Not the default, which is the caller's, and not a class that was made meanwhile and may go again.
            if found is not None and found is not default and found.__module__ == "rasa.shared.core.events":
                _event_classes[type_name] = found
        return found

    return staticmethod(resolve)


# --- the trained graph runs in order; dask's scheduler builds, optimises and walks it anew for every message: 2 ms a turn

def _ordered_graph_runner(original: type) -> type:
    """A graph runner for trained models: one process, one thread, each component after those that it needs.

    It is also what dask's synchronous scheduler does, in the end.
    """
    from rasa.engine.exceptions import GraphComponentException, GraphRunError
    from rasa.shared.exceptions import InvalidConfigException, RasaException

    class OrderedGraphRunner(original):
        """Runs a graph's components in an order that is worked out once."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._orders: dict[tuple[str, ...], list[str] | None] = {}

        def run(self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None) -> dict[str, Any]:
            """Return the output of each target."""
            wanted = tuple(targets if targets else self._graph_schema.target_names)
            if wanted not in self._orders:
                self._orders[wanted] = self._order(wanted)
            order = self._orders[wanted]
            results = dict(inputs or {})
            if order is None or not results.keys().isdisjoint(self._instantiated_nodes):
                return super().run(inputs, targets)  # type: ignore[no-any-return]
            try:
                for name in order:
                    results[name] = self._call(self._instantiated_nodes[name], results)
            except RuntimeError as error:
                raise GraphRunError("Error running runner.") from error
            return {name: results[name] for name in wanted}

        def _order(self, wanted: tuple[str, ...]) -> list[str] | None:
            """Return the nodes to run, each after what it needs; None where hooks watch or nodes load late: dask's turn."""
            schema = self._graph_schema.minimal_graph_schema(list(wanted))
            order: list[str] = []
            open_nodes: set[str] = set()

            def visit(name: str) -> None:
                if name in order or name not in schema.nodes:
                    return
                if name in open_nodes:
                    raise GraphRunError(f"The graph has a cycle at '{name}'.")
                open_nodes.add(name)
                for needed in schema.nodes[name].needs.values():
                    visit(needed)
                order.append(name)

            for name in wanted:
                visit(name)
            nodes = [self._instantiated_nodes[name] for name in order]
            return order if all(node._eager and not node._hooks for node in nodes) else None

        @staticmethod
        def _call(node: Any, results: dict[str, Any]) -> Any:
            try:
                given = {parameter: results[provider] for parameter, provider in node._inputs.items()}
            except KeyError as error:
                raise GraphRunError(
                    f"Missing input to run node '{node._node_name}'. Expected input '{error.args[0]}' to provide a parameter."
                ) from None
            try:
                return node._fn(node._component, **given)
            except (InvalidConfigException, RasaException):
                raise
            except Exception as error:
                raise GraphComponentException(f"Error running graph component for node {node._node_name}.") from error

    return OrderedGraphRunner


# --- understanding runs beside the event loop: other patients are served meanwhile, on the other core


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(4, os.cpu_count() or 1), "understanding")


def _parse_message(original: Callable[..., Any]) -> Callable[..., Any]:
    """Most of it is arithmetic outside Python's global lock; the trained components keep nothing from message to message."""

    async def parse(
        self: Any, message: Any, tracker: Any = None, only_output_properties: bool = True
    ) -> dict[str, Any]:
        if self.http_interpreter or tracker is None:
            return await original(self, message, tracker, only_output_properties)  # type: ignore[no-any-return]
        data: dict[str, Any] = await asyncio.get_running_loop().run_in_executor(
            _threads(), self._parse_message_with_graph, message, tracker, only_output_properties
        )
        self._update_full_retrieval_intent(data)
        self._check_for_unseen_features(data)
        return data

    return parse


# --- only rules that can match the latest state are compared with the conversation, not all of them: 3 ms a turn

class _RuleIndex:
    """The rules of one lookup by what their last state asks for: the action before, and the intent."""

    def __init__(self, lookup: dict[str, Any], states_of: Callable[[str], list[dict[str, Any]]], not_set: str) -> None:
        self.lookup = lookup
        self.size = len(lookup)
        self._by_need: dict[tuple[Any, Any], list[str]] = {}
        for key in lookup:
            states = states_of(key)
            last = states[-1] if states else {}
            need = (_need(last, "prev_action", "action_name", not_set), _need(last, "user", "intent", not_set))
            self._by_need.setdefault(need, []).append(key)

    def candidates(self, state: dict[str, Any]) -> list[str]:
        """Return the rules whose last state this one may match; those left out surely do not."""
        action = state.get("prev_action", {}).get("action_name")
        intent = state.get("user", {}).get("intent")
        found: list[str] = []
        for need in {(a, i) for a in (action, None) for i in (intent, None)}:
            found += self._by_need.get(need, ())
        return found


def _need(state: dict[str, Any], kind: str, name: str, not_set: str) -> Any:
    """Return the value that a rule's state asks for, or None where it asks for none in particular."""
    value = state.get(kind, {}).get(name)
    return value if isinstance(value, str) and value and value != not_set else None


def _get_possible_keys(original: Callable[..., set[str]]) -> Callable[..., set[str]]:
    from rasa.core.policies.rule_policy import SHOULD_NOT_BE_SET

    def possible_keys(self: Any, lookup: dict[str, Any], states: list[dict[str, Any]]) -> set[str]:
        if not states or not lookup or not states[-1].get("prev_action"):
            return original(self, lookup, states)
        indices = self.__dict__.setdefault("_hipwise_indices", {})
        index = indices.get(id(lookup))
        if index is None or index.lookup is not lookup or index.size != len(lookup):
            index = indices[id(lookup)] = _RuleIndex(lookup, self._rule_key_to_state, SHOULD_NOT_BE_SET)
        candidates = index.candidates(states[-1])
        return original(self, dict.fromkeys(candidates), states) if candidates else set()

    return possible_keys


# --- lines of the log that nobody prints are not given deep copies of what the patient said: 0.5 ms a turn

def _copies_for_the_log(original: types.ModuleType) -> Any:
    """In these modules ``copy.deepcopy`` serves debug lines only. The lines are filtered out; the copies were made anyway."""
    return types.SimpleNamespace(copy=original.copy, deepcopy=lambda value: value)


# --- the states of a conversation are worked out once a prediction, not anew for each policy and each look at the rules: 0.8 ms


def _past_states(original: Callable[..., Any]) -> Callable[..., Any]:
    """States follow from a tracker's events and the domain alone, and a policy may change those that it is given.

    To work them out, Rasa replays the conversation and copies the tracker's slots before every action.
    """

    def past_states(
        self: Any,
        domain: Any,
        omit_unset_slots: bool = False,
        ignore_rule_only_turns: bool = False,
        rule_only_data: dict[str, Any] | None = None,
    ) -> Any:
        if ignore_rule_only_turns or not self.events:
            return original(self, domain, omit_unset_slots, ignore_rule_only_turns, rule_only_data)
        last, size = self.events[-1], len(self.events)
        known = self.__dict__.get("_hipwise_states")
        if known is None or known[0] is not last or known[1] is not domain or known[2] != (size, omit_unset_slots):
            known = self._hipwise_states = last, domain, (size, omit_unset_slots), original(self, domain, omit_unset_slots)
        return [{name: dict(part) for name, part in state.items()} for state in known[3]]

    return past_states


# --- a model's domain was checked when it was trained; parsing it for the check alone takes 0.9 s of every start

def _load_domain(original: Any) -> Any:
    # Rasa reads the annotations of its components' methods.
    @functools.wraps(original.__func__)
    def load(
        cls: type[Any], /, config: dict[str, Any], model_storage: Any, resource: Any, execution_context: Any, **kwargs: Any
    ) -> Any:
        """Creates provider using a persisted version of itself."""
        from rasa.shared.core.domain import Domain
        from rasa.shared.utils.io import read_file, read_yaml

        with model_storage.read_from(resource) as folder:
            files = sorted(Path(folder).iterdir())
            if [file.name for file in files] != ["domain.yml"]:
                return original.__func__(cls, config, model_storage, resource, execution_context, **kwargs)
            domain = Domain.from_dict(Domain.merge_domain_dicts(read_yaml(read_file(files[0])), {}))
        return cls(model_storage, resource, domain)

    return classmethod(load)


# --- a model archive is unpacked once, not first to look at its member names and then again: 0.4 s of every start

def _extract_archive(original: Any) -> Any:
    def extract(model_archive_path: Path | str, temporary_directory: Path) -> None:
        from rasa.engine.storage.local_model_storage import LocalModelStorage

        with tarfile.open(model_archive_path, mode="r:gz") as archive:
            # Refuses what leaves the folder, links out of it, and devices (PEP 706), as it goes.
            archive.extractall(temporary_directory, filter="data")
        LocalModelStorage._assert_not_rasa2_archive(temporary_directory)

    return staticmethod(extract)


# --- training: no fingerprint of everything for a cache that is never read: 6 s of a training


def _no_training_cache(original: type) -> type:
    """``hipwise train`` trains all or nothing, by a fingerprint of the sources.

    Rasa's hook fingerprints what goes into and comes out of each component, message by message, and keeps a copy of it.
    """
    from rasa.engine.graph import GraphNodeHook

    class NoTrainingCache(GraphNodeHook):
        """Neither computes fingerprints nor keeps outputs."""

        def __init__(self, cache: Any, model_storage: Any, pruned_schema: Any) -> None:
            pass

        def on_before_node(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
            """Return nothing for after."""
            return {}

        def on_after_node(self, *args: Any, **kwargs: Any) -> None:
            """Do nothing."""

    return NoTrainingCache


# --- training: duplicates are found by text and intent first, not by hashing each message as JSON: 2 s


def _message_hash(original: Callable[[Any], int]) -> Callable[[Any], int]:
    """Equal messages have equal texts and intents; whether those are equal, ``__eq__`` says by fingerprint, as before."""

    def hash_of(self: Any) -> int:
        words = [value for name in ("text", "intent", "action_name") if isinstance(value := self.data.get(name), str)]
        # Not `hash`, which differs from process to process: the order of a set must not.
        return zlib.crc32("\0".join(words).encode("utf-8", "surrogatepass"))

    return hash_of


# --- training: training data is merged seven times, each with a deep copy of every example: 3 s


def _plain_copies(original: types.ModuleType) -> Any:
    """Copies examples as deeply as :func:`copy.deepcopy`, knowing what they are made of."""
    from rasa.shared.nlu.training_data.message import Message

    def deepcopy(value: Any) -> Any:
        kind = type(value)
        if kind is str or kind is int or kind is float or kind is bool or value is None:
            return value
        if kind is dict:
            return {deepcopy(key): deepcopy(part) for key, part in value.items()}
        if kind is list:
            return [deepcopy(part) for part in value]
        if kind is set:
            return {deepcopy(part) for part in value}
        if kind is Message:
            made = object.__new__(Message)
            made.__dict__.update({name: deepcopy(part) for name, part in value.__dict__.items()})
            return made
        return original.deepcopy(value)

    return types.SimpleNamespace(copy=original.copy, deepcopy=deepcopy)


# --- training: the archive is compressed at level 1: 1.5 s, for 3 % more bytes


def _fast_archive(original: type[Any]) -> type[Any]:
    """Most of a model is numbers, which do not become smaller however long one tries."""

    class FastTarSafe(original):
        """Writes gzip at level 1."""

        @classmethod
        def open(cls, name: Any = None, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            """Open as the original does."""
            return original.open(name, mode, *args, **({"compresslevel": 1} if mode == "w:gz" else {}), **kwargs)

    return FastTarSafe


# --- training: each file is checked once, and parsed for that in C: 3 s


def _validate_yaml_schema(original: Callable[..., None]) -> Callable[..., None]:
    """Whether a file keeps to its schema.

    Rasa parses each file for that with the parser in Python that remembers lines, two or three times in a training, though lines
    are needed only where something is wrong: what does not pass here is checked by Rasa itself, which says where.
    """
    passed: set[bytes] = set()

    def keeps_to(content: str, schema_path: str, package_name: str) -> bool:
        import pkg_resources
        from pykwalify.core import Core
        from rasa.shared.constants import PACKAGE_NAME, RESPONSES_SCHEMA_FILE, SCHEMA_EXTENSIONS_FILE
        from rasa.shared.utils.io import read_yaml, read_yaml_file

        def schema(name: str, package: str = PACKAGE_NAME) -> Any:
            return read_yaml_file(pkg_resources.resource_filename(package, name))

        logging.getLogger("pykwalify").setLevel(logging.CRITICAL)
        check = Core(
            source_data=read_yaml(content),
            schema_data={**schema(schema_path, package_name), **schema(RESPONSES_SCHEMA_FILE)},
            extensions=[pkg_resources.resource_filename(PACKAGE_NAME, SCHEMA_EXTENSIONS_FILE)],
        )
        check.validate(raise_exception=False)
        return not check.errors

    def validate(yaml_file_content: str, schema_path: str, package_name: str = "rasa") -> None:
        mark = hashlib.sha256("\0".join([package_name, schema_path, yaml_file_content]).encode("utf-8", "surrogatepass")).digest()
        if mark in passed:
            return
        good = False
        with contextlib.suppress(Exception):  # whatever is wrong, Rasa's own says it better
            good = keeps_to(yaml_file_content, schema_path, package_name)
        if not good:
            original(yaml_file_content, schema_path, package_name)
        passed.add(mark)

    return validate


FIXES = (
    Fix("rasa.core.actions.action", "RemoteAction._validate_action_result", "f8cdb4be68123961", _validate_action_result),
    Fix("rasa.shared.core.events", "Event.resolve_by_type", "b5cf570fa7f286c7", _resolve_by_type),
    Fix("rasa.core.processor", "DaskGraphRunner", "4bf8bbd2545dac20", _ordered_graph_runner),
    Fix("rasa.core.processor", "MessageProcessor.parse_message", "b98d8e49b9f2c433", _parse_message),
    Fix("rasa.core.policies.rule_policy", "RulePolicy._get_possible_keys", "2915fd81711e194c", _get_possible_keys),
    Fix("rasa.core.processor", "copy", "f42dfbf26e2ffcb6", _copies_for_the_log),
    Fix("rasa.core.policies.rule_policy", "copy", "952d1a13906511ac", _copies_for_the_log),
    Fix("rasa.core.policies.memoization", "copy", "e4519f1a04ecdcce", _copies_for_the_log),
    Fix("rasa.shared.core.trackers", "DialogueStateTracker.past_states", "5463eefb5c69d27f", _past_states),
    Fix("rasa.graph_components.providers.domain_provider", "DomainProvider.load", "75a21f7228a83368", _load_domain),
    Fix(
        "rasa.engine.storage.local_model_storage",
        "LocalModelStorage._extract_archive_to_directory",
        "bb945b3a4e7d68f3",
        _extract_archive,
    ),
)

#: For training only.
TRAINING_FIXES = (
    Fix("rasa.engine.training.graph_trainer", "TrainingHook", "5b46cfb2dc2e1340", _no_training_cache),
    Fix("rasa.shared.nlu.training_data.message", "Message.__hash__", "2abad92d8bedb17f", _message_hash),
    Fix("rasa.shared.nlu.training_data.training_data", "copy", "1432cb5c428e6c5b", _plain_copies),
    Fix("rasa.engine.storage.local_model_storage", "TarSafe", "0f74f8206da94755", _fast_archive),
    Fix("rasa.shared.utils.validation", "validate_yaml_schema", "e039106753a595c2", _validate_yaml_schema),
)

_done: dict[tuple[str, str], Any] = {}


def source_digest(fix: Fix) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of the source that ``fix`` replaces, as it is installed.

    For an imported name (a class or module of elsewhere) it is that of both the module and what the name stands for, since
    what matters is how the one uses the other. Empty where there is nothing of that name.
    """
    module = importlib.import_module(fix.module)
    owner, _, attribute = fix.name.rpartition(".")
    found = inspect.getattr_static(getattr(module, owner, None) if owner else module, attribute, None)
    found = getattr(found, "__func__", found)
    if found is None:
        return ""
    if isinstance(found, types.FunctionType):
        source = inspect.getsource(found)
    elif isinstance(found, types.ModuleType):
        source = inspect.getsource(module)
    else:
        source = inspect.getsource(module) + inspect.getsource(inspect.getmodule(found) or module)
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def apply(fixes: Iterable[Fix] = FIXES) -> list[str]:
    """Put the fixes in place, once; return the names of all that are in place.

    One whose original is not what it was written against is left out, with a warning in the log.
    """
    import rasa.version

    for fix in fixes:
        if (fix.module, fix.name) in _done:
            continue
        if rasa.version.__version__ != RASA_VERSION or source_digest(fix) != fix.digest:
            log.warning("%s.%s is not what the fix for Rasa %s replaces; left as it is", fix.module, fix.name, RASA_VERSION)
            continue
        module = importlib.import_module(fix.module)
        owner_name, _, attribute = fix.name.rpartition(".")
        owner = getattr(module, owner_name) if owner_name else module
        original = inspect.getattr_static(owner, attribute)
        _done[fix.module, fix.name] = original
        setattr(owner, attribute, fix.make(original))
    return [f"{module}.{name}" for module, name in _done]


def original_of(module: str, name: str) -> Any:
    """Return what stood at ``module``'s ``name`` before :func:`apply`, as a class holds it (a ``staticmethod`` stays one)."""
    return _done[module, name]
