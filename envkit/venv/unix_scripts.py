"""The activation scripts for sh (bash, dash, ksh, zsh), for fish and for csh.

They do what `envkit.activation` says as data: the directory of programs first on PATH, `VIRTUAL_ENV`, `VIRTUAL_ENV_PROMPT` and
the environment's own variables set, `PYTHONHOME` unset; `deactivate` puts everything back. The names of the saved values
(`_OLD_VIRTUAL_PATH`, ...) are those of CPython's scripts, so that another tool's environment can be activated over ours and
ours over it. An environment that is active is left by its own `deactivate` first, for only that knows its variables.

Every text that is not ours goes through `quoting`.
"""

from __future__ import annotations

from . import quoting
from .scene import Scene, filled


def sh_script(scene: Scene) -> str:
    """Return the script for sh, bash, dash, ksh and zsh; it can be sourced under `set -eu`."""

    def path(text: str) -> str:  # a shell on Windows (Git Bash, Cygwin) writes paths in its own way
        return f'"$(cygpath -u {quoting.sh(text)})"' if scene.windows else quoting.sh(text)

    return filled(
        _SH,
        leave="".join(filled(_SH_LEAVE, name=name) for name in scene.variables),
        enter="".join(filled(_SH_ENTER, name=name, value=quoting.sh(value)) for name, value in scene.variables.items()),
        identity=_NOT_VIRTUAL if scene.prefix is None else filled(_SH_VIRTUAL, prefix=path(scene.prefix), prompt=quoting.sh(scene.prompt)),
        programs=":".join(map(path, scene.programs)),
        shown=quoting.sh(f"({quoting.displayed(scene.prompt)}) "),
        entering="".join(filled(_SH_SOURCE, file=path(file)) for file in scene.entering),
        leaving="".join(filled(_SH_SOURCE_LEAVING, file=path(file)) for file in scene.leaving),
    )


def fish_script(scene: Scene) -> str:
    """Return the script for fish."""
    return filled(
        _FISH,
        leave="".join(filled(_FISH_LEAVE, name=name) for name in scene.variables),
        enter="".join(filled(_FISH_ENTER, name=name, value=quoting.fish(value)) for name, value in scene.variables.items()),
        identity=_FISH_NOT_VIRTUAL
        if scene.prefix is None
        else filled(_FISH_VIRTUAL, prefix=quoting.fish(scene.prefix), prompt=quoting.fish(scene.prompt)),
        programs=" ".join(map(quoting.fish, scene.programs)),
        shown=quoting.fish(quoting.displayed(scene.prompt)),
        entering="".join(filled(_FISH_SOURCE, file=quoting.fish(file)) for file in scene.entering),
        leaving="".join(filled(_FISH_SOURCE_LEAVING, file=quoting.fish(file)) for file in scene.leaving),
    )


def csh_script(scene: Scene) -> str:
    """Return the script for csh and tcsh. Leaving is an alias: csh has no functions.

    It has neither comments nor blocks, and each line is a whole command with its end, so that the text can also be evaluated as one
    line, which is all that ``eval "`...`"`` can do there.
    """
    return filled(
        _CSH,
        alias=filled(
            _CSH_ALIAS,
            leaving="".join(filled(_CSH_SOURCE_LEAVING, number=str(number)) for number, _ in enumerate(scene.leaving)),
            leave="".join(filled(_CSH_LEAVE, name=name) for name in scene.variables),
        ),
        enter="".join(filled(_CSH_ENTER, name=name, value=quoting.csh(value)) for name, value in scene.variables.items()),
        identity=_CSH_NOT_VIRTUAL
        if scene.prefix is None
        else filled(_CSH_VIRTUAL, prefix=quoting.csh(scene.prefix), prompt=quoting.csh(scene.prompt)),
        programs=":".join(map(quoting.csh, scene.programs)),
        shown=quoting.csh(f"({quoting.displayed(scene.prompt)}) "),
        kept="".join(filled(_CSH_KEPT, number=str(number), file=quoting.csh(file)) for number, file in enumerate(scene.leaving)),
        entering="".join(filled(_CSH_SOURCE, file=quoting.csh(file)) for file in scene.entering),
    )


_SH = """\
# Source this file from sh, bash, dash, ksh or zsh; it cannot be run. `deactivate` leaves the environment.

if [ -n "${_OLD_VIRTUAL_PATH+x}" ]; then
    deactivate nondestructive || true
fi

deactivate () {
    if [ -n "${_OLD_VIRTUAL_PATH+x}" ]; then
@leaving@        PATH="$_OLD_VIRTUAL_PATH"
        export PATH
        unset _OLD_VIRTUAL_PATH
@leave@    fi
    if [ -n "${_OLD_VIRTUAL_PYTHONHOME+x}" ]; then
        PYTHONHOME="$_OLD_VIRTUAL_PYTHONHOME"
        export PYTHONHOME
        unset _OLD_VIRTUAL_PYTHONHOME
    fi
    if [ -n "${_OLD_VIRTUAL_PS1+x}" ]; then
        PS1="$_OLD_VIRTUAL_PS1"
        unset _OLD_VIRTUAL_PS1
    fi
    unset VIRTUAL_ENV
    unset VIRTUAL_ENV_PROMPT
    hash -r 2>/dev/null || true
    if [ "${1:-}" != nondestructive ]; then
        unset -f deactivate
    fi
}

@identity@
_OLD_VIRTUAL_PATH="${PATH-}"
PATH=@programs@"${PATH:+:$PATH}"
export PATH

if [ -n "${PYTHONHOME+x}" ]; then
    _OLD_VIRTUAL_PYTHONHOME="$PYTHONHOME"
    unset PYTHONHOME
fi

@enter@if [ -n "${PS1+x}" ] && [ -z "${VIRTUAL_ENV_DISABLE_PROMPT:-}" ]; then
    _OLD_VIRTUAL_PS1="$PS1"
    PS1=@shown@"$PS1"
fi

@entering@hash -r 2>/dev/null || true
"""

_SH_SOURCE = """\
if [ -f @file@ ]; then . @file@; fi
"""

_SH_SOURCE_LEAVING = """\
        if [ -f @file@ ]; then . @file@; fi
"""

_SH_VIRTUAL = """\
VIRTUAL_ENV=@prefix@
export VIRTUAL_ENV
VIRTUAL_ENV_PROMPT=@prompt@
export VIRTUAL_ENV_PROMPT
"""

_NOT_VIRTUAL = """\
unset VIRTUAL_ENV
unset VIRTUAL_ENV_PROMPT
"""

_SH_ENTER = """\
if [ -n "${@name@+x}" ]; then
    _OLD_VIRTUAL_SET_@name@="$@name@"
fi
@name@=@value@
export @name@

"""

_SH_LEAVE = """\
        if [ -n "${_OLD_VIRTUAL_SET_@name@+x}" ]; then
            @name@="$_OLD_VIRTUAL_SET_@name@"
            export @name@
            unset _OLD_VIRTUAL_SET_@name@
        else
            unset @name@
        fi
"""

_FISH = """\
# Source this file from fish; it cannot be run. `deactivate` leaves the environment.

if set -q _OLD_VIRTUAL_PATH
    deactivate nondestructive
end

function deactivate -d "Leave the virtual environment"
    if set -q _OLD_VIRTUAL_PATH
@leaving@        set -gx PATH $_OLD_VIRTUAL_PATH
        set -e _OLD_VIRTUAL_PATH
@leave@    end
    if set -q _OLD_VIRTUAL_PYTHONHOME
        set -gx PYTHONHOME $_OLD_VIRTUAL_PYTHONHOME
        set -e _OLD_VIRTUAL_PYTHONHOME
    end
    if functions -q _old_fish_prompt
        functions -e fish_prompt
        functions -c _old_fish_prompt fish_prompt
        functions -e _old_fish_prompt
    end
    set -e VIRTUAL_ENV
    set -e VIRTUAL_ENV_PROMPT
    if test "$argv[1]" != nondestructive
        functions -e deactivate
    end
end

@identity@
set -g _OLD_VIRTUAL_PATH $PATH
set -gx PATH @programs@ $PATH

if set -q PYTHONHOME
    set -g _OLD_VIRTUAL_PYTHONHOME $PYTHONHOME
    set -e PYTHONHOME
end

@enter@if test -z "$VIRTUAL_ENV_DISABLE_PROMPT"; and functions -q fish_prompt
    functions -c fish_prompt _old_fish_prompt
    function fish_prompt
        set -l last $status
        printf '(%s) ' @shown@
        sh -c "exit $last" # the prompt that follows may show how the last command ended
        _old_fish_prompt
    end
end
@entering@"""

_FISH_SOURCE = """\
test -f @file@; and source @file@
"""

_FISH_SOURCE_LEAVING = """\
        test -f @file@; and source @file@
"""

_FISH_VIRTUAL = """\
set -gx VIRTUAL_ENV @prefix@
set -gx VIRTUAL_ENV_PROMPT @prompt@
"""

_FISH_NOT_VIRTUAL = """\
set -e VIRTUAL_ENV
set -e VIRTUAL_ENV_PROMPT
"""

_FISH_ENTER = """\
if set -q @name@
    set -g _OLD_VIRTUAL_SET_@name@ $@name@
end
set -gx @name@ @value@

"""

_FISH_LEAVE = """\
        if set -q _OLD_VIRTUAL_SET_@name@
            set -gx @name@ $_OLD_VIRTUAL_SET_@name@
            set -e _OLD_VIRTUAL_SET_@name@
        else
            set -e @name@
        end
"""

_CSH = """\
test $?_OLD_VIRTUAL_PATH != 0 && eval 'deactivate nondestructive';
alias deactivate '@alias@';
@identity@set _OLD_VIRTUAL_PATH = "$PATH:q";
setenv PATH @programs@":$PATH:q";
test $?PYTHONHOME != 0 && set _OLD_VIRTUAL_PYTHONHOME = "$PYTHONHOME:q" && unsetenv PYTHONHOME;
@enter@\
@kept@test $?prompt != 0 && test $?VIRTUAL_ENV_DISABLE_PROMPT = 0 && set _OLD_VIRTUAL_PROMPT = "$prompt:q" && set prompt = @shown@"$prompt:q";
@entering@rehash;
"""

_CSH_KEPT = """\
set _OLD_VIRTUAL_LEAVING_@number@ = @file@;
"""

_CSH_SOURCE = """\
test -f @file@ && source @file@;
"""

_CSH_SOURCE_LEAVING = (
    'test $?_OLD_VIRTUAL_LEAVING_@number@ != 0 && test -f "$_OLD_VIRTUAL_LEAVING_@number@:q" && source "$_OLD_VIRTUAL_LEAVING_@number@:q"; '
    "unset _OLD_VIRTUAL_LEAVING_@number@; "
)

_CSH_ALIAS = """\
@leaving@test $?_OLD_VIRTUAL_PATH != 0 && setenv PATH "$_OLD_VIRTUAL_PATH:q" && unset _OLD_VIRTUAL_PATH; \
test $?_OLD_VIRTUAL_PYTHONHOME != 0 && setenv PYTHONHOME "$_OLD_VIRTUAL_PYTHONHOME:q" && unset _OLD_VIRTUAL_PYTHONHOME; \
test $?_OLD_VIRTUAL_PROMPT != 0 && set prompt = "$_OLD_VIRTUAL_PROMPT:q" && unset _OLD_VIRTUAL_PROMPT; \
@leave@unsetenv VIRTUAL_ENV; unsetenv VIRTUAL_ENV_PROMPT; rehash; test "\\!:*" != "nondestructive" && unalias deactivate"""

_CSH_VIRTUAL = """\
setenv VIRTUAL_ENV @prefix@;
setenv VIRTUAL_ENV_PROMPT @prompt@;
"""

_CSH_NOT_VIRTUAL = """\
unsetenv VIRTUAL_ENV;
unsetenv VIRTUAL_ENV_PROMPT;
"""

_CSH_ENTER = """\
test $?@name@ != 0 && set _OLD_VIRTUAL_SET_@name@ = "$@name@:q";
setenv @name@ @value@;
"""

_CSH_LEAVE = (
    'unsetenv @name@; test $?_OLD_VIRTUAL_SET_@name@ != 0 && setenv @name@ "$_OLD_VIRTUAL_SET_@name@:q" && unset _OLD_VIRTUAL_SET_@name@; '
)
