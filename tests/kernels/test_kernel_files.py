import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from envkit.control import Work
from envkit.errors import MachineError
from envkit.formats.kernel_json import LIMIT, KernelJson, Owner, dump
from envkit.host import Host
from envkit.kernels import registration
from envkit.kernelspec import spec
from envkit.system.files import write_atomic

SPEC = KernelJson(
    argv=(sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"), display_name="x", owner=Owner(environment="/gone")
)
ROOT = Path(__file__).parents[2]


@pytest.mark.core
def test_everybody_may_read_what_is_written(tmp_path: Path) -> None:
    """A kernelspec can be read by all who may use the scope, whatever the umask; nothing else is left beside it."""
    place = tmp_path / "kernels" / "demo"
    old = os.umask(0o077)
    try:
        spec.write(place, SPEC, {"logo-32x32.png": b"png"})
    finally:
        os.umask(old)
    assert sorted(os.listdir(place)) == ["kernel.json", "logo-32x32.png"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()} == {0o644}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (place, place.parent)} == {0o755}


@pytest.mark.core
def test_a_logo_of_an_earlier_kernelspec_goes(tmp_path: Path) -> None:
    """A kernelspec that is written again shows no logo that it does not have."""
    spec.write(tmp_path / "demo", SPEC, {"logo-32x32.png": b"a", "logo-svg.svg": b"b"})
    spec.write(tmp_path / "demo", SPEC, {"logo-svg.svg": b"c"})
    assert sorted(os.listdir(tmp_path / "demo")) == ["kernel.json", "logo-svg.svg"]


@pytest.mark.core
def test_removal_leaves_what_is_not_ours(tmp_path: Path) -> None:
    """Removing takes the kernelspec and its logos; a user's own file stays, and what a link leads to stays."""
    place = tmp_path / "demo"
    spec.write(place, SPEC, {"logo-svg.svg": b"c"})
    (place / "notes.txt").write_text("mine")
    spec.remove(place)
    assert os.listdir(place) == ["notes.txt"]

    target = tmp_path / "elsewhere"
    spec.write(target, SPEC, {})
    (tmp_path / "link").symlink_to(target)
    spec.remove(tmp_path / "link")
    assert not (tmp_path / "link").exists()
    assert (target / "kernel.json").is_file()

    spec.remove(target, entirely=True)
    assert not target.exists()


@pytest.mark.core
def test_a_place_that_cannot_be_written_is_a_typed_error(tmp_path: Path) -> None:
    """A scope that cannot be written says so, and leaves nothing."""
    (tmp_path / "kernels").write_text("a file")
    with pytest.raises(MachineError) as caught:
        spec.write(tmp_path / "kernels" / "demo", SPEC, {})
    assert caught.value.hint


@pytest.mark.core
def test_hostile_kernelspecs_are_listed_with_a_problem(host: Host) -> None:
    """Whatever lies in a kernels directory is listed or passed over: nothing hangs, nothing raises, no process is started."""
    kernels = Path(host.environ["JUPYTER_DATA_DIR"]) / "kernels"
    for name, content in {
        "bom": b"\xef\xbb\xbf" + dump(SPEC).encode(),
        "broken": b'{"argv": [',
        "deep": b"[" * 500_000,
        "huge": b" " * (LIMIT + 1),
        "empty-argv": b'{"argv": [], "display_name": "x"}',
        "zero": json.dumps({"argv": ["a\0b"], "language": "python"}).encode(),
        "zero-owner": json.dumps({"argv": ["/x"], "metadata": {"envkit": {"schema": 1, "environment": "a\0b"}}}).encode(),
        "my env": json.dumps({"argv": ["/bin/sh"], "display_name": "sh", "language": "sh"}).encode(),
        "gone": dump(SPEC).encode(),
        "no-interpreter": json.dumps({"argv": ["/gone/python"], "display_name": "x", "language": "python"}).encode(),
        "no-program": json.dumps({"argv": ["no-such-program-anywhere"], "display_name": "x", "language": "r"}).encode(),
        "fine": json.dumps({"argv": ["/bin/sh", "-c", "x"], "display_name": "sh", "language": "sh"}).encode(),
    }.items():
        (kernels / name).mkdir(parents=True)
        write_atomic(kernels / name / "kernel.json", content)
    (kernels / "fifo").mkdir()
    os.mkfifo(kernels / "fifo" / "kernel.json")
    (kernels / "loop").symlink_to(kernels / "loop")
    (kernels / "directory" / "kernel.json").mkdir(parents=True)
    (kernels / "dangling").mkdir()
    (kernels / "dangling" / "kernel.json").symlink_to("/nowhere")
    (kernels / "nothing").mkdir()
    (kernels / "a-file").write_text("x")
    listed = [kernel for kernel in registration.kernels(host=host) if kernel.path.is_relative_to(kernels)]
    found = {kernel.name: kernel.problem.code if kernel.problem else None for kernel in listed}
    unreadable = {"bom", "broken", "deep", "huge", "empty-argv", "fifo", "directory", "dangling", "zero"}
    assert {name for name, code in found.items() if code == "spec-unreadable"} == unreadable
    assert {name: found[name] for name in found.keys() - unreadable} == {
        "fine": None,
        "gone": "environment-missing",
        "my env": "name-invalid",
        "no-interpreter": "interpreter-missing",
        "no-program": "interpreter-missing",
        "zero-owner": "interpreter-missing",
    }


@pytest.mark.core
def test_the_first_of_a_name_wins(host: Host, tmp_path: Path) -> None:
    """Of two kernelspecs of one name the one is listed that Jupyter would start; names are compared without case."""
    from dataclasses import replace

    host = replace(host, environ={**host.environ, "JUPYTER_PATH": f"{tmp_path / 'one'}:{tmp_path / 'two'}"})
    for directory in ("one", "two"):
        spec.write(tmp_path / directory / "kernels" / ("Demo" if directory == "one" else "demo"), SPEC, {})
    assert [kernel.path for kernel in registration.kernels(host=host) if kernel.name == "demo"] == [tmp_path / "one" / "kernels" / "Demo"]


WRITER = """
import os
import sys
from pathlib import Path
from envkit.control import Work
from envkit.host import Host
from envkit.formats.kernel_json import KernelJson
from envkit.kernelspec import spec
place, data, rounds = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
work = Work(host=Host.current(data=data))
logos = {name: b"x" * 2000 for name in spec.LOGOS}
number = 0
while number < rounds or not os.path.exists(sys.argv[4]):
    number += 1
    with spec.locked(place.parent, work):
        spec.write(place, KernelJson(argv=("/bin/python",) * (1 + number % 50), display_name=str(number)), logos)
"""


@pytest.mark.slow
def test_no_reader_misses_a_kernel_that_two_processes_write(tmp_path: Path, host: Host) -> None:
    """Two writers of one name, 300 rounds each and more: none fails, and Jupyter's own reader finds the kernel, whole, every single time."""
    from jupyter_client.kernelspec import KernelSpecManager

    place = tmp_path / "kernels" / "demo"
    with spec.locked(place.parent, Work(host=host)):
        spec.write(place, SPEC, {})
    command = [sys.executable, "-c", WRITER, str(place), str(host.data), "300", str(tmp_path / "read")]
    writers = [
        subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
        for _ in range(2)
    ]
    manager = KernelSpecManager(kernel_dirs=[str(tmp_path / "kernels")])
    reads = 0
    while any(writer.poll() is None for writer in writers):
        assert manager.get_kernel_spec("demo").argv
        assert spec.read(str(place), host).argv
        reads += 1
        if reads > 50:
            (tmp_path / "read").touch()
    assert [(writer.returncode, writer.communicate()[1]) for writer in writers] == [(0, ""), (0, "")]
    assert reads > 50
    assert sorted(os.listdir(place)) == ["kernel.json", *sorted(spec.LOGOS)]
