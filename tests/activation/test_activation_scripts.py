"""`activation_script` in the real shells: evaluated as the documentation says, with hostile names, for any environment."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import envkit
from envkit import Host

KINDS = {
    "sh": "sh",
    "dash": "sh",
    "ksh": "sh",
    "bash": "bash",
    "zsh": "zsh",
    "fish": "fish",
    "tcsh": "csh",
    "nu": "nu",
    "xonsh": "xonsh",
}
EVALUATE = {  # as docs/how-to/activate.md says
    "sh": 'eval "$(cat {file})"',
    "bash": 'eval "$(cat {file})"',
    "zsh": 'eval "$(cat {file})"',
    "fish": "cat {file} | source",
    "csh": 'eval "`cat {file}`"',
    "nu": "overlay use {file} as activate",
    "xonsh": "execx($(cat {file}))",
}
START = {
    "bash": ["--norc", "--noprofile"],
    "zsh": ["-f"],
    "tcsh": ["-f"],
    "fish": ["--no-config"],
    "xonsh": ["--no-rc", "--no-env"],
    "nu": ["--no-config-file"],
}
HOSTILE = (
    "$(touch pwn)`touch pwn`",
    "';touch pwn;'\";touch pwn;\"",
    "a b  c é ü 漢",
    "!touch pwn a!!b",
    "x\\",
    "\\!y $HOME*?[a]",
    "&touch pwn&(touch pwn)|touch pwn",
    "%n%P{x}{env_name}@(1+1)",
    "-n",
    "~",
)
REPORT = "import json, os; print(json.dumps(dict(os.environ)))"


def shell_named(name: str) -> str:
    """Return the path of a shell; the test is skipped where there is none."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on PATH")
    return found


def said_by(shell: str, lines: list[str], cwd: Path, environ: dict[str, str]) -> list[dict[str, str]]:
    """Run lines in a shell, without its start-up files, and return what each reporting program saw."""
    name = Path(shell).name
    script = cwd / ("script.nu" if name == "nu" else "script")
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run(
        [shell, *START.get(name, []), str(script)],
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert not done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def environ(host: Host, tmp_path: Path) -> dict[str, str]:
    """Variables with a PYTHONHOME that an activation has to hide, and one that an environment replaces."""
    return {"PATH": host.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PYTHONHOME": "/nowhere", "REPLACED": "before"}


@pytest.mark.parametrize("name", KINDS)
def test_each_shell_evaluates_its_script_whatever_the_names_hold(name: str, host: Host, tmp_path: Path, environ: dict[str, str]) -> None:
    """Evaluating the script changes what `activation` says, `deactivate` puts everything back, and no name runs code."""
    shell, kind = shell_named(name), KINDS[name]
    report = f"^{sys.executable}" if kind == "nu" else sys.executable
    reporter = tmp_path / "report.py"
    reporter.write_text(REPORT, encoding="utf-8")
    inner = Host(root=host.root, environ=environ, platform=host.platform, home=host.home, cwd=tmp_path, data=host.data)
    lines: list[str] = []
    first: list[str] = []
    if name == "xonsh":  # which is a Python itself, and would not start
        first = [f"$PYTHONHOME = {environ['PYTHONHOME']!r}"]
    wanted: list[envkit.Activation] = []
    for number, hostile in enumerate(HOSTILE):
        place = tmp_path / str(number) / hostile
        made = envkit.create(envkit.Spec(prefix=place, variables={"REPLACED": hostile, "MADE": f"'{hostile}"}), host=inner)
        file = tmp_path / f"script{number}.nu"
        file.write_text(envkit.activation_script(made, kind, host=inner), encoding="utf-8")  # type: ignore[arg-type]
        wanted.append(envkit.activation(made, host=inner))
        lines += [EVALUATE[kind].format(file=file), f"{report} -I {reporter}", "deactivate", f"{report} -I {reporter}"]
    given = {key: value for key, value in environ.items() if not (first and key == "PYTHONHOME")}
    before, *reports = said_by(shell, [*first, f"{report} -I {reporter}", *lines], tmp_path, given)

    assert len(reports) == 2 * len(HOSTILE)
    environ = {key: before[key] for key in environ if key in before}  # xonsh changes some of them when it starts
    for activation, hostile, inside, outside in zip(wanted, HOSTILE, reports[::2], reports[1::2], strict=True):
        expected = activation.apply(environ)
        assert expected["REPLACED"] == hostile
        assert {key: inside.get(key) for key in {*expected, "PYTHONHOME"}} == {**expected, "PYTHONHOME": None}
        gone = ("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "MADE")
        assert {key: outside.get(key) for key in (*environ, *gone)} == {**environ, **dict.fromkeys(gone)}
    assert not list(tmp_path.rglob("pwn"))
