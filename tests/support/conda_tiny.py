"""The tiny packages of the tests' channel: each is there for one thing that can happen, none needs Python."""

from __future__ import annotations

import json
from collections.abc import Iterator

from .conda_packages import PLACEHOLDER, Entry, Recipe, text

_SHORT = "/opt/short_placehold_pl"


def recipes() -> Iterator[Recipe]:
    """Yield them all; what each is for stands beside it."""
    yield from _versions()
    yield from _impossible()
    yield from _activated()
    yield from _relocated()
    yield from _scripted()
    yield from _kernel()


def _versions() -> Iterator[Recipe]:
    """Two versions, one in each format; one that needs either; one that is pinned below; builds that differ by number alone."""
    for version, ending in (("1.0", ".tar.bz2"), ("2.0", ".conda")):
        files = {
            "share/tiny/version.txt": text(f"{version}\n"),
            f"share/tiny/only-{version}.txt": text("here\n"),
            "share/tiny/settings.ini": text(f"[place]\nprefix = {PLACEHOLDER}\n", prefix=True),
        }
        yield Recipe(name="tiny", version=version, files=files, format=ending)  # type: ignore[arg-type]
    yield Recipe(name="leaf", depends=("tiny >=1.0",), files={"share/leaf/leaf.txt": text("leaf\n")})
    yield Recipe(name="oldleaf", depends=("tiny <2",), files={"share/oldleaf/leaf.txt": text("old\n")})
    for number in (0, 1):
        yield Recipe(name="rebuilt", number=number, files={"share/rebuilt/number.txt": text(f"{number}\n")})
    yield Recipe(name="mixed_Name.dots", version="2026.1", files={"share/mixed/name.txt": text("odd\n")})


def _impossible() -> Iterator[Recipe]:
    """Two that exclude one another; ones for machines that nobody has; two that bring the same file."""
    yield Recipe(name="left", depends=("tiny 1.0",), files={"share/left.txt": text("left\n")})
    yield Recipe(name="right", depends=("tiny >=2.0",), files={"share/right.txt": text("right\n")})
    yield Recipe(name="needs-cuda", depends=("__cuda",), files={"share/needs-cuda.txt": text("cuda\n")})
    yield Recipe(name="needs-glibc", depends=("__glibc >=99",), files={"share/needs-glibc.txt": text("glibc\n")})
    yield Recipe(name="needs-nothing-there", depends=("no-such-package >=3",))
    for name in ("clash-one", "clash-two"):
        yield Recipe(name=name, files={"share/clash/same.txt": text(f"{name}\n"), f"share/clash/{name}.txt": text("own\n")})


def _activated() -> Iterator[Recipe]:
    """Scripts that a shell is to source, and variables as data, with values that shells take for something else."""
    files = {
        "etc/conda/activate.d/activating.sh": text(
            'export ACTIVATING_HOME="$CONDA_PREFIX/share/activating"\nexport ACTIVATING_SAYS="it\'s $(echo on)"\n'
            "export PATH=\"$CONDA_PREFIX/share/activating/bin:$PATH\"\nexport ACTIVATING_LINES='one\ntwo'\n"
        ),
        "etc/conda/deactivate.d/activating.sh": text("unset ACTIVATING_HOME ACTIVATING_SAYS ACTIVATING_LINES\n"),
        "etc/conda/activate.d/activating.fish": text('set -gx ACTIVATING_HOME "$CONDA_PREFIX/share/activating"\n'),
        "etc/conda/activate.d/activating.bat": text('@set "ACTIVATING_HOME=%CONDA_PREFIX%\\share\\activating"\n'),
        "share/activating/bin/activating-tool": text("#!/bin/sh\necho activated tool\n", executable=True),
    }
    yield Recipe(name="activating", files=files)
    variables = {"VARIABLES_PLAIN": "plain", "VARIABLES_QUOTED": 'it\'s $(date) `id` "x" %PATH%\nsecond line'}
    yield Recipe(name="variables", files={"etc/conda/env_vars.d/variables.json": text(json.dumps(variables))})


def _relocated() -> Iterator[Recipe]:
    """The prefix in a script, in a binary file, and in one whose placeholder is short; a symbolic link; an empty file."""
    files = {
        "bin/native-hello": text(f"#!/bin/sh\necho hello from {PLACEHOLDER}\n", prefix=True, executable=True),
        "lib/native.bin": Entry(data=b"\x00\x01head" + f"{PLACEHOLDER}/lib/native".encode() + b"\x00tail\x00" * 3, prefix="binary"),
        "lib/native-link.bin": Entry(link="native.bin"),
        "share/native/empty": Entry(),
    }
    yield Recipe(name="native", noarch=None, files=files)
    short = {"lib/short.bin": Entry(data=b"\x00" + f"{_SHORT}/lib".encode() + b"\x00end", prefix="binary")}
    yield Recipe(name="short-placeholder", noarch=None, files=short, placeholder=_SHORT)


def _scripted() -> Iterator[Recipe]:
    """Scripts that conda runs after linking and before unlinking, one of which fails."""
    post = '#!/bin/sh\necho "$PKG_NAME $PKG_VERSION" >"$PREFIX/share/posted.txt"\necho said >>"$PREFIX/.messages.txt"\n'
    files = {
        "bin/.posting-post-link.sh": text(post, executable=True),
        "bin/.posting-pre-unlink.sh": text('#!/bin/sh\nrm -f "$PREFIX/share/posted.txt"\n', executable=True),
        "share/posting/posting.txt": text("posting\n"),
    }
    yield Recipe(name="posting", noarch=None, files=files)
    failing = {"bin/.post-fails-post-link.sh": text("#!/bin/sh\nexit 3\n", executable=True), "share/post-fails.txt": text("here\n")}
    yield Recipe(name="post-fails", noarch=None, files=failing)


def _kernel() -> Iterator[Recipe]:
    """A language with a kernelspec of its own, as R and IRkernel: the program `R`, and a kernel for it that runs on ipykernel."""
    program = f'#!/bin/sh\nshift 4\nexec "{PLACEHOLDER}/bin/python" "{PLACEHOLDER}/share/toy-r/kernel.py" -f "$1"\n'
    yield Recipe(name="r-base", version="4.4.1", files={"bin/R": text(program, prefix=True, executable=True)})
    spec = {
        "argv": [f"{PLACEHOLDER}/bin/R", "--slave", "-e", "IRkernel::main()", "--args", "{connection_file}"],
        "display_name": "R",
        "language": "R",
    }
    kernel = (
        "from ipykernel.kernelapp import launch_new_instance\nfrom ipykernel.kernelbase import Kernel\n\n\n"
        "class ToyR(Kernel):\n    implementation, implementation_version, banner = 'IRkernel', '1.3', 'toy R'\n"
        "    language_info = {'name': 'R', 'version': '4.4.1', 'mimetype': 'text/x-r-source', 'file_extension': '.r'}\n\n"
        "    def do_execute(self, code, silent, store_history=True, user_expressions=None, allow_stdin=False, **others):\n"
        "        if not silent:\n"
        "            self.send_response(self.iopub_socket, 'stream', {'name': 'stdout', 'text': '[1] ' + code + '\\n'})\n"
        "        return {'status': 'ok', 'execution_count': self.execution_count, 'payload': [], 'user_expressions': {}}\n\n\n"
        "launch_new_instance(kernel_class=ToyR)\n"
    )
    files = {
        "share/jupyter/kernels/ir/kernel.json": text(json.dumps(spec), prefix=True),
        "share/toy-r/kernel.py": text(kernel),
    }
    yield Recipe(name="r-irkernel", version="1.3.2", depends=("r-base >=4", "python", "ipykernel"), files=files)
