"""The front door: importing it imports nothing, every name is there, help shows the control keywords one by one."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import envkit

ROOT = Path(envkit.__file__).parent.parent


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)


@pytest.mark.core
def test_importing_envkit_adds_no_other_module() -> None:
    """`import envkit` adds `envkit` to sys.modules, and nothing else."""
    done = _python("import sys; before = set(sys.modules); import envkit; print(sorted(set(sys.modules) - before))")
    assert done.stdout.strip() == "['envkit']", done.stderr


@pytest.mark.core
def test_every_public_name_is_there() -> None:
    """Each name that `dir` shows can be had, and an unknown one is an AttributeError that names it."""
    for name in envkit.__all__:
        assert getattr(envkit, name) is not None
    assert set(envkit.__all__) <= set(dir(envkit))
    with pytest.raises(AttributeError, match="esnure"):
        envkit.esnure  # noqa: B018 - the look-up is the test


@pytest.mark.core
@pytest.mark.parametrize(
    "verb", ["find", "resolve", "create", "ensure", "plan", "apply", "remove", "install", "uninstall", "run", "provision"]
)
def test_help_shows_the_control_keywords(verb: str) -> None:
    """The keywords that every slow verb takes stand in its signature by name, and an unknown one is refused at once."""
    function = getattr(envkit, verb)
    assert {"report", "cancel", "timeout", "offline", "host"} <= set(inspect.signature(function).parameters)
    with pytest.raises(TypeError, match="timeuot"):
        function(timeuot=3)


@pytest.mark.core
def test_find_loads_no_heavy_module() -> None:
    """Looking at the machine loads no kernel, package or process code."""
    code = "import sys, envkit; list(envkit.find()); print([name for name in ('asyncio', 'jupyter_client', 'subprocess', 'filelock', 'importlib.metadata', 'platformdirs', 'packaging.requirements') if name in sys.modules])"
    assert _python(code).stdout.strip() == "[]"


@pytest.mark.core
def test_another_distributions_package_is_named(tmp_path: Path) -> None:
    """Where another `envkit/__init__.py` was installed over ours, whichever part of ours runs says so in one line, with two commands."""
    package = tmp_path / "envkit"
    package.mkdir()
    for source in (ROOT / "envkit").rglob("*.py"):
        target = package / source.relative_to(ROOT / "envkit")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text("utf-8"), "utf-8")
    (package / "__init__.py").write_text("def parse(): ...\n", "utf-8")
    for argv in (["-m", "envkit", "find"], ["-c", "import sys; from envkit.cli.main import main; sys.exit(main())"]):
        done = subprocess.run([sys.executable, *argv], capture_output=True, text=True, cwd=tmp_path, timeout=60)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert "pip uninstall" in done.stderr
        assert "pip install" in done.stderr
    done = subprocess.run([sys.executable, "-c", "import envkit.environments"], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert "ImportError" in done.stderr.splitlines()[-1]
    assert "pip uninstall" in done.stderr.splitlines()[-1]
