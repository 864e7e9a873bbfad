"""Loads the trained assistant, with its custom actions in this process."""

from __future__ import annotations

import gc
import importlib
import pkgutil
from pathlib import Path
from typing import Any

from hipwise.errors import HipwiseError
from hipwise.memory import give_back
from hipwise.paths import MODELS

MODEL_NAME = "hipwise.tar.gz"


def load_agent(model: Path | None = None, tracker_store: Any = None) -> Any:
    """Return the Rasa agent of the model at ``model``, ready to answer.

    Args:
        model: the model archive; by default the one that ``hipwise train`` wrote.
        tracker_store: where conversations are kept; by default in memory.

    Raises:
        HipwiseError: there is no model, or it cannot be loaded.
    """
    path = model or MODELS / MODEL_NAME
    if not path.is_file():
        raise HipwiseError(f"{path}: there is no trained model; run `uv run hipwise train` first.")
    from hipwise.quiet import quieten

    quieten()
    from rasa.core.agent import Agent
    from rasa.core.lock_store import InMemoryLockStore
    from rasa.core.tracker_store import InMemoryTrackerStore
    from rasa.engine.exceptions import GraphComponentException
    from rasa.exceptions import ModelNotFound
    from rasa.shared.core.domain import Domain
    from rasa.shared.exceptions import RasaException

    from hipwise import rasa_fixes

    rasa_fixes.apply()
    store = InMemoryTrackerStore(Domain.empty()) if tracker_store is None else tracker_store
    try:
        agent = Agent.load(
            model_path=path, tracker_store=store, lock_store=InMemoryLockStore(), action_endpoint=in_process_actions()
        )
    except (ModelNotFound, GraphComponentException, RasaException) as error:
        raise HipwiseError(f"{path}: the model cannot be loaded; run `uv run hipwise train --force`.") from error
    # What is loaded by now stays. Walking through all of it now and then would find nothing, and stop a turn for 0.2 s.
    gc.collect()
    gc.freeze()
    gc.enable()
    give_back()
    return agent


def in_process_actions() -> Any:
    """Return an action endpoint that runs the custom actions here, without an action server.

    Rasa asks an endpoint by HTTP and JSON (5 ms and a second process); this one hands the same JSON to the same executor
    that the action server uses.
    """
    from rasa.utils.endpoints import EndpointConfig
    from rasa_sdk.executor import ActionExecutor

    executor = ActionExecutor()
    for module in pkgutil.iter_modules(importlib.import_module("actions").__path__, "actions."):
        executor.register_package(module.name)

    class InProcessActions(EndpointConfig):
        async def request(self, method: str = "post", subpath: str | None = None, **kwargs: Any) -> Any:
            return await executor.run(kwargs["json"])

    # Actions read the responses themselves, so the domain (100 KB of JSON) need not travel with each call.
    return InProcessActions(url="in-process", selective_domain=True)
