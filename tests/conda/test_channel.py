"""The tests' own channel is one: py-rattler reads its packages, a Python of it runs from where it was put, and it is the same for all."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import threading
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest
from support import conda_channel, conda_packages
from support.conda_channel import Channel
from support.conda_packages import read_information
from support.conda_server import serve_channel

pytestmark = pytest.mark.core


def test_the_channel_is_made_once(tiny_channel: Channel) -> None:
    """Whoever asks, in whichever thread, gets the same directory, and it is whole."""
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(conda_channel.tiny().path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {tiny_channel.path}
    assert all(tiny_channel.path.joinpath(said["subdir"], file).is_file() for file, said in tiny_channel.records.items())


def test_both_formats_hold_what_repodata_says(tiny_channel: Channel) -> None:
    """Of `.tar.bz2` and `.conda` alike `info/` says the name and the hashes of the files."""
    for version, ending in (("1.0", ".tar.bz2"), ("2.0", ".conda")):
        path = tiny_channel.package("tiny", version)
        said = dict(read_information(path))
        assert path.name.endswith(ending)
        assert json.loads(said["index.json"])["version"] == version
        assert {entry["_path"] for entry in json.loads(said["paths.json"])["paths"]} == set(said["files"].decode().split())


@pytest.mark.parametrize("size", [0, 1, 131072, 300001])
def test_streams_are_read_whatever_their_size(tmp_path: Path, size: int) -> None:
    """Frames of raw blocks, written without a library, are zstd to py-rattler, also where a block ends with the data."""
    streaming = pytest.importorskip("rattler.package_streaming")
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    recipe = conda_packages.Recipe(name="sized", files={"data.bin": conda_packages.Entry(data=data)})
    streaming.extract(conda_packages.write_package(tmp_path, recipe), tmp_path / "out")
    assert (tmp_path / "out" / "data.bin").read_bytes() == data


def test_rattler_reads_a_package(tiny_channel: Channel, tmp_path: Path) -> None:
    """py-rattler unpacks both formats."""
    streaming = pytest.importorskip("rattler.package_streaming")
    for version in ("1.0", "2.0"):
        streaming.extract(tiny_channel.package("tiny", version), tmp_path / version)
        assert (tmp_path / version / "share" / "tiny" / "version.txt").read_text() == f"{version}\n"


def test_credentials_are_asked_for(tiny_channel: Channel) -> None:
    """Basic, bearer and token: without them the server says 401, with them it gives the file."""
    for given, header, path in (
        ({"user": "me", "password": "pass word"}, "Basic " + base64.b64encode(b"me:pass word").decode(), ""),
        ({"bearer": "abc"}, "Bearer abc", ""),
        ({"token": "tk-1"}, None, "/t/tk-1"),
    ):
        with serve_channel(tiny_channel.path, **given) as served:  # type: ignore[arg-type]
            url = f"{served.url}/noarch/repodata.json"
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(url)
            assert caught.value.code == 401
            request = urllib.request.Request(
                url.replace("/channel/", f"{path}/channel/"), headers={"Authorization": header} if header else {}
            )
            assert json.load(urllib.request.urlopen(request))["info"]["subdir"] == "noarch"


@pytest.mark.parametrize("fault", ["sha256", "md5", "truncated"])
def test_a_spoiled_package_is_not_what_repodata_says(tiny_channel: Channel, tmp_path: Path, fault: str) -> None:
    """The channel that is given is whole, the copy has the one fault that was asked for."""
    copy = conda_channel.spoiled(tiny_channel, tmp_path / "copy", "tiny", fault)  # type: ignore[arg-type]
    said, true = copy.record("tiny"), tiny_channel.record("tiny")
    assert (said.get("sha256"), said.get("md5"), copy.package("tiny").stat().st_size) != (true["sha256"], true["md5"], true["size"])
    assert tiny_channel.package("tiny").stat().st_size == true["size"]


def test_archives_are_the_same_each_time(tmp_path: Path) -> None:
    """The same recipe gives the same bytes, so that hashes of one run hold in the next."""
    recipe = conda_packages.Recipe(name="same", files={"a.txt": conda_packages.text("a")})
    one, two = (conda_packages.write_package(tmp_path / name, recipe).read_bytes() for name in ("one", "two"))
    assert one == two
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        assert sorted(name.partition("-")[0] for name in archive.namelist()) == ["info", "metadata.json", "pkg"]
    bzip = conda_packages.write_package(tmp_path, conda_packages.Recipe(name="same", format=".tar.bz2", files=recipe.files))
    with tarfile.open(bzip) as archive:
        assert {"a.txt", "info/index.json", "info/paths.json"} <= set(archive.getnames())
