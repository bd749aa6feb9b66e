import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from envkit.host import Host
from envkit.jupyter import kernels
from envkit.kernelspec import paths

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"JUPYTER_DATA_DIR": ""},
        {"XDG_DATA_HOME": "/x/data", "JUPYTER_DATA_DIR": ""},
        {"JUPYTER_PATH": "/one:/two/"},
        {"JUPYTER_PREFER_ENV_PATH": "0"},
        {"JUPYTER_PREFER_ENV_PATH": "1"},
        {"JUPYTER_PREFER_ENV_PATH": "Off"},
        {"JUPYTER_PLATFORM_DIRS": "1", "JUPYTER_DATA_DIR": ""},
        {"PYTHONUSERBASE": "/base"},
        {"IPYTHONDIR": "~/mine"},
    ],
)
def test_the_search_path_is_the_one_of_jupyter_client(host: Host, variables: dict[str, str]) -> None:
    """Where kernels are looked for is where Jupyter itself, run in this Python with these variables, looks."""
    host = replace(host, environ={**host.environ, **variables})
    code = "import os, site; site.ENABLE_USER_SITE = True; import jupyter_client.kernelspec as k; print(*k.KernelSpecManager().kernel_dirs, sep=chr(10))"
    said = subprocess.run([sys.executable, "-c", code], env=dict(host.environ), capture_output=True, text=True, check=True).stdout
    expected = said.splitlines()
    if "JUPYTER_PLATFORM_DIRS" in variables:  # platformdirs also lists what XDG_DATA_DIRS may name; the user's part is ours to get right
        assert str(paths.user_directory(host) / "kernels") in expected
        return
    assert [str(path / "kernels") for path in paths.search_path(host)] == list(dict.fromkeys(expected))


@pytest.mark.parametrize("places", [(), (".config/ipython",), (".config/ipython", ".ipython"), ("xdg/ipython",)])
def test_the_directory_of_ipython_is_where_ipython_says(host: Host, places: tuple[str, ...]) -> None:
    """Kernels that older tools left with IPython are found, also where its directory is the one of old: listed like any other."""
    environ = {name: value for name, value in host.environ.items() if name != "IPYTHONDIR"}
    if "xdg/ipython" in places:
        environ["XDG_CONFIG_HOME"] = str(host.home / "xdg")
    host = replace(host, environ=environ)
    for place in places:
        (host.home / place).mkdir(parents=True)
    code = "import warnings; warnings.simplefilter('ignore'); from IPython.paths import get_ipython_dir; print(get_ipython_dir())"
    asked = [sys.executable, "-c", code]
    said = subprocess.run(asked, env=dict(environ), capture_output=True, text=True, check=True).stdout.strip()
    assert str(paths.ipython_directory(host)) == said
    kernel = Path(said) / "kernels" / "old"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["/bin/sh"], "display_name": "Old", "language": "sh"}')
    assert [each.path for each in kernels(host=host) if each.name == "old"] == [kernel]


def test_macos_keeps_kernels_in_the_library(host: Host, tmp_path: Path) -> None:
    """On macOS the user's kernels lie in ~/Library, whichever of its two places the variables choose."""
    mac = replace(host, root=tmp_path, environ={}, platform="darwin", home=tmp_path / "Users" / "u")
    assert paths.user_directory(mac) == mac.home / "Library" / "Jupyter"
    assert (
        paths.user_directory(replace(mac, environ={"JUPYTER_PLATFORM_DIRS": "1"}))
        == mac.home / "Library" / "Application Support" / "Jupyter"
    )
    assert paths.system_directory(mac) == tmp_path / "usr" / "local" / "share" / "jupyter"


def test_windows_keeps_kernels_in_appdata(host: Host, tmp_path: Path) -> None:
    """On Windows the user's kernels lie in APPDATA, and PROGRAMDATA counts only where it is trusted."""
    home = tmp_path / "C" / "Users" / "u"
    windows = replace(
        host, root=tmp_path, environ={"APPDATA": "C:\\Users\\u\\Roaming", "PROGRAMDATA": "C:\\PD"}, platform="win32", home=home
    )
    assert paths.user_directory(windows) == home / "Roaming" / "jupyter"
    assert paths.user_directory(replace(windows, environ={})) == home / ".jupyter" / "data"
    trusted = replace(windows, environ={**windows.environ, "JUPYTER_USE_PROGRAMDATA": "1"})
    assert paths.system_directory(trusted) == tmp_path / "C" / "PD" / "jupyter"
    assert os.path.join("PD", "jupyter") not in str(paths.system_directory(windows))
