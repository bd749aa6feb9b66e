"""Resolve: the one environment that a path, a name, a request or a spec means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..control import Control, Work, takes_control
from ..discovery import requests
from ..errors import UsageError
from .founding import python_for
from .naming import is_path, resolved
from .running import exact, probed

if TYPE_CHECKING:
    from typing import Unpack

    from ..models.aliases import Env
    from ..models.environment import Environment
    from ..models.specs import Spec


@takes_control
def resolve(target: Env | Spec, *, probe: Literal["never", "auto"] = "never", **control: Unpack[Control]) -> Environment:
    """Return the one environment that a path, a name, a request or a spec means.

    Args:
        target: a path to an executable or a prefix; a request, which the best Python of the machine answers (stable before
            pre-release, GIL before free-threaded, newest first); the name of a managed environment; or a spec, whose environment
            must be there and ready.
        probe: "auto" runs a Python where its files do not say enough to decide.

    Raises:
        NotFoundError: there is none; it says where was looked and what was near.

    Example:
        >>> import envkit, sys
        >>> envkit.resolve(sys.executable).version.release[:2] == sys.version_info[:2]
        True
    """
    if probe not in ("never", "auto"):
        raise UsageError(f"probe is {probe!r}", code="probe", hint='give "never" or "auto"')
    work = Work.of(control)
    if isinstance(target, str) and not is_path(target, work):
        request = requests.parse(target)
        if request is not None:
            return python_for(request, work, probe=probe)
    found = resolved(target, work)
    return probed(found, work) if probe == "auto" and found.python and not exact(found) else found
