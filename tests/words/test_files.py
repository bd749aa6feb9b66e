"""Files: writes that are whole or not there, removal that follows no link and loses nothing when it fails."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from envkit.errors import MachineError
from envkit.system.files import machine_error, private_directory, remove_tree, size_of, write_atomic

ROOT = Path(__file__).parents[2]
NOBODY = 65534


@pytest.mark.core
def test_a_file_is_written_whole_with_its_mode(tmp_path: Path) -> None:
    """The old content or the new, private unless said otherwise, nothing beside it; undecodable text comes back as its bytes."""
    path = tmp_path / "file"
    write_atomic(path, "é\udce9")
    assert path.read_bytes() == b"\xc3\xa9\xe9"
    assert path.stat().st_mode & 0o777 == 0o600
    write_atomic(path, b"new", mode=0o644, durable=True)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o644)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_readers_never_see_a_part(tmp_path: Path) -> None:
    """While it is written again and again a reader sees one of the two texts, never none and never a mixture."""
    path = tmp_path / "file"
    texts = ["a" * 50_000, "b" * 70_000]
    write_atomic(path, texts[0])
    stop, seen = threading.Event(), set[str]()

    def read() -> None:
        while not stop.is_set():
            seen.add(path.read_text("utf-8"))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        write_atomic(path, texts[number % 2])
    stop.set()
    reader.join()
    assert seen <= set(texts)


@pytest.mark.core
def test_a_link_in_its_place_is_replaced_not_followed(tmp_path: Path) -> None:
    """Whoever plants a link cannot make us write elsewhere."""
    victim, path = tmp_path / "victim", tmp_path / "file"
    victim.write_text("old")
    path.symlink_to(victim)
    write_atomic(path, "new")
    assert victim.read_text() == "old"
    assert not path.is_symlink()


@pytest.mark.core
def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Neither a part nor a temporary file."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "directory" / "full").touch()
    with pytest.raises(OSError):
        write_atomic(tmp_path / "directory", "x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["directory"]
    with pytest.raises(FileNotFoundError):
        write_atomic(tmp_path / "missing" / "file", "x")


@pytest.mark.core
def test_a_private_directory_is_private(tmp_path: Path) -> None:
    """Also what is missing above it; one that is there keeps its mode; a file in its place is a MachineError."""
    made = private_directory(tmp_path / "a" / "b")
    assert [path.stat().st_mode & 0o777 for path in (made, made.parent)] == [0o700, 0o700]
    made.chmod(0o755)
    assert private_directory(made).stat().st_mode & 0o777 == 0o755
    (tmp_path / "file").touch()
    with pytest.raises(MachineError):
        private_directory(tmp_path / "file" / "c")


@pytest.mark.core
def test_size_counts_each_file_once_and_follows_no_link(tmp_path: Path) -> None:
    """Hard links once, links as themselves, what cannot be read as nothing."""
    (tmp_path / "tree" / "inner").mkdir(parents=True)
    (tmp_path / "tree" / "a").write_bytes(b"x" * 100)
    os.link(tmp_path / "tree" / "a", tmp_path / "tree" / "inner" / "b")
    (tmp_path / "big").write_bytes(b"x" * 10_000)
    (tmp_path / "tree" / "link").symlink_to("../big")
    assert size_of(tmp_path / "tree") == 100 + len("../big")
    assert size_of(tmp_path / "missing") == 0


@pytest.mark.core
def test_removal_follows_no_link(tmp_path: Path) -> None:
    """What links inside point to stays; a link itself is refused; what is not there is no error."""
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    outside.mkdir()
    (outside / "thesis").touch()
    (tree / "bin").mkdir(parents=True)
    (tree / "link").symlink_to(outside)
    (tree / "bin" / "link").symlink_to(outside / "thesis")
    (tmp_path / "alias").symlink_to(tree)
    with pytest.raises(MachineError) as caught:
        remove_tree(tmp_path / "alias")
    assert caught.value.code == "link"
    assert tree.is_dir()
    remove_tree(tree)
    remove_tree(tree)
    assert (outside / "thesis").exists()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["alias", "outside"]


@pytest.mark.core
def test_what_changed_meanwhile_is_not_removed(tmp_path: Path) -> None:
    """The last question before the rename decides."""
    (tmp_path / "tree").mkdir()
    with pytest.raises(MachineError) as caught:
        remove_tree(tmp_path / "tree", still_ours=lambda: False)
    assert caught.value.code == "changed"
    assert [entry.name for entry in tmp_path.iterdir()] == ["tree"]


@pytest.mark.parametrize("mode", [0o555, 0o333, 0o000])
def test_directories_without_permissions_are_removed_too(mode: int, tmp_path: Path) -> None:
    """As their owner may, without being root: read-only stores leave such; a link among them opens nothing elsewhere."""
    outside, tree = tmp_path / "outside", tmp_path / "work" / "tree"
    (tree / "store" / "inner").mkdir(parents=True)
    (tree / "store" / "inner" / "file").touch()
    (tree / "other").mkdir()
    outside.mkdir()
    (tree / "other" / "link").symlink_to(outside)
    for path in (outside, tree / "store" / "inner", tree / "store", tree / "other"):
        path.chmod(0o700 if path == outside else mode)
    if os.getuid() == 0:  # root may do everything: be nobody, in a directory of nobody's
        for path in (tmp_path / "work", *(tmp_path / "work").rglob("*")):
            os.chown(path, NOBODY, -1, follow_symlinks=False)
        for path in (tmp_path, *tmp_path.parents):
            if path.stat().st_mode & 0o011 != 0o011:
                path.chmod(path.stat().st_mode | 0o011)
    child = os.fork()
    if child == 0:  # pragma: no cover - ends without returning to pytest
        code = 1
        try:
            if os.getuid() == 0:
                os.setuid(NOBODY)
            remove_tree(tree)
            code = 0 if not list(tree.parent.iterdir()) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert outside.stat().st_mode & 0o777 == 0o700


@pytest.mark.core
@pytest.mark.parametrize(
    "number, code, retryable",
    [
        (errno.ENOSPC, "disk-full", True),
        (errno.EDQUOT, "disk-full", True),
        (errno.EROFS, "read-only", False),
        (errno.EACCES, "no-permission", False),
        (errno.EIO, "machine", False),
    ],
)
def test_what_the_machine_says_is_typed(number: int, code: str, retryable: bool) -> None:
    """Each cause has its code and a hint that says what to do."""
    error = machine_error(OSError(number, os.strerror(number)), Path("/x"))
    assert (error.code, error.retryable) == (code, retryable)
    assert error.hint
    assert "/x" in str(error)


def test_a_full_disk_leaves_the_old_content(tmp_path: Path) -> None:
    """A write beyond what the system allows fails as a whole."""
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom envkit.system.files import write_atomic\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: write_atomic(Path(sys.argv[1]), 'x' * 100_000)\nexcept OSError as error: print(error.errno)"
    )
    path = tmp_path / "file"
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == str(errno.EFBIG), done.stderr
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
