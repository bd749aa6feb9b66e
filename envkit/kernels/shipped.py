"""Kernelspecs that an environment brings itself, such as IRkernel's: registered with the environment's activation around them.

`<prefix>/share/jupyter/kernels/ir` is seen by a Jupyter in the same environment alone, and starts `R`, whichever comes first on PATH.
Here its arguments are kept, its program is named by its whole path, and the variables are those that every kernel of envkit's gets,
so that any Jupyter can start it.

Source: "Making kernels for Jupyter" (jupyter-client.readthedocs.io).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import KernelError, UsageError
from ..execution import activation_of, lasting_activation_of
from ..formats.kernel_json import KernelJson, escaped, filled_env, is_template
from ..kernelspec import paths, spec
from ..kernelspec.launch import Launch
from ..match_specs import CONDA
from . import composing

if TYPE_CHECKING:
    from ..host import Host
    from ..models.aliases import StrPath
    from ..models.environment import Environment

_RESOURCES: Final = "{resource_dir}"  # Jupyter's word for the kernelspec's own directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """A kernelspec that lies in an environment: its name there, its directory, and what it says."""

    name: str
    directory: Path
    kernel: KernelJson

    @property
    def is_python(self) -> bool:
        """Whether it is one of Python, for which envkit writes its own."""
        return self.kernel.language.lower() == "python"


def shipped(environment: Environment, host: Host) -> tuple[Shipped, ...]:
    """Return the kernelspecs that an environment's packages brought, sorted by name; what envkit wrote, or cannot be read, is left out."""
    found: list[Shipped] = []
    for directory in sorted(spec.directories_in(str(paths.prefix_directory(environment.prefix) / "kernels"))):
        try:
            kernel = spec.read(directory, host)
        except ValueError:
            continue
        if kernel.owner is None:
            found.append(Shipped(name=os.path.basename(directory), directory=Path(directory), kernel=kernel))
    return tuple(found)


def meant(environment: Environment, host: Host, packages: Collection[str] = ()) -> Shipped | None:
    """Return the kernelspec that is meant when a kernel of an environment is wanted; None where that is a Python one.

    Args:
        packages: conda packages that were asked for. A kernelspec that one of them brought is meant; in an environment without Python
            any other one, the first by name.
    """
    others = [one for one in shipped(environment, host) if not one.is_python]
    if packages and environment.kind == CONDA:
        from ..conda import inventory  # noqa: PLC0415 - only where there is conda

        wanted = {name.lower() for name in packages}
        for one in others:
            file = Path(os.path.relpath(one.directory / "kernel.json", environment.prefix)).as_posix()
            if wanted.intersection(inventory.packages_with(environment.prefix, file)):
                return one
    return others[0] if others and environment.python is None else None


def composed(
    one: Shipped,
    environment: Environment,
    host: Host,
    *,
    display_name: str,
    variables: Mapping[str, str],
    inherit: frozenset[str],
    env_file: StrPath | None = None,
) -> tuple[KernelJson, dict[str, bytes]]:
    """Return the kernelspec to be registered for one that an environment brings, and its logos; see `composing.composed`.

    Raises:
        KernelError: its program is not there. UsageError: its path cannot be written into a kernelspec.
        NotFoundError, CorruptError: `env_file` cannot be read.
    """
    activated = lasting_activation_of(environment, host)
    program = _program(one, [str(directory) for directory in activated.prepend_path], host)
    own = {"PATH"} & one.kernel.env.keys()  # the environment's programs come first, whatever it says
    said = {name: value for name, value in one.kernel.env.items() if name not in own}
    kernel = KernelJson(
        argv=(program, *(part.replace(_RESOURCES, host.shown(one.directory)) for part in one.kernel.argv[1:])),
        display_name=display_name,
        language=one.kernel.language,
        env=composing.templates(activated, host, variables, inherit, env_file, said=said),
        interrupt_mode=one.kernel.interrupt_mode,
        protocol=one.kernel.protocol,
        metadata={name: value for name, value in one.kernel.metadata.items() if name != "kernel_provisioner"},
        owner=composing.owner_of(
            environment, host, given=composing.given_of(activated, host, variables, inherit, env_file), inherit=inherit
        ),
    )
    return kernel, spec.logos_in(str(one.directory), host)


def launch(one: Shipped, environment: Environment, host: Host, variables: Mapping[str, str]) -> Launch:
    """Return what starts a kernel of a kernelspec that an environment brings, without registering it; see `composing.launch`.

    Raises:
        KernelError: its program is not there.
    """
    activated = activation_of(environment, host)
    program = _program(one, [str(directory) for directory in activated.prepend_path], host)
    environ = activated.apply({name: value for name, value in host.environ.items() if name not in composing.BLANKED})
    argv = (program, *(part.replace(_RESOURCES, host.shown(one.directory)) for part in one.kernel.argv[1:]))
    return Launch(
        argv=argv, environ={**environ, **filled_env(one.kernel.env, environ), **variables}, interrupt_mode=one.kernel.interrupt_mode
    )


def label(one: Shipped, name: str) -> str:
    """Return the display name: "R (stats)"."""
    return f"{one.kernel.display_name or one.kernel.language or one.name} ({name})"


def _program(one: Shipped, directories: Collection[str], host: Host) -> str:
    """Return the whole path of a kernelspec's program, as the host's world writes it.

    Raises:
        KernelError: it is not in the environment. UsageError: Jupyter would replace braces in it.
    """
    wanted = one.kernel.argv[0].replace(_RESOURCES, host.shown(one.directory))
    if os.path.dirname(wanted) or (host.platform == "win32" and "\\" in wanted):
        found = wanted
    else:
        names = (wanted, f"{wanted}.exe", f"{wanted}.bat") if host.platform == "win32" else (wanted,)
        places = (os.path.join(directory, name) for directory in directories for name in names)
        there = next((place for place in places if os.path.isfile(place)), None)
        if there is None:
            raise KernelError(
                f"the kernelspec {one.name!r} in {one.directory} starts {wanted}, which is not in its environment",
                code="interpreter-missing",
                hint="install the package that brings it, or the kernel's package anew",
            )
        found = host.shown(Path(there))
    if is_template(found) or escaped(found) != found:
        raise UsageError(
            f"{found} cannot be written into a kernelspec: Jupyter would take a part of it for a template",
            code="path",
            hint="choose another path",
        )
    return found
