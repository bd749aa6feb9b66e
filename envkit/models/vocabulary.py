"""The fixed words: kinds, managers, problem codes and error codes, each in one table.

Programs compare with these texts, so a code is never renamed; a new one is added here first and documented by its line.
"""

from __future__ import annotations

from typing import Final

KINDS: Final = ("interpreter", "venv", "conda")

MANAGERS: Final = {
    # who owns a plain interpreter
    "path": "a directory on PATH, no tool known",
    "system": "the operating system's own Python",
    "debian": "Debian's or Ubuntu's packages",
    "pyenv": "pyenv, pyenv-virtualenv and pyenv-win",
    "asdf": "asdf",
    "mise": "mise",
    "homebrew": "Homebrew",
    "python.org": "the installers of python.org for macOS",
    "xcode": "Xcode and its Command Line Tools",
    "windows-registry": "a PEP 514 registration",
    "windows-store": "the Microsoft Store",
    "winpython": "WinPython",
    "pymanager": "the Python Install Manager for Windows",
    "scoop": "Scoop",
    "graalpy": "GraalPy",
    "pypy": "PyPy",
    # who owns a virtual environment
    "venv": "the standard library's venv, or nobody known",
    "virtualenv": "virtualenv",
    "virtualenvwrapper": "virtualenvwrapper",
    "uv": "uv (managed Pythons, project, tool and script environments)",
    "poetry": "Poetry",
    "pipenv": "Pipenv",
    "hatch": "Hatch",
    "pdm": "PDM",
    "rye": "Rye",
    "pipx": "pipx",
    "tox": "tox",
    "nox": "nox",
    "direnv": "direnv",
    "envkit": "envkit",
    # who owns a conda environment
    "conda": "conda",
    "mamba": "mamba",
    "micromamba": "micromamba",
    "pixi": "pixi",
}

PROBLEMS: Final = {
    # environments
    "base-missing": "the Python that the environment was made from is gone",
    "python-missing": "the environment has no interpreter although it should have one",
    "python-dangling": "the interpreter is a link to nothing",
    "python-unusable": "the interpreter is there but does not run",
    "base-changed": "the Python that the environment was made from is another minor version now, so its packages are not seen",
    "moved": "the environment lies elsewhere than its own files say",
    "config-unreadable": "pyvenv.cfg cannot be read",
    "half-made": "making or changing it was interrupted",
    "record-unreadable": "envkit's own record cannot be read",
    "shim": "not an interpreter but a script that picks one",
    "stub": "not an interpreter but a placeholder that offers to install one",
    # packages
    "package-broken": "files that the package's RECORD lists are gone",
    "package-altered": "a file of the package has another content than its RECORD says",
    "requirement-missing": "something that the package needs is not installed",
    "requirement-conflict": "something that the package needs is installed in a version that does not fit",
    "python-unsupported": "the package is not made for this version of Python",
    # a record that is held against the environment
    "edited": "packages were changed since envkit wrote its record",
    "record-differs": "what was found by looking differs from what the Python says when it is run",
    # kernels
    "spec-unreadable": "kernel.json cannot be read",
    "name-invalid": "the directory's name is no kernel name",
    "interpreter-missing": "the interpreter that the kernel names is gone",
    "environment-missing": "the environment that the kernel was made for is gone",
    "wrapper-target-missing": "what the kernel's shell, `conda run` or script leads to is gone",
    "ipykernel-missing": "ipykernel is not installed in the environment",
    "ipykernel-too-old": "ipykernel in the environment is too old for the debugger and interrupts by message",
    "shadowed": "another kernelspec of the same name is found first",
    "provisioner-missing": "the kernel needs a provisioner that the Python of Jupyter does not have, so it is not shown",
    "bare-python": "the kernel starts whichever Python Jupyter runs in",
    "python-changed": "the environment has another Python than when the kernel was registered",
    "path-mismatch": "`!pip` and `!python` in a cell land in another environment",
    "pip-missing": "the environment has no pip, so `!pip` in a cell is another one's, or none",
    "pythonpath-clash": "PYTHONPATH or PYTHONHOME makes it load files of another Python",
    "activation-stale": "activating the environment does something else than when the kernel was registered",
}

KERNEL_CAUSES: Final = {
    "interpreter-missing": "the interpreter that the kernel names is gone",
    "interpreter-broken": "the interpreter that the kernel names is there but does not run",
    "ipykernel-missing": "ipykernel is not installed in the environment",
    "pythonpath-clash": "PYTHONPATH or PYTHONHOME makes it load files of another Python",
    "startup-timeout": "it did not answer in time",
    "spec-unreadable": "kernel.json cannot be read",
    "died": "it ended before it answered",
    "wrong-environment": "the cell ran, but in another environment",
    "cell-failed": "the cell that should prove it raised an error",
}
