"""condarc, mambarc and variables become one value, as conda and mamba would read them; what is not honoured is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import envkit
from envkit.conda.channels import Channel
from envkit.conda.configuration import read
from envkit.host import Host

Write = Callable[[str, str], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Host:
    """A machine of its own below a directory, so that nothing of this one's configuration counts."""
    root = tmp_path / "root"
    home = root / "home" / "u"
    (home / "work").mkdir(parents=True)
    return Host(root=root, environ={"HOME": "/home/u"}, platform="linux", home=home, cwd=home / "work", data=home / ".envkit")


@pytest.fixture
def write(tree: Host) -> Write:
    """Write a file of that machine."""

    def written(name: str, text: str) -> Path:
        path = tree.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return written


def with_variables(host: Host, **variables: str) -> Host:
    return replace(host, environ={**host.environ, **variables})


def urls(host: Host, *channels: str) -> list[str]:
    return [channel.url for channel in read(host, channels=channels).channels]


FORGE = "https://conda.anaconda.org/conda-forge"


@pytest.mark.core
def test_nothing_configured(tree: Host) -> None:
    """Without a conda and a condarc it is conda-forge, strict, with envkit's own cache, and nothing is left out."""
    said = read(tree)
    assert said.channels == (Channel(name="conda-forge", url=FORGE),)
    assert (said.priority, said.offline, said.ssl_verify, said.unsupported, said.register) == ("strict", False, True, (), True)
    assert said.caches == (tree.data / "cache" / "conda" / "pkgs",)
    assert said.environment_directories == (tree.home / ".conda" / "envs",)
    assert (said.root, said.engine, said.files) == (None, None, ())
    assert read(tree, offline=True).offline


@pytest.mark.core
def test_files_in_their_order(tree: Host, write: Write) -> None:
    """Each file counts more than those before it; lists are put together, what counts more first; variables count most."""
    root = write("/opt/conda/conda-meta/history", "").parents[1]
    order = [
        *("/etc/conda/.condarc", "/etc/conda/condarc.d/10.yml", "/var/lib/conda/condarc", "/opt/conda/.condarc", "/opt/conda/.mambarc"),
        *("/xdg/conda/condarc", "/home/u/.config/conda/condarc", "/home/u/.conda/condarc.d/a.yaml", "/home/u/.mamba/mambarc"),
        *("/home/u/.condarc", "/home/u/.mambarc", "/opt/conda/envs/x/.condarc", "/elsewhere/rc"),
    ]
    for number, name in enumerate(order):
        write(name, f"channels: [c{number}]\nchannel_priority: {'strict' if number % 2 else 'disabled'}\n")
    write("/home/u/.conda/condarc.d/ignored.txt", "channels: [never]\n")
    host = with_variables(tree, CONDA_ROOT="/opt/conda", XDG_CONFIG_HOME="/xdg", CONDARC="/elsewhere/rc")
    said = read(host, prefix=root / "envs" / "x")
    assert [tree.shown(path) for path in said.files] == order
    assert [channel.name for channel in said.channels] == [f"c{number}" for number in reversed(range(len(order)))]
    assert said.priority == "disabled"
    host = with_variables(host, CONDA_CHANNELS="first,second", CONDA_CHANNEL_PRIORITY="flexible")
    said = read(host)
    assert [channel.name for channel in said.channels][:3] == ["first", "second", "c12"]
    assert (said.priority, said.root) == ("flexible", root)


@pytest.mark.core
def test_asked_channels_come_first_and_nodefaults_closes(tree: Host, write: Write) -> None:
    """Those asked for come before those configured; "nodefaults" leaves the latter out and is never a channel."""
    write("/home/u/.condarc", "channels: [bioconda, conda-forge]\n")
    assert [channel.name for channel in read(tree, channels=["mine", "bioconda"]).channels] == ["mine", "bioconda", "conda-forge"]
    assert urls(tree, "nodefaults", "mine") == ["https://conda.anaconda.org/mine"]
    assert urls(tree, "nodefaults") == []


@pytest.mark.core
def test_what_a_channel_stands_for(tree: Host, write: Write) -> None:
    """Names, labels, aliases, custom channels, several under one name, URLs with a platform, and paths."""
    write(
        "/home/u/.condarc",
        """\
channel_alias: https://mirror.example/conda
custom_channels:
  ours: https://files.example/chan
  ours/deep: file:///srv
  local-one: $HOME/place
custom_multichannels:
  both: [ours, https://x.example/y]
default_channels: [https://d.example/main, r]
""",
    )
    assert urls(tree, "conda-forge/label/dev") == ["https://mirror.example/conda/conda-forge/label/dev"]
    assert urls(tree, "ours") == ["https://files.example/chan/ours"]
    assert urls(tree, "ours/label/x", "ours/deep") == ["https://files.example/chan/ours/label/x", "file:///srv/ours/deep"]
    assert urls(tree, "both") == ["https://files.example/chan/ours", "https://x.example/y"]
    assert urls(tree, "defaults") == ["https://d.example/main", "https://mirror.example/conda/r"]
    assert urls(tree, f"{FORGE}/linux-64", f"{FORGE}/noarch/") == [FORGE]
    assert urls(tree, "pkgs/main") == ["https://repo.anaconda.com/pkgs/main"]
    assert urls(tree, "./chan nel", "/srv/é") == [f"file://{tree.cwd}/chan%20nel", f"file://{tree.root}/srv/%C3%A9"]
    assert urls(tree, "local-one") == [f"file://{tree.home}/place/local-one"]
    naming = read(tree).naming
    for url, name in (
        ("https://mirror.example/conda/conda-forge/linux-64", "conda-forge"),
        ("https://d.example/main/noarch", "defaults"),
        ("https://files.example/chan/ours/label/x", "ours/label/x"),
        ("https://other.example/z/", "https://other.example/z"),
    ):
        assert naming.name_of(url) == name


@pytest.mark.core
def test_beside_a_conda_its_own_places_count(tree: Host, write: Write) -> None:
    """An installation on PATH brings its cache, its environments, and its default channel; one of the platform's variables leads to it."""
    program = write("/opt/mini/condabin/conda", "")
    write("/opt/mini/conda-meta/history", "")
    host = with_variables(tree, PATH="/usr/bin:/opt/mini/condabin")
    said = read(host)
    root = program.parents[1]
    assert said.root == root
    assert said.caches == (root / "pkgs", tree.home / ".conda" / "pkgs")
    assert said.environment_directories == (root / "envs", tree.home / ".conda" / "envs")
    assert [channel.url for channel in said.channels] == ["https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r"]
    assert read(with_variables(tree, CONDA_EXE="/opt/mini/bin/conda")).root == root
    assert read(with_variables(tree, CONDA_PREFIX="/opt/mini/envs/x")).root == root


@pytest.mark.core
def test_places_network_and_solver(tree: Host, write: Write) -> None:
    """Every other key that is honoured, with variables and `~` in its paths, from files and from the environment."""
    write(
        "/home/u/.condarc",
        """\
envs_dirs: [~/envs, $DATA/envs]
pkgs_dirs: [~/pkgs]
ssl_verify: ~/ca.pem
proxy_servers: {http: 'http://me:canary-pw@proxy.example:8080', https: http://proxy.example}
pinned_packages: [python 3.12.*]
disallowed_packages: [left-pad]
create_default_packages: [ipykernel, https://x.example/noarch/a-1-0.conda]
offline: yes
register_envs: off
mirrored_channels: {conda-forge: [https://m1.example/cf, https://u:canary-mirror@m2.example/cf]}
virtual_packages: {cuda: 12.4, __glibc: '2.28'}
""",
    )
    said = read(with_variables(tree, DATA="/data"))
    assert said.environment_directories[:2] == (tree.home / "envs", tree.path("/data/envs"))
    assert (said.caches, said.ssl_verify) == ((tree.home / "pkgs",), str(tree.home / "ca.pem"))
    assert said.proxies["http"].startswith("http://me:")
    assert (said.pinned, said.disallowed, said.default_packages) == (("python 3.12.*",), ("left-pad",), ("ipykernel",))
    assert (said.offline, said.register) == (True, False)
    assert dict(said.mirrors) == {FORGE: ("https://m1.example/cf", "https://m2.example/cf")}
    assert dict(said.overrides) == {"CONDA_OVERRIDE_CUDA": "12.4", "CONDA_OVERRIDE_GLIBC": "2.28"}
    assert {"canary-pw", "canary-mirror"} <= set(said.secrets)
    assert "canary" not in repr(said)
    said = read(
        with_variables(
            tree,
            CONDA_ENVS_PATH="/e1:/e2",
            CONDA_PKGS_DIRS="/p1,/p2",
            CONDA_PINNED_PACKAGES="a=1&b>=2,<3",
            CONDA_SSL_VERIFY="false",
            CONDA_OFFLINE="0",
            CONDA_OVERRIDE_GLIBC="2.17",
            CONDA_SUBDIR="osx-arm64",
            MAMBA_CHANNEL_PRIORITY="flexible",
            ENVKIT_CONDA_ENGINE="mamba",
        )
    )
    assert said.environment_directories[:2] == (tree.path("/e1"), tree.path("/e2"))
    assert said.caches == (tree.path("/p1"), tree.path("/p2"), tree.home / "pkgs")
    assert said.pinned == ("a=1", "b>=2,<3", "python 3.12.*")
    assert (said.ssl_verify, said.offline, said.platform, said.engine) == (False, False, "osx-arm64", "mamba")
    assert (said.overrides["CONDA_OVERRIDE_GLIBC"], said.priority) == ("2.17", "flexible")


@pytest.mark.core
def test_certificates(tree: Host, write: Write) -> None:
    """Without a setting the variables that requests obeys count; a setting counts more."""
    host = with_variables(tree, REQUESTS_CA_BUNDLE="/ca.pem")
    assert read(host).ssl_verify == str(tree.path("/ca.pem"))
    write("/home/u/.condarc", "ssl_verify: truststore\n")
    assert read(host).ssl_verify == "truststore"
    write("/home/u/.condarc", "ssl_verify: false\n")
    assert read(host).ssl_verify is False


@pytest.mark.core
def test_what_is_not_honoured_is_named(tree: Host, write: Write) -> None:
    """Keys that change what is installed and are not honoured are listed, under their own names; those that only show something are not."""
    write("/home/u/.condarc", "always_copy: true\nsolver: libmamba\nmade_up: 1\nchangeps1: false\nsoftlink: true\nallow_softlinks:\n")
    assert read(with_variables(tree, CONDA_TRACK_FEATURES="x", CONDA_QUIET="1", CONDA_SHLVL="2")).unsupported == (
        "always_copy",
        "always_softlink",
        "made_up",
        "solver",
        "track_features",
    )


@pytest.mark.core
@pytest.mark.parametrize("key,asked", [("denylist_channels: [evil]", "evil"), ("allowlist_channels: [good]", "conda-forge")])
def test_channels_that_are_forbidden(tree: Host, write: Write, key: str, asked: str) -> None:
    """Whoever asks for a channel that the configuration forbids is refused, and told which key it is."""
    write("/home/u/.condarc", f"{key}\n")
    with pytest.raises(envkit.RefusedError) as caught:
        read(tree, channels=["good", f"https://conda.anaconda.org/{asked}"])
    assert (caught.value.code, key.partition(":")[0] in str(caught.value)) == ("channel-denied", True)
    assert read(tree, channels=["good", "nodefaults"]).channels


@pytest.mark.core
@pytest.mark.parametrize(
    "text,said",
    [
        ("channels: [", "YAML"),
        ("- a", "no mapping"),
        ("channels: {a: b}", "channels"),
        ("custom_channels: [a]", "custom_channels"),
        ("channel_priority: loud", "loud"),
        ("offline: perhaps", "offline"),
        ("channels: [&a [*a]]", "channels"),
        ("x: " + "y" * 70_000, "larger"),
    ],
)
def test_a_configuration_that_cannot_be_read(tree: Host, write: Write, text: str, said: str) -> None:
    """The file or the key is named; nothing is guessed."""
    write("/home/u/.condarc", text)
    with pytest.raises(envkit.CorruptError) as caught:
        read(tree)
    assert (caught.value.code, said in str(caught.value)) == ("conda-configuration", True)


@pytest.mark.core
def test_windows_places(tmp_path: Path) -> None:
    """On Windows the machine's files lie in ProgramData, variables stand between percent signs, and "defaults" has a third channel."""
    root = tmp_path / "C"
    home = root / "Users" / "u"
    home.mkdir(parents=True)
    (root / "ProgramData" / "conda").mkdir(parents=True)
    (root / "ProgramData" / "conda" / ".condarc").write_text("channels: [defaults]\nenvs_dirs: ['%USERPROFILE%\\envs']\n")
    host = Host(
        root=tmp_path,
        environ={"USERPROFILE": "C:\\Users\\u", "CONDA_ENVS_DIRS": "D:\\e1;D:\\e2"},
        platform="win32",
        home=home,
        cwd=home,
        data=home / "data",
    )
    said = read(host)
    assert [channel.url.rpartition("/")[2] for channel in said.channels] == ["main", "r", "msys2"]
    assert said.environment_directories[:3] == (tmp_path / "D" / "e1", tmp_path / "D" / "e2", home / "envs")
