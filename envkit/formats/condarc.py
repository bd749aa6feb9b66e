"""condarc files, as far as they say where environments lie: text in, directories out.

Most of these files say other things, so YAML is parsed only where one of the two keys occurs at all.

Source: conda's base/context.py (`envs_dirs`, older `envs_path`); mamba reads the same keys from `.mambarc`.
"""

from __future__ import annotations

from typing import Any, Final, TypeGuard

LIMIT: Final = 64 * 1024  # bytes; a larger file is none that a person wrote
_KEYS = ("envs_dirs", "envs_path")


def environment_directories(text: str) -> tuple[str, ...]:
    """Return the directories of environments that a file names, as written, in their order; empty when it names none, or is no YAML."""
    if not any(key in text for key in _KEYS):
        return ()
    import yaml  # noqa: PLC0415 - takes milliseconds, and few files name directories

    try:
        said: object = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        return ()
    if not _is_table(said):
        return ()
    found: list[str] = []
    for value in (said.get(key) for key in _KEYS):
        items = value if _is_list(value) else [value]
        found.extend(item for item in items if isinstance(item, str) and item)
    return tuple(dict.fromkeys(found))


def _is_table(value: object) -> TypeGuard[dict[Any, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
