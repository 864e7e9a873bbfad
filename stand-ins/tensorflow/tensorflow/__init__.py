"""Stands where TensorFlow would, so that Rasa imports without it.

Rasa 3.6 imports TensorFlow at the top of many modules, also of those that never compute with it. Hipwise's pipeline uses
none of it (no DIET, no TED, no ResponseSelector), so 1.5 GB of wheel would be installed only to satisfy ``import``.

Everything that is read off this package, at any depth, is a :class:`_Missing` class: it can be subclassed, used as a
decorator or a default value, and compared. Everything that would compute raises :class:`TensorFlowNotInstalled` when it is
*used* after import is over (see :func:`require`). Where the real TensorFlow is installed it is this package that is not:
they have one name, so the resolver picks one (``uv sync --group stock`` picks the real one).
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from typing import Any

__version__ = "2.12.0+hipwise.standin"
IS_STAND_IN = True

_HINT = (
    "this needs the real TensorFlow, which Hipwise does not install; "
    "run `make stock` for an environment that has it, or take the component out of config.yml"
)


class TensorFlowNotInstalled(ImportError):
    """Raised when a component that computes with TensorFlow is made in an environment without it."""


class _MissingType(type):
    """Metaclass: attributes of a missing class are missing classes too."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return _missing(f"{cls.__module__}.{cls.__qualname__}.{name}")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        # Decorators, bare (`@tf.function`) and with arguments (`@tf.function(...)`), hand back what they decorate.
        if cls.__dict__.get("_is_missing") and len(args) == 1 and not kwargs and callable(args[0]):
            return args[0]
        if cls.__dict__.get("_is_missing"):
            return super().__call__()
        raise TensorFlowNotInstalled(f"{cls.__name__}: {_HINT}")

    # Type expressions such as `Union[tf.Tensor, None]` and `tf.Tensor | None` are evaluated on import.
    def __or__(cls, other: Any) -> Any:
        return Any

    def __ror__(cls, other: Any) -> Any:
        return Any

    def __getitem__(cls, item: Any) -> Any:
        return cls


def _decorate(_self: Any, target: Any = None, *_args: Any, **_kwargs: Any) -> Any:
    return target


def _missing(path: str) -> Any:
    module, _, name = path.rpartition(".")
    body = {"__module__": module, "__qualname__": name, "_is_missing": True, "__call__": _decorate}
    return _MissingType(name, (), body)


class _Module(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        value = _missing(f"{self.__name__}.{name}")
        setattr(self, name, value)
        return value


#: Packages that come with TensorFlow; Rasa imports them too.
_WITH_IT = ("keras", "tensorflow_addons", "tensorflow_hub", "tensorflow_text")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes `import tensorflow.any.thing` an empty module whose attributes are missing classes."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        # Last on the path, so that whatever is really installed wins.
        if fullname.partition(".")[0] in ("tensorflow", *_WITH_IT):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        return None


sys.meta_path.append(_Finder())


def __getattr__(name: str) -> Any:
    if name.startswith("__") and name.endswith("__"):
        raise AttributeError(name)
    value = _missing(f"tensorflow.{name}")
    globals()[name] = value
    return value
