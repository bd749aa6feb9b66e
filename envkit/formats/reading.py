"""The reading half of `values`: JSON to values, by the types of their fields. Imports all values."""

from __future__ import annotations

import importlib
import json
import types
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeGuard, Union, get_args, get_origin, get_type_hints

from packaging.version import Version

from .. import errors, events, host as host_module
from ..errors import CorruptError, EnvkitError
from ..models import activation, cells, environment, kernels, looks, mapping, packages, plans, specs
from . import nbformat_output
from .values import PLACES, ROOT, VERSION, fact_names, field_names

_SHOWN = 60  # characters of a misfit that its error quotes
# Names that a module imports for checkers only are missing from it at run time; the types of all fields are among these.
_HOMES = (host_module, cells, mapping, environment, activation, kernels, looks, packages, plans, specs)
_NAMES: dict[str, Any] = {**{name: found for home in _HOMES for name, found in vars(home).items()}, "Literal": Literal}
_FROM_TEXT: dict[type, Callable[[str], object]] = {Path: Path, Version: Version, datetime: datetime.fromisoformat}


class _MisfitError(ValueError):
    """What does not fit, and where."""


def read_value(text: str, wanted: Any) -> Any:
    """Return the value of a text; see `values.from_json`."""
    try:
        raw: object = json.loads(text, parse_constant=_no_constant)
        return _of_schema(raw, "") if wanted is None else _read(raw, wanted, "")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error) or type(error).__name__
        raise CorruptError(f"not what to_json writes: {why}", code="json", hint="give the text of a value that to_json wrote") from error


def _no_constant(word: str) -> object:
    raise _MisfitError(f"{word} is no number of JSON")


def _of_schema(raw: object, where: str) -> Any:
    """Return what the schema of an object says that it is."""
    if _is_list(raw):
        return tuple(_of_schema(item, f"{where}[{index}]") for index, item in enumerate(raw))
    if not _is_object(raw):
        raise _misfit(raw, "an object with a schema", where)
    if "output_type" in raw and "schema" not in raw:
        return nbformat_output.load(raw)
    return _read_object(raw, _class_of(raw, where), where)


def _class_of(raw: Mapping[str, object], where: str) -> Any:
    """Return the class that an object's schema names."""
    schema = raw.get("schema")
    if not isinstance(schema, str):
        raise _misfit(schema, "a schema", where)
    package, _, rest = schema.partition("/")
    name, _, number = rest.partition("/")
    if package == "envkit" and number == str(VERSION):
        if name in PLACES:
            return getattr(importlib.import_module(f"{ROOT}.{PLACES[name]}"), name)
        found: object = getattr(errors, name, None)
        if _is_error_class(found):
            return found
    raise _MisfitError(f"schema {schema!r} is not known to this version of envkit")


def _is_error_class(found: object) -> TypeGuard[type[EnvkitError]]:
    return isinstance(found, type) and issubclass(found, EnvkitError)


def _read_object(raw: Mapping[str, object], kind: Any, where: str) -> Any:
    """Return the value or error of `kind`; each field must be known and fit, those with a default may be missing."""
    given = {name: item for name, item in raw.items() if name != "schema"}
    if not _is_error_class(kind):
        return kind(**_fields(given, kind, frozenset(field_names(kind)), where))
    message = given.pop("message", None)
    if not isinstance(message, str):
        raise _misfit(message, "a message", where)
    return kind(message, **_fields(given, kind, fact_names(kind), where))


def _fields(given: Mapping[str, object], kind: Any, known: frozenset[str], where: str) -> dict[str, Any]:
    if unknown := sorted(given.keys() - known):
        raise _MisfitError(f"{kind.__name__} has no field {unknown[0]!r}")
    hints = _hints(kind)
    return {name: _read(item, hints[name], f"{where or kind.__name__}.{name}") for name, item in given.items()}


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """Return the types of a class's fields; `Output` is another class among the events than among the values."""
    names = {errors.__name__: vars(errors), events.__name__: vars(events)}.get(kind.__module__, _NAMES)
    return get_type_hints(kind, localns=dict(names))


def _read(raw: object, wanted: Any, where: str) -> Any:
    """Return `raw` as what a type hint wants."""
    origin = get_origin(wanted)
    if origin in {Union, types.UnionType}:
        return _read_union(raw, get_args(wanted), where)
    if origin is Literal:
        if raw in get_args(wanted) and type(raw) is str:
            return raw
        raise _misfit(raw, "one of " + ", ".join(map(repr, get_args(wanted))), where)
    if origin is tuple:
        return _read_tuple(raw, get_args(wanted), where)
    if origin is frozenset and _is_list(raw):
        return frozenset(_read(item, get_args(wanted)[0], where) for item in raw)
    if origin is Mapping and _is_object(raw):
        return {name: _read(item, get_args(wanted)[1], f"{where}[{name!r}]") for name, item in raw.items()}
    if isinstance(wanted, type):
        return _read_class(raw, wanted, where)
    raise _misfit(raw, str(wanted), where)


def _read_class(raw: object, wanted: type, where: str) -> Any:
    if wanted is type(None) and raw is None:
        return None
    if wanted is object:
        return _of_schema(raw, where)
    if wanted is float and isinstance(raw, int | float) and type(raw) is not bool:
        return float(raw)
    if wanted in _FROM_TEXT and isinstance(raw, str):
        return _FROM_TEXT[wanted](raw)
    if wanted in {str, int, bool} and type(raw) is wanted:
        return raw
    if wanted is tuple and _is_list(raw):
        return _of_schema(raw, where)
    if _is_object(raw) and (wanted is cells.Output or "schema" in raw):
        found = _of_schema(raw, where)
        if isinstance(found, wanted):
            return found
        raise _MisfitError(f"{where or 'it'} is of {type(found).__name__}, not {wanted.__name__}")
    raise _misfit(raw, wanted.__name__, where)


def _read_union(raw: object, arms: tuple[Any, ...], where: str) -> Any:
    """Return `raw` as the first arm that it fits; the error is that of the only arm that is not None, or speaks of all."""
    failures: list[_MisfitError] = []
    for arm in arms:
        try:
            return _read(raw, arm, where)
        except _MisfitError as error:
            if arm is not type(None):
                failures.append(error)
    raise failures[0] if len(failures) == 1 else _misfit(raw, " or ".join(getattr(arm, "__name__", str(arm)) for arm in arms), where)


def _read_tuple(raw: object, arms: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    if not _is_list(raw):
        raise _misfit(raw, "a list", where)
    if len(arms) == 2 and arms[1] is Ellipsis:
        return tuple(_read(item, arms[0], f"{where}[{index}]") for index, item in enumerate(raw))
    if len(raw) != len(arms):
        raise _misfit(raw, f"a list of {len(arms)}", where)
    return tuple(_read(item, arm, f"{where}[{index}]") for index, (item, arm) in enumerate(zip(raw, arms, strict=True)))


def _misfit(raw: object, wanted: str, where: str) -> _MisfitError:
    return _MisfitError(f"{where or 'it'} is {str(raw)[:_SHOWN]!r}, not {wanted}")


def _is_list(raw: object) -> TypeGuard[list[object]]:
    return isinstance(raw, list)


def _is_object(raw: object) -> TypeGuard[dict[str, object]]:
    return isinstance(raw, dict)
