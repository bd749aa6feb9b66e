"""kernel.json, the file that makes a directory a kernelspec: bytes in, a value out, and back.

What Jupyter would drop without a word is said here: a byte order mark, broken JSON, a wrong type, an empty argv. Templates are
Jupyter's: `{connection_file}` and the like in argv, `${NAME}` in the variables, where a literal `$` is written `$$`.

Source: "Making kernels for Jupyter" (jupyter-client.readthedocs.io); jupyter_client's kernelspec.py and provisioner_base.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from ..models.mapping import EMPTY, freeze

NAME: Final = "kernel.json"
LIMIT: Final = 1024 * 1024  # bytes; a larger file is no kernelspec
SCHEMA: Final = 1  # of what envkit writes into the metadata
_OWNER: Final = "envkit"  # the key in the metadata that says whose it is
_SEVERAL: Final = ("aliases", "given", "inherit")  # what of it is several texts
_TEMPLATE: Final = re.compile(r"\{([A-Za-z0-9_]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """What envkit wrote down in the metadata: the environment's prefix, its Python's version, and the name it has.

    alias: the kernel's own name, where this kernelspec is only an earlier name of it. aliases: its earlier names.
    activation: a digest of what activating the environment did when the kernelspec was written. given: the variables that the
    caller gave. inherit: those of Jupyter's process that are not blanked.
    """

    environment: str
    python: str = ""
    kind: str = ""
    name: str | None = None
    alias: str | None = None
    aliases: tuple[str, ...] = ()
    activation: str | None = None
    given: tuple[str, ...] = ()
    inherit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelJson:
    """A kernelspec as it is written. `metadata` is plain JSON, without what says that it is envkit's: that is `owner`."""

    argv: tuple[str, ...]
    display_name: str
    language: str = "python"
    env: Mapping[str, str] = EMPTY
    interrupt_mode: str = "signal"
    protocol: str | None = None
    metadata: Mapping[str, Any] = EMPTY
    owner: Owner | None = None

    def __post_init__(self) -> None:
        """Keep what was given as immutable values."""
        freeze(self, mappings=("env", "metadata"), tuples=("argv",))


def load(data: bytes) -> KernelJson:
    """Return the kernelspec of a file's bytes; unknown keys are passed over, as Jupyter does.

    Raises:
        ValueError: it is none, and why; the text is made for people.
    """
    if len(data) > LIMIT:
        raise ValueError(f"it is larger than {LIMIT} bytes")
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise ValueError("it begins with a byte order mark, which Jupyter does not read")
    try:
        given: object = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from error
    if not _is_object(given):
        raise ValueError("it is not a JSON object")
    return _loaded(given)


def _loaded(given: Mapping[str, object]) -> KernelJson:
    argv, env, metadata = given.get("argv"), given.get("env", {}), given.get("metadata", {})
    mode, protocol = given.get("interrupt_mode", "signal"), given.get("kernel_protocol_version")
    if not _is_texts(argv) or not argv:
        raise ValueError("argv is not a list of strings, or is empty")
    if not _is_object(env) or not _is_string_values(env):
        raise ValueError("env is not an object of strings")
    if any("\0" in text for text in (*argv, *env, *env.values())):
        raise ValueError("argv or env contains a NUL character, with which nothing can be started")
    if not _is_object(metadata):
        raise ValueError("metadata is not an object")
    if mode not in ("signal", "message"):
        raise ValueError(f"interrupt_mode is {mode!r}")
    return KernelJson(
        argv=tuple(argv),
        display_name=_text(given.get("display_name")),
        language=_text(given.get("language")),
        env=env,
        interrupt_mode=str(mode),
        protocol=protocol if isinstance(protocol, str) else None,
        metadata={name: value for name, value in metadata.items() if name != _OWNER},
        owner=_owner(metadata.get(_OWNER)),
    )


def _owner(given: object) -> Owner | None:
    """Return what envkit wrote; what a later version wrote in another way is not taken for ours."""
    if not _is_object(given) or given.get("schema") != SCHEMA:
        return None
    environment = given.get("environment")
    if not isinstance(environment, str) or "\0" in environment:
        return None
    return Owner(
        environment=environment,
        python=_text(given.get("python")),
        kind=_text(given.get("kind")),
        name=_text(given.get("name")) or None,
        alias=_text(given.get("alias")) or None,
        activation=_text(given.get("activation")) or None,
        **{name: tuple(texts) for name in _SEVERAL if _is_texts(texts := given.get(name))},
    )


def dump(kernel: KernelJson) -> str:
    """Return the text of kernel.json: ASCII, so that a path that is no UTF-8 survives as an escape."""
    metadata = dict(kernel.metadata)
    if kernel.owner is not None:
        known = {name: getattr(kernel.owner, name) for name in ("python", "kind", "name", "alias", "activation")}
        metadata[_OWNER] = {
            "schema": SCHEMA,
            "environment": kernel.owner.environment,
            **{name: value for name, value in known.items() if value},
            **{name: list(several) for name in _SEVERAL if (several := getattr(kernel.owner, name))},
        }
    fields: dict[str, object] = {
        "argv": list(kernel.argv),
        "display_name": kernel.display_name,
        "language": kernel.language,
        "interrupt_mode": kernel.interrupt_mode,
        "env": dict(kernel.env),
        "metadata": metadata,
    }
    if kernel.protocol is not None:
        fields["kernel_protocol_version"] = kernel.protocol
    return json.dumps(fields, indent=1) + "\n"


def escaped(text: str) -> str:
    """Return `text` as a variable's value that Jupyter gives to the kernel unchanged."""
    return text.replace("$", "$$")


def is_template(text: str) -> bool:
    """Say whether Jupyter would put something else in place of a part of an argument; argv knows no escape."""
    return _TEMPLATE.search(text) is not None or text.startswith("~")


def filled_argv(argv: tuple[str, ...], values: Mapping[str, str]) -> tuple[str, ...]:
    """Return the arguments with the values of their templates; a template without value stays as it is."""
    return tuple(_TEMPLATE.sub(lambda match: values.get(match[1], match[0]), argument) for argument in argv)


def filled_env(env: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with `${NAME}` and `$NAME` taken from `environ`; an unknown name stays as it is."""
    from string import Template  # noqa: PLC0415 - whoever only writes one needs it not

    return {name: Template(value).safe_substitute(environ) for name, value in env.items()}


def _text(given: object) -> str:
    return given if isinstance(given, str) else ""


def _is_object(given: object) -> TypeGuard[dict[str, object]]:
    return isinstance(given, dict)


def _is_texts(given: object) -> TypeGuard[list[str]]:
    return isinstance(given, list) and all(isinstance(item, str) for item in given)  # pyright: ignore[reportUnknownVariableType]


def _is_string_values(given: dict[str, object]) -> TypeGuard[dict[str, str]]:
    return all(isinstance(value, str) for value in given.values())
