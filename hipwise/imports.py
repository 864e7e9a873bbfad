"""Leaves out of memory what serving never uses, without taking it away.

Importing Rasa imports the SDKs of its fifteen channels, four databases and three message brokers, plus matplotlib, dask and
all of scikit-learn: 1,900 modules, two seconds and 130 MB, of which answering a patient uses nothing.

:func:`defer` puts a stand-in in the place of each such module, which imports the real one when it is touched; so whoever
really uses boto3 or pymongo gets boto3 or pymongo. Only one reader is put off: the top level of one of Rasa's (or spaCy's,
or structlog's) own modules, where a name is imported to be used later, or in an annotation. It gets a :class:`_Later`,
which becomes the real thing when it is called, subclassed, indexed or looked into.

Only Hipwise's own commands call this; ``rasa train``, ``rasa run`` and ``rasa shell`` import as they always did.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import threading
import types
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

#: Packages that Rasa imports for channels, stores, brokers, plots, training and the command line.
PACKAGES = frozenset(
    {
        # other channels' SDKs
        "aiogram", "engineio", "fbmessenger", "google", "mattermostwrapper", "rocketchat_API", "slack_sdk", "socketio",
        "twilio", "webexteamssdk",
        # tracker stores, lock stores and event brokers of other kinds
        "aio_pika", "boto3", "botocore", "bson", "confluent_kafka", "psycopg2", "pymongo", "redis",
        # training, evaluation and pictures
        "dask", "joblib", "matplotlib", "networkx", "pydot", "sklearn", "sklearn_crfsuite", "skops",
        # reminders, which no rule of ours sets
        "apscheduler",
        # signed tokens of Rasa's own channels and interface, and colours in its log
        "jwt", "rich",
        # the command line's dialogues, telemetry and the like
        "colorclass", "pkg_resources", "portalocker", "prompt_toolkit", "pykwalify", "questionary", "randomname", "requests",
        "sentry_sdk", "terminaltables",
    }
)  # fmt: skip

#: Single modules that other modules of Rasa, SciPy and spaCy import and serving does not use.
MODULES = frozenset(
    {
        "rasa.cli.utils",
        "rasa.core.channels",
        "rasa.core.jobs",
        "rasa.core.test",
        "rasa.model_testing",
        "rasa.nlu.test",
        "rasa.telemetry",
        "rasa.utils.plotting",
        "scipy.stats",
        "spacy.cli",
        "spacy.cli.info",
    }
)

#: Of what a package only says about itself, this needs the package; the rest is asked by whoever walks through sys.modules.
_NEEDS_THE_MODULE = frozenset({"__all__", "__version__"})

_lock = threading.RLock()
#: Packages of which a module was used: from then on they are imported like any other.
_used: set[str] = set()


class _Deferred(types.ModuleType):
    """A module that has not run yet."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__") and name not in _NEEDS_THE_MODULE:
            raise AttributeError(name)
        if not name.endswith(("Error", "Exception", "Warning")) and _asked_in_passing():
            return _Later(self, name)
        return getattr(_real(self), name)


def _asked_in_passing() -> bool:
    frame = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__") == "importlib._bootstrap":
        frame = frame.f_back  # type: ignore[assignment]
    return (
        frame is not None
        and frame.f_code.co_name == "<module>"
        and str(frame.f_globals.get("__name__", "")).partition(".")[0] in ("rasa", "spacy", "structlog")
    )


def _real(module: types.ModuleType) -> types.ModuleType:
    """Return the module that ``module`` stands for, having run it."""
    if type(module) is not _Deferred:
        return module
    known: types.ModuleType | None = module.__dict__.get("_hipwise_real")
    if known is None:
        top = module.__name__.partition(".")[0]
        known = _import_package(module.__name__, top) if top in PACKAGES else _run_in_place(module)
        module.__dict__["_hipwise_real"] = known
    return known


def _import_package(name: str, top: str) -> types.ModuleType:
    """Import a module of a package whose modules were all deferred, in the order that the package is used to.

    Running them one by one as they are touched would be another order, and packages import themselves in circles.
    """
    with _lock:
        if top not in _used:
            _used.add(top)
            for other in [other for other, stand_in in sys.modules.items() if type(stand_in) is _Deferred]:
                if other.partition(".")[0] == top:
                    del sys.modules[other]
    return importlib.import_module(name)


def _run_in_place(module: types.ModuleType) -> types.ModuleType:
    """Run a single module, in the object that its submodules and its parent already know."""
    spec = module.__spec__
    assert spec is not None  # noqa: S101 - every deferred module was made from one
    with _lock:
        if type(module) is _Deferred:
            loader = spec.loader_state
            # From here on it is an ordinary module; what it imports in a circle finds what is there by then.
            module.__class__ = types.ModuleType  # type: ignore[assignment]
            module.__loader__ = spec.loader = loader
            loader.exec_module(module)
    return module


class _Later:
    """A name of a deferred module; becomes the real object at first use."""

    def __init__(self, module: types.ModuleType, name: str) -> None:
        self._later = (module, name)

    def _now(self) -> Any:
        module, name = self._later
        try:
            return getattr(_real(module), name)
        except AttributeError:
            return importlib.import_module(f"{module.__name__}.{name}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return getattr(self._now(), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._now()(*args, **kwargs)

    def __getitem__(self, key: Any) -> Any:
        return self._now()[key]

    def __iter__(self) -> Any:
        return iter(self._now())

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._now(),)

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, self._now())

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, self._now())

    # `Collection | None` in an annotation; what it means matters to nobody here.
    def __or__(self, other: Any) -> Any:
        return Any

    __ror__ = __or__

    def __repr__(self) -> str:
        return f"<{self._later[0].__name__}.{self._later[1]}, not imported yet>"


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules to be deferred, before anyone else does."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        top = fullname.partition(".")[0]
        if fullname not in MODULES and (top not in PACKAGES or top in _used):
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if found is None or not isinstance(found.loader, importlib.machinery.SourceFileLoader):
            return found
        found.loader_state = found.loader
        found.loader = _Loader()
        return found


class _Loader(importlib.abc.Loader):
    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Deferred(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        return None


def defer() -> None:
    """Defer these imports from now on, in this process; what is already imported stays as it is."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def share_memory() -> None:
    """Let all threads allocate from one arena.

    glibc gives each thread its own, and each keeps what its busiest moment needed: 17 MB more after some hundred messages.
    """
    import ctypes

    arena_max = -8  # M_ARENA_MAX in malloc.h
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").mallopt(arena_max, 1)


def deferred() -> list[str]:
    """Return the names of the modules that stand in memory without having run."""
    return sorted(name for name, module in list(sys.modules.items()) if type(module) is _Deferred)
