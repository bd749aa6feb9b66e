"""`to_json` and `from_json`: every value, event and error as text that another process, or another version of envkit, reads back.

One line of JSON, canonical: keys sorted, only ASCII, times in UTC, versions as written, paths as they are (undecodable bytes as
the surrogates that Python has for them). Each object says what it is: `"schema": "envkit/Environment/1"`; the number changes
when a reader of the old one would misread the new one. Each field is there, also one that is null. A tuple is a list. An error
is its class, its sentence as `message`, and its facts. An output of a cell is the exception: it is an output of nbformat 4, to be
put into a notebook as it is, and known by its `output_type`.

Writing an environment imports nothing but what it is made of; reading imports all values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, TypeGuard, TypeVar, overload

from ..errors import EnvkitError, UsageError

if TYPE_CHECKING:
    from datetime import datetime

T = TypeVar("T")

VERSION: Final = 1
PLACES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("Environment", "Problem"), "models.environment"),
    **dict.fromkeys(("Activation", "Interpreter"), "models.activation"),
    **dict.fromkeys(("Kernel", "Proof"), "models.kernels"),
    **dict.fromkeys(("Change", "Selection"), "models.looks"),
    **dict.fromkeys(("Changes", "Outdated", "Package"), "models.packages"),
    **dict.fromkeys(("Plan", "Removal", "Step"), "models.plans"),
    **dict.fromkeys(("Lock", "Project", "Sources", "Spec"), "models.specs"),
    "Result": "models.cells",
    "Switch": "models.switch",
    "Host": "host",
    **dict.fromkeys(("Started", "Progress", "Output", "Finished"), "events"),
}
"""Where each value and event is defined, by its name in a schema; errors are in `errors`, a cell's output has no schema."""

ROOT: Final = __name__.split(".", 1)[0]


def to_json(value: object) -> str:
    """Return a value, event or error, or a tuple or list of them, as one line of canonical JSON.

    Args:
        value: what any function of envkit gave, or was given.

    Returns:
        Text in ASCII without line breaks, the same for the same value on every machine; `from_json` gives an equal value back.
        Credentials in the URL of a conda channel are left out; variables that stand for them stay.

    Raises:
        UsageError: it is no value of envkit, or holds something that JSON has no word for (a time without zone, not-a-number).

    Example:
        >>> import envkit
        >>> envkit.to_json(envkit.Step(action="install", text="install rich"))
        '{"action": "install", "schema": "envkit/Step/1", "text": "install rich"}'
    """
    _check_top(value)
    try:
        return json.dumps(_written(value, ""), sort_keys=True, allow_nan=False)
    except ValueError as error:
        raise _unfit(value, f": {error}") from error


@overload
def from_json(text: str) -> object: ...
@overload
def from_json(text: str, type: type[T]) -> T: ...
def from_json(text: str, type: Any = None) -> Any:  # noqa: A002 - says what it is
    """Return the value that `to_json` wrote.

    Args:
        text: JSON; only what `to_json` gives is sure to be read.
        type: what it must be: a class of envkit, `EnvkitError` for any error, `tuple[Environment, ...]` for several. Without it,
            what its `schema` says; a list becomes a tuple.

    Returns:
        A value, event or error equal to the one written; an error keeps its class and its facts.

    Raises:
        CorruptError: the text is no JSON, names a schema that is not known, or a field is missing, unknown or of another type.

    Example:
        >>> import envkit
        >>> envkit.from_json('{"schema": "envkit/Step/1", "action": "install", "text": "install rich"}', envkit.Step).action
        'install'
    """
    from .reading import read_value  # noqa: PLC0415 - reading needs the types of all values, writing those that are there

    return read_value(text, type)


def _check_top(value: object) -> None:
    """Refuse what `from_json` could not tell the type of."""
    if _is_tuple(value):
        for item in value:
            _check_top(item)
    elif not isinstance(value, EnvkitError) and not _is_value(value):
        raise _unfit(value, "")


def _written(value: object, where: str) -> object:
    """Return a value in the words of JSON; `where` leads to it, for the error."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, PurePath):
        return str(value)
    if _is_value(value):
        return _value_written(value, where)
    if isinstance(value, EnvkitError):
        return _error_written(value)
    if _is_tuple(value):
        return [_written(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if _is_mapping(value):
        return {str(key): _written(item, f"{where}[{key!r}]") for key, item in value.items()}
    if _is_set(value):
        return sorted(str(_written(item, where)) for item in value)
    from packaging.version import Version  # noqa: PLC0415 - whoever has a version has it imported

    if isinstance(value, Version):
        return str(value)
    from datetime import datetime  # noqa: PLC0415 - few values hold a time

    if isinstance(value, datetime):
        return _time_written(value, where)
    raise _unfit(value, f" at {where}")


def _value_written(value: object, where: str) -> object:
    kind = type(value)
    if kind.__module__ == f"{ROOT}.models.cells" and kind.__name__ == "Output":
        from . import nbformat_output  # noqa: PLC0415 - only for outputs of cells

        return nbformat_output.dump(value)
    fields = {name: _written(getattr(value, name), f"{where}.{name}".lstrip(".")) for name in field_names(kind)}
    if kind.__name__ == "Spec" and fields["channels"]:
        from .conda_url import lasting  # noqa: PLC0415 - only for conda's channels

        fields["channels"] = [lasting(channel) for channel in getattr(value, "channels")]  # noqa: B009 - its class is not imported here
    return {"schema": f"envkit/{kind.__name__}/{VERSION}", **fields}


def _error_written(error: EnvkitError) -> object:
    """Return an error by its class and facts; a plug-in's own class is written as the nearest of ours."""
    kind = next(base for base in type(error).__mro__ if base.__module__ == f"{ROOT}.errors")
    facts = {name: _written(fact, name) for name, fact in vars(error).items() if name in fact_names(kind)}
    return {"schema": f"envkit/{kind.__name__}/{VERSION}", "message": str(error), **facts}


def fact_names(kind: type) -> frozenset[str]:
    """Return the names of the facts that a class of errors has."""
    return frozenset(name for base in kind.__mro__ for name in vars(base).get("_defaults", {}))


def field_names(kind: type) -> tuple[str, ...]:
    """Return the names of the fields of a value's class."""
    return tuple(vars(kind)["__slots__"])


def _time_written(time: datetime, where: str) -> str:
    from datetime import UTC  # noqa: PLC0415 - as above

    if time.tzinfo is None:
        raise _unfit(time, f" at {where}: a time needs a zone, such as tzinfo=datetime.UTC")
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _is_value(value: object) -> bool:
    kind = type(value)
    if kind.__module__ == f"{ROOT}.models.cells":
        return kind.__name__ in {"Output", "Result"}
    place = PLACES.get(kind.__name__)
    return place is not None and kind.__module__ == f"{ROOT}.{place}"


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...] | list[object]]:
    return isinstance(value, tuple | list)


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)


def _is_set(value: object) -> TypeGuard[frozenset[object]]:
    return isinstance(value, frozenset | set)


def _unfit(value: object, why: str) -> UsageError:
    return UsageError(
        f"{type(value).__name__} {str(value)[:80]!r} cannot be written as JSON{why}",
        code="not-a-value",
        hint="give a value, event or error of envkit, or a tuple of them",
    )
