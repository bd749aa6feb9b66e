"""Change the kernel that a notebook on disk names, without Jupyter: in one step, so that no reader meets half a notebook."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import records
from ..control import Work
from ..errors import CorruptError, NotFoundError
from ..formats import notebook
from ..kernelspec import spec
from ..system.files import machine_error, write_atomic
from .listing import named

if TYPE_CHECKING:
    from ..host import Host
    from ..models.aliases import StrPath
    from ..models.kernels import Kernel

_LANGUAGE: Final = "python"  # of a kernelspec that says none


def set_notebook_kernel(path: StrPath, kernel: Kernel | str, *, host: Host | None = None) -> None:
    """Write into a notebook which kernel it is to be opened with. Nothing else in it changes; a kernel that runs it goes on.

    Args:
        path: the notebook, in nbformat 4. Where it is a link, the file that it leads to is written.
        kernel: a kernel of this machine, or its name.

    Raises:
        NotFoundError: there is no such file, or no such kernel. CorruptError: it is no notebook. MachineError: it cannot be written.

    Source:
        nbformat 4.5, `metadata.kernelspec`.
    """
    work = Work(host=host)
    chosen = named(kernel, work)
    file = Path(os.path.realpath(records.absolute(path, work.host)))
    try:
        data = file.read_bytes()
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError as error:
        raise NotFoundError(f"{file} is no file that can be read", code="path-not-found", hint="check the path of the notebook") from error
    try:
        changed = notebook.with_kernel(data, name=chosen.name, display_name=chosen.display_name, language=_language(chosen, work.host))
    except ValueError as error:
        raise CorruptError(
            f"{file} is no notebook that can be changed: {error}",
            code="notebook",
            path=file,
            hint="give a notebook (.ipynb); one of an older format can be opened and saved in Jupyter first",
        ) from error
    if changed is None:
        return
    try:
        write_atomic(file, changed, mode=mode)
    except OSError as error:
        raise machine_error(error, file) from error


def _language(kernel: Kernel, host: Host) -> str:
    try:
        return spec.read(str(kernel.path), host).language or _LANGUAGE
    except ValueError:
        return _LANGUAGE
