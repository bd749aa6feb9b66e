"""The activation scripts for PowerShell, on every platform, and for cmd, on Windows.

Written after CPython's scripts and Microsoft's documents; checked as text, not run: no machine of ours has these shells.
"""

from __future__ import annotations

from . import quoting
from .scene import Scene, filled


def powershell_script(scene: Scene) -> str:
    """Return the script for PowerShell; to be written with a byte order mark, or Windows' own PowerShell takes it for another encoding."""
    return filled(
        _POWERSHELL,
        leave="".join(filled(_POWERSHELL_LEAVE, name=name) for name in scene.variables),
        enter="".join(filled(_POWERSHELL_ENTER, name=name, value=quoting.powershell(value)) for name, value in scene.variables.items()),
        identity=_POWERSHELL_NOT_VIRTUAL
        if scene.prefix is None
        else filled(_POWERSHELL_VIRTUAL, prefix=quoting.powershell(scene.prefix), prompt=quoting.powershell(scene.prompt)),
        programs=" + [System.IO.Path]::PathSeparator + ".join(map(quoting.powershell, scene.programs)),
        shown=quoting.powershell(f"({quoting.displayed(scene.prompt)}) "),
        entering="".join(filled(_POWERSHELL_SOURCE, file=quoting.powershell(file)) for file in scene.entering),
        leaving="".join(filled(_POWERSHELL_SOURCE_LEAVING, file=quoting.powershell(file)) for file in scene.leaving),
    )


def cmd_script(scene: Scene) -> str:
    """Return `activate.bat`."""
    return filled(
        _CMD,
        enter="".join(filled(_CMD_ENTER, name=name, value=quoting.cmd(value)) for name, value in scene.variables.items()),
        identity=_CMD_NOT_VIRTUAL
        if scene.prefix is None
        else filled(_CMD_VIRTUAL, prefix=quoting.cmd(scene.prefix), prompt=quoting.displayed(scene.prompt)),
        programs=";".join(map(quoting.cmd, scene.programs)),
        prompt=quoting.displayed(scene.prompt),
        entering="".join(filled(_CMD_SOURCE, file=quoting.cmd(file)) for file in scene.entering),
    )


def cmd_leaving_script(scene: Scene) -> str:
    """Return `deactivate.bat`, which cmd needs as a file of its own: it has no functions."""
    return filled(_CMD_LEAVING, leave="".join(filled(_CMD_LEAVE, name=name) for name in scene.variables))


_POWERSHELL = """\
# Source this file from PowerShell: `. Activate.ps1`. `deactivate` leaves the environment.

if (Test-Path -Path variable:global:_OLD_VIRTUAL_PATH) {
    deactivate -NonDestructive
}

function global:deactivate ([switch]$NonDestructive) {
    if (Test-Path -Path variable:global:_OLD_VIRTUAL_PATH) {
@leaving@        $env:PATH = $global:_OLD_VIRTUAL_PATH
        Remove-Variable -Name _OLD_VIRTUAL_PATH -Scope Global
@leave@    }
    if (Test-Path -Path variable:global:_OLD_VIRTUAL_PYTHONHOME) {
        $env:PYTHONHOME = $global:_OLD_VIRTUAL_PYTHONHOME
        Remove-Variable -Name _OLD_VIRTUAL_PYTHONHOME -Scope Global
    }
    if (Test-Path -Path function:global:_OLD_VIRTUAL_PROMPT) {
        Copy-Item -Path function:global:_OLD_VIRTUAL_PROMPT -Destination function:global:prompt
        Remove-Item -Path function:global:_OLD_VIRTUAL_PROMPT
    }
    if (Test-Path -Path env:VIRTUAL_ENV) {
        Remove-Item -Path env:VIRTUAL_ENV
    }
    if (Test-Path -Path env:VIRTUAL_ENV_PROMPT) {
        Remove-Item -Path env:VIRTUAL_ENV_PROMPT
    }
    if (-not $NonDestructive) {
        Remove-Item -Path function:deactivate
    }
}

@identity@
$global:_OLD_VIRTUAL_PATH = $env:PATH
$env:PATH = @programs@ + [System.IO.Path]::PathSeparator + $env:PATH

if (Test-Path -Path env:PYTHONHOME) {
    $global:_OLD_VIRTUAL_PYTHONHOME = $env:PYTHONHOME
    Remove-Item -Path env:PYTHONHOME
}

@enter@if (-not $env:VIRTUAL_ENV_DISABLE_PROMPT) {
    Copy-Item -Path function:prompt -Destination function:global:_OLD_VIRTUAL_PROMPT
    function global:prompt {
        Write-Host -NoNewline -Object @shown@
        _OLD_VIRTUAL_PROMPT
    }
}
@entering@"""

_POWERSHELL_SOURCE = """\
if (Test-Path -LiteralPath @file@) { . @file@ }
"""

_POWERSHELL_SOURCE_LEAVING = """\
        if (Test-Path -LiteralPath @file@) { . @file@ }
"""

_POWERSHELL_VIRTUAL = """\
$env:VIRTUAL_ENV = @prefix@
$env:VIRTUAL_ENV_PROMPT = @prompt@
"""

_POWERSHELL_NOT_VIRTUAL = """\
Remove-Item -Path env:VIRTUAL_ENV -ErrorAction Ignore
Remove-Item -Path env:VIRTUAL_ENV_PROMPT -ErrorAction Ignore
"""

_POWERSHELL_ENTER = """\
if (Test-Path -Path env:@name@) {
    $global:_OLD_VIRTUAL_SET_@name@ = $env:@name@
}
$env:@name@ = @value@

"""

_POWERSHELL_LEAVE = """\
        if (Test-Path -Path variable:global:_OLD_VIRTUAL_SET_@name@) {
            $env:@name@ = $global:_OLD_VIRTUAL_SET_@name@
            Remove-Variable -Name _OLD_VIRTUAL_SET_@name@ -Scope Global
        } elseif (Test-Path -Path env:@name@) {
            Remove-Item -Path env:@name@
        }
"""

_CMD = """\
@echo off
rem Run this file from cmd: Scripts\\activate.bat. `deactivate` leaves the environment.

if defined _OLD_VIRTUAL_PATH call deactivate.bat

rem This file is in UTF-8, which cmd reads only under its own code page.
for /f "tokens=2 delims=:." %%a in ('"%SystemRoot%\\System32\\chcp.com"') do set _OLD_CODEPAGE=%%a
if defined _OLD_CODEPAGE "%SystemRoot%\\System32\\chcp.com" 65001 > nul

@identity@
set "_OLD_VIRTUAL_PATH=%PATH%"
set "PATH=@programs@;%PATH%"

if defined PYTHONHOME set "_OLD_VIRTUAL_PYTHONHOME=%PYTHONHOME%"
set PYTHONHOME=

@enter@if not defined PROMPT set PROMPT=$P$G
if not defined VIRTUAL_ENV_DISABLE_PROMPT set "_OLD_VIRTUAL_PROMPT=%PROMPT%"
if not defined VIRTUAL_ENV_DISABLE_PROMPT set "PROMPT=(@prompt@) %PROMPT%"

if defined _OLD_CODEPAGE "%SystemRoot%\\System32\\chcp.com" %_OLD_CODEPAGE% > nul
set _OLD_CODEPAGE=
@entering@"""

_CMD_SOURCE = """\
if exist "@file@" call "@file@"
"""

_CMD_VIRTUAL = """\
set "VIRTUAL_ENV=@prefix@"
set "VIRTUAL_ENV_PROMPT=@prompt@"
"""

_CMD_NOT_VIRTUAL = """\
set VIRTUAL_ENV=
set VIRTUAL_ENV_PROMPT=
"""

_CMD_ENTER = """\
if defined @name@ set "_OLD_VIRTUAL_SET_@name@=%@name@%"
set "@name@=@value@"

"""

_CMD_LEAVING = """\
@echo off
if defined _OLD_VIRTUAL_PATH set "PATH=%_OLD_VIRTUAL_PATH%"
set _OLD_VIRTUAL_PATH=
if defined _OLD_VIRTUAL_PYTHONHOME set "PYTHONHOME=%_OLD_VIRTUAL_PYTHONHOME%"
set _OLD_VIRTUAL_PYTHONHOME=
if defined _OLD_VIRTUAL_PROMPT set "PROMPT=%_OLD_VIRTUAL_PROMPT%"
set _OLD_VIRTUAL_PROMPT=
@leave@set VIRTUAL_ENV=
set VIRTUAL_ENV_PROMPT=
"""

_CMD_LEAVE = """\
set "@name@=%_OLD_VIRTUAL_SET_@name@%"
set _OLD_VIRTUAL_SET_@name@=
"""
