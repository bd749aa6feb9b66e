"""The activation scripts for nu and for xonsh: two shells whose languages are neither sh's nor csh's.

Both are tried in the shells themselves. nu evaluates no text while it runs, so its script is a module for `overlay use`, whose
`deactivate` hides that overlay again; xonsh's is Python, and its prompt shows an active environment by itself.
"""

from __future__ import annotations

from . import quoting
from .scene import Scene, filled

NU_OVERLAY = "activate"  # what nu calls the module: the name of its file without suffix


def nu_script(scene: Scene) -> str:
    """Return the module for nu, to be used as the overlay `activate`."""
    identity: dict[str, str] = {} if scene.prefix is None else {"VIRTUAL_ENV": scene.prefix, "VIRTUAL_ENV_PROMPT": scene.prompt}
    hidden = ["PYTHONHOME", *(("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT") if scene.prefix is None else ())]
    return filled(
        _NU,
        hide="".join(
            f"    $env.{name} = null  # not given to programs, and back when the overlay is hidden; hide-env is not undone\n"
            for name in hidden
        ),
        enter="".join(f"    $env.{name} = {quoting.nu(value)}\n" for name, value in {**identity, **scene.variables}.items()),
        programs=" ".join(map(quoting.nu, scene.programs)),
        shown=quoting.nu(f"({quoting.displayed(scene.prompt)}) "),
    )


def xonsh_script(scene: Scene) -> str:
    """Return the script for xonsh, to be read by `source`."""
    identity: dict[str, str] = {} if scene.prefix is None else {"VIRTUAL_ENV": scene.prefix, "VIRTUAL_ENV_PROMPT": scene.prompt}
    assigned = {**identity, **scene.variables}
    return filled(
        _XONSH,
        assigned="{" + ", ".join(f"{quoting.xonsh(name)}: {quoting.xonsh(value)}" for name, value in assigned.items()) + "}",
        programs="[" + ", ".join(map(quoting.xonsh, scene.programs)) + "]",
    )


_NU = """\
# Use this file from nu: `overlay use activate.nu`. `deactivate` leaves the environment.

export-env {
    let path = if ("Path" in $env) { "Path" } else { "PATH" }
    let before = $env | get $path
    let directories = if ($before | describe) == "string" { $before | split row (char esep) } else { $before }
    load-env { $path: ($directories | prepend [@programs@]) }
@hide@@enter@
    if not ("VIRTUAL_ENV_DISABLE_PROMPT" in $env) and ("PROMPT_COMMAND" in $env) {
        let prompt = $env.PROMPT_COMMAND
        let shown = @shown@
        $env.PROMPT_COMMAND = if ($prompt | describe) == "closure" { {|| $shown + (do $prompt) } } else { $shown + $prompt }
    }
}

export alias deactivate = overlay hide activate
"""

_XONSH = """\
# Source this file from xonsh; it cannot be run. `deactivate` leaves the environment.

if '_envkit_leave' in globals():
    _envkit_leave()

def _envkit_enter(assigned, programs):
    env = __xonsh__.env
    names = ['PYTHONHOME', 'VIRTUAL_ENV', 'VIRTUAL_ENV_PROMPT', *assigned]
    before = {name: env[name] for name in names if name in env and not name.startswith('VIRTUAL_ENV')}
    path = list(env.get('PATH', []))
    for name in names:
        if name in env:
            del env[name]
    for name, value in assigned.items():
        env[name] = value
    env['PATH'] = [*programs, *path]

    def leave(*arguments, **keywords):
        global _envkit_leave
        for name in names:
            if name in env:
                del env[name]
        for name, value in before.items():
            env[name] = value
        env['PATH'] = path
        if 'deactivate' in __xonsh__.aliases:
            del __xonsh__.aliases['deactivate']
        del _envkit_leave

    __xonsh__.aliases['deactivate'] = leave
    return leave

_envkit_leave = _envkit_enter(@assigned@, @programs@)
"""
