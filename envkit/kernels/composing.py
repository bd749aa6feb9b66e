"""What the kernelspec of an environment says: its name, arguments, variables, metadata and logos.

The variables put the environment's own programs first on PATH, so that `!pip`, `!python` and `subprocess` in a cell land where
`sys.prefix` is, and blank what would make it load another Python's files: Jupyter can set variables, never unset them, and an
empty PYTHONHOME or PYTHONPATH counts as unset. Metadata and logos come from the environment's own ipykernel, so that what its
version can (debugger, encryption) stays said; the arguments never do, for they name a bare `python`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from .. import places
from ..discovery import requests
from ..environments import resolved
from ..errors import EnvkitError, KernelError, UsageError
from ..execution import activation_of, file_variables, lasting_activation_of
from ..formats import pyvenv_cfg
from ..formats.kernel_json import KernelJson, Owner, escaped, is_template
from ..formats.names import proposed_name
from ..kernelspec import paths, spec
from ..kernelspec.launch import Launch
from ..match_specs import CONDA
from ..models.mapping import EMPTY
from ..system.look import Look
from ..system.sites import site_packages

if TYPE_CHECKING:
    from pathlib import Path

    from ..control import Work
    from ..host import Host
    from ..models.activation import Activation
    from ..models.aliases import StrPath
    from ..models.environment import Environment

BLANKED: Final = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")  # of the caller's; what activation sets lies over it
_GENERIC: Final = frozenset({"venv", ".venv", "env", ".env"})
_LANGUAGES: Final = {None: "Python", "cpython": "Python", "pypy": "PyPy", "graalpy": "GraalPy"}


def name_for(environment: Environment) -> str:
    """Return the name of an environment's kernel where the caller gave none: an allowed one that no request for a Python has."""
    return next(name for name in _names_for(environment) if requests.parse(name) is None)


def _names_for(environment: Environment) -> Iterator[str]:
    if environment.name:
        yield proposed_name(environment.name).lower()
    prefix = environment.prefix
    directory = environment.project or (prefix.parent if prefix.name in _GENERIC else prefix)
    name = proposed_name(directory.name, default="environment").lower()
    yield name
    yield proposed_name(f"env-{name}").lower()
    yield "environment"


def label(environment: Environment, name: str) -> str:
    """Return the display name: "Python 3.12 (analysis)". Only the minor version, which an upgrade does not make false."""
    language = _LANGUAGES.get(environment.implementation, str(environment.implementation))
    version = ".".join(map(str, environment.version.release[:2])) if environment.version else ""
    flavour = "free-threaded" if environment.free_threaded else ""
    return " ".join(part for part in (language, version, flavour, f"({name})") if part)


def composed(
    environment: Environment,
    host: Host,
    *,
    display_name: str,
    variables: Mapping[str, str],
    inherit: frozenset[str],
    env_file: StrPath | None = None,
) -> tuple[KernelJson, dict[str, bytes]]:
    """Return the kernelspec of an environment and its logos.

    Args:
        variables: set in the kernel, as they are.
        inherit: variables of Jupyter's process that are not blanked.
        env_file: a `.env` file; its values, as they are now, lie over the activated ones.

    Raises:
        KernelError: it has no interpreter. UsageError: its path cannot be written into a kernelspec.
        NotFoundError, CorruptError: `env_file` cannot be read.
    """
    python = host.shown(interpreter_of(environment))
    if is_template(python):
        raise UsageError(
            f"{python} cannot be written into a kernelspec: Jupyter would replace the braces", code="path", hint="choose another path"
        )
    own = str(paths.prefix_directory(environment.prefix) / "kernels" / "python3")
    try:
        shipped = spec.read(own, host)
    except ValueError:
        shipped = KernelJson(argv=(python,), display_name="")
    activated = lasting_activation_of(environment, host)
    kernel = KernelJson(
        argv=_argv(environment, host),
        display_name=display_name,
        language="python",
        env=templates(activated, host, variables, inherit, env_file),
        protocol=shipped.protocol,
        metadata={name: value for name, value in shipped.metadata.items() if name != "kernel_provisioner"},
        owner=owner_of(environment, host),
    )
    return kernel, spec.logos_in(own, host)


def owner_of(environment: Environment, host: Host) -> Owner:
    """Return what a kernelspec says of the environment that it was written for."""
    return Owner(
        environment=host.shown(environment.prefix),
        python=str(environment.version or ""),
        kind=environment.kind,
        name=environment.name,
        activation=fingerprint(environment, host),
    )


def launch(environment: Environment, host: Host, variables: Mapping[str, str]) -> Launch:
    """Return what starts a kernel of an environment without a kernelspec; `variables` lie over the activated ones.

    Raises:
        KernelError: it has no interpreter.
    """
    environ = {name: value for name, value in host.environ.items() if name not in {*BLANKED, "PYTHONEXECUTABLE"}}
    return Launch(argv=_argv(environment, host), environ={**activation_of(environment, host).apply(environ), **variables})


def interpreter_of(environment: Environment) -> Path:
    """Return the interpreter, unresolved: what a link in an environment leads to is another environment's.

    Raises:
        KernelError: there is none that works, and what mends it.
    """
    problem = environment.problem
    if environment.python is None or (problem is not None and problem.severity == "error" and not os.access(environment.python, os.X_OK)):
        raise KernelError(
            f"{environment.prefix} has no working Python" + (f": {problem.message}" if problem else ""),
            code="interpreter-missing",
            hint=(problem.hint if problem else None) or "choose an environment with a Python in it",
        )
    return environment.python


def fingerprint(environment: Environment, host: Host) -> str:
    """Return a digest of what activation does, by which it is seen later that it would do something else; a move changes nothing.

    Scripts of a conda environment count by what stands in them: no process is started.
    """
    activated = lasting_activation_of(environment, host, scripts=False)
    assigned = {name: value for name, value in activated.assign.items() if name != "VIRTUAL_ENV_PROMPT"}
    prefix = str(environment.prefix)
    first = [str(directory) for directory in activated.prepend_path]
    facts: list[object] = [first, sorted(assigned.items()), sorted(activated.unset)]
    if environment.kind == CONDA:
        from ..conda.activating import digest_of_scripts  # noqa: PLC0415 - only where there is conda

        facts.append(digest_of_scripts(environment, host))
    said = json.dumps(facts).replace(json.dumps(prefix)[1:-1], "{prefix}")
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def without_ipykernel(environment: Environment, host: Host) -> KernelError:
    """Return the error for an environment that cannot be a kernel's because it has no ipykernel."""
    if places.is_stored(environment.prefix, host):
        hint = 'a content-addressed environment is never changed: put "ipykernel" into the spec\'s pypi, and ask ensure() for that'
    else:
        hint = 'install it, or register the environment with install_ipykernel="if-missing"'
    return KernelError(f"ipykernel is not installed in {environment}", code="ipykernel-missing", hint=hint)


def has_ipykernel(environment: Environment, work: Work) -> bool:
    """Say whether ipykernel can be imported there, by looking for its launcher; also in the base of one that sees its packages."""
    if _has_launcher(environment, work.host) or (environment.kind == "interpreter" and _has_launcher_of_user(environment, work.host)):
        return True
    keys = pyvenv_cfg.load(Look(work.host).text(str(environment.prefix / pyvenv_cfg.NAME), pyvenv_cfg.LIMIT) or "")
    if environment.base is None or keys.get("include-system-site-packages", "").lower() != "true":
        return False
    try:
        return _has_launcher(resolved(environment.base, work), work.host)
    except EnvkitError:
        return False


def _has_launcher(environment: Environment, host: Host) -> bool:
    return any(os.path.isfile(os.path.join(directory, "ipykernel_launcher.py")) for directory in site_packages(environment, host))


def _has_launcher_of_user(environment: Environment, host: Host) -> bool:
    """Say whether the user has ipykernel for an installed interpreter, as `pip install --user` puts it. Source: PEP 370."""
    if environment.version is None or host.platform == "win32":
        return False
    stated = host.environ.get("PYTHONUSERBASE")
    base = host.path(stated) if stated else host.home / ".local"
    library = "python" + ".".join(map(str, environment.version.release[:2]))
    return os.path.isfile(base / "lib" / library / "site-packages" / "ipykernel_launcher.py")


def _argv(environment: Environment, host: Host) -> tuple[str, ...]:
    python = host.shown(interpreter_of(environment))
    version = environment.version
    # frozen modules hide the standard library from the debugger; ipykernel's own installer turns them off, too
    thaw = environment.implementation in {None, "cpython"} and version is not None and version.release >= (3, 11)
    return (python, *(("-Xfrozen_modules=off",) if thaw else ()), "-m", "ipykernel_launcher", "-f", "{connection_file}")


def templates(
    activated: Activation,
    host: Host,
    variables: Mapping[str, str],
    inherit: frozenset[str],
    env_file: StrPath | None,
    *,
    said: Mapping[str, str] = EMPTY,
) -> dict[str, str]:
    """Return the kernelspec's variables, in Jupyter's template language; `said` are templates that lie over the activated variables."""
    separator = ";" if host.platform == "win32" else ":"
    first = [host.shown(directory) for directory in activated.prepend_path]
    if any(separator in directory for directory in first):
        raise UsageError(f"{first[0]} contains {separator!r}, so it cannot stand on PATH", code="path", hint="choose another path")
    blank = {name: "" for name in (*BLANKED, *sorted(activated.unset)) if name not in inherit}
    path = separator.join([*map(escaped, first), "${PATH}"])
    own = {"PATH": path, **blank, **{name: escaped(value) for name, value in activated.assign.items()}, **said}
    outside = {name: escaped(value) for name, value in host.environ.items()}
    stated = {} if env_file is None else file_variables(env_file, {**outside, **own}, host, literal=escaped)
    return {**own, **stated, **{name: escaped(value) for name, value in variables.items()}}
