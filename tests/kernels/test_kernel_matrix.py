from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.version import Version

import envkit
from envkit.host import Host

MINORS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
CELL = """
import sys
print(sys.prefix)
!python -c "import sys; print(sys.prefix)"
import subprocess; print(subprocess.check_output(["python", "-c", "import sys; print(sys.prefix)"]).decode())
"""


@pytest.mark.slow
@pytest.mark.parametrize("minor", MINORS)
def test_every_python_gets_a_kernel_from_a_caller_of_another(
    minor: str, interpreters: dict[str, Path], build: Callable[..., Path], host: Host, tmp_path: Path
) -> None:
    """For each CPython of this machine: ipykernel is installed in a version that fits, the kernel is registered and proven; its programs are its own."""
    if minor not in interpreters:
        pytest.skip(f"there is no Python {minor} here")
    prefix = build(tmp_path / "env", interpreters[minor])
    kernel = envkit.jupyter.register(prefix, name=f"py{minor}", host=host)
    proof = envkit.jupyter.verify(kernel, host=host).proof
    assert proof is not None
    assert (proof.prefix, proof.version.release[:2]) == (prefix, Version(minor).release)
    if minor in {MINORS[0], max(interpreters, key=Version)}:  # the oldest and the newest ipykernel
        with envkit.jupyter.session(prefix, host=host) as running:
            assert running.run(CELL).text.split() == [str(prefix)] * 3


@pytest.mark.slow
def test_any_path_that_an_environment_may_have(kernel_environment: Path, build: Callable[..., Path], host: Host, tmp_path: Path) -> None:
    """Blanks, an accent, quotes, a dollar sign, braces and a percent sign in the path: Jupyter's own client starts the kernel in it."""
    from jupyter_client.manager import start_new_kernel

    directory = tmp_path / "a b é 'c' \"d\" $HOME $PATH {x y} 100%"
    directory.mkdir()
    prefix = build(directory / "env", kernel_environment / "bin" / "python", "ipykernel")
    envkit.jupyter.register(prefix, name="odd")
    assert envkit.jupyter.verify("odd").proof
    manager, client = start_new_kernel(kernel_name="odd", startup_timeout=60)
    try:
        said: list[str] = []
        client.execute_interactive(CELL, timeout=60, output_hook=lambda message: said.append(message["content"].get("text", "")))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert [line for line in "".join(said).splitlines() if line] == [str(prefix)] * 3


@pytest.mark.core
def test_a_path_that_a_kernelspec_cannot_hold_is_refused(host: Host, tmp_path: Path, kernel_environment: Path) -> None:
    """Jupyter would replace a template in the interpreter's path, and knows no escape: that is said, before anything is written."""
    prefix = tmp_path / "{prefix}"
    prefix.symlink_to(kernel_environment)
    with pytest.raises(envkit.UsageError) as caught:
        envkit.jupyter.register(prefix, name="odd", host=host)
    assert caught.value.code == "path"
    assert not Path(host.environ["JUPYTER_DATA_DIR"]).exists()
