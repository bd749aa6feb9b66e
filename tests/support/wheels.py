"""Tiny wheels and sdists for tests without the network, and a simple index (PEP 503) on the loopback that can misbehave."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import tarfile
import threading
import zipfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

_BUILDER = '''"""A build backend without dependencies: it packs the package directory beside it."""
import base64, hashlib, os, zipfile

NAME, VERSION = {name!r}, {version!r}

def _pack(directory, extra):
    wheel = "%s-%s-py3-none-any.whl" % (NAME.replace("-", "_"), VERSION)
    info = "%s-%s.dist-info" % (NAME.replace("-", "_"), VERSION)
    files = dict(extra)
    files[info + "/METADATA"] = "Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n{requires}\\n" % (NAME, VERSION)
    files[info + "/WHEEL"] = "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    record = "".join("%s,,\\n" % path for path in files) + info + "/RECORD,,\\n"
    with zipfile.ZipFile(os.path.join(directory, wheel), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(info + "/RECORD", record)
    return wheel

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    {broken}
    package = NAME.replace("-", "_")
    with open(os.path.join(package, "__init__.py")) as stream:
        return _pack(wheel_directory, {{package + "/__init__.py": stream.read()}})

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    {broken}
    return _pack(wheel_directory, {{"_%s.pth" % NAME.replace("-", "_"): os.getcwd() + "\\n"}})
'''


def make_wheel(
    directory: Path,
    name: str,
    version: str,
    requires: Iterable[str] = (),
    extras: Mapping[str, Iterable[str]] | None = None,
    files: Mapping[str, str] | None = None,
    *,
    requires_python: str | None = None,
    scripts: Mapping[str, str] | None = None,
) -> Path:
    """Write a pure wheel and return its path.

    Args:
        requires: texts of Requires-Dist.
        extras: requirements by extra.
        files: text by path inside the wheel; without it one module, which says its version.
        scripts: console scripts: "module:function" by name.
    """
    package = name.replace("-", "_")
    info = f"{package}-{version}.dist-info"
    contents = (
        dict(files)
        if files is not None
        else {f"{package}/__init__.py": f"__version__ = {version!r}\n\n\ndef main():\n    print({name!r}, __version__)\n"}
    )
    header = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {text}" for text in requires)]
    for extra, needed in (extras or {}).items():
        header.append(f"Provides-Extra: {extra}")
        header += [_with_extra(text, extra) for text in needed]
    if requires_python:
        header.append(f"Requires-Python: {requires_python}")
    contents[f"{info}/METADATA"] = "\n".join(header) + "\n\nA package for tests.\n"
    contents[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if scripts:
        contents[f"{info}/entry_points.txt"] = "[console_scripts]\n" + "".join(
            f"{script} = {target}\n" for script, target in scripts.items()
        )
    rows = [f"{path},{_digest(text.encode())},{len(text.encode())}" for path, text in contents.items()]
    contents[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    directory.mkdir(parents=True, exist_ok=True)
    wheel = directory / f"{package}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in contents.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), text)
    return wheel


def make_project(directory: Path, name: str, version: str, requires: Iterable[str] = (), *, groups: str = "", broken: str = "") -> Path:
    """Write a project that builds without the network and return its directory.

    Args:
        groups: the body of the table [dependency-groups].
        broken: a message: building raises RuntimeError with it.
    """
    project = directory / name
    package = name.replace("-", "_")
    (project / package).mkdir(parents=True)
    (project / package / "__init__.py").write_text(f"__version__ = {version!r}\n")
    lines = "".join(f"Requires-Dist: {text}\\n" for text in requires)
    action = f"raise RuntimeError({broken!r})" if broken else "pass"
    (project / "builder.py").write_text(_BUILDER.format(name=name, version=version, requires=lines, broken=action))
    (project / "pyproject.toml").write_text(
        f'[build-system]\nrequires = []\nbuild-backend = "builder"\nbackend-path = ["."]\n\n[project]\nname = "{name}"\nversion = "{version}"\n'
        f"dependencies = {list(requires)!r}\n" + (f"\n[dependency-groups]\n{groups}\n" if groups else "")
    )
    return project


def make_sdist(directory: Path, name: str, version: str, requires: Iterable[str] = (), *, broken: str = "") -> Path:
    """Write an sdist that builds without the network and return its path."""
    stem = f"{name.replace('-', '_')}-{version}"
    project = make_project(directory / f".{stem}", name, version, requires, broken=broken)
    sdist = directory / f"{stem}.tar.gz"
    header = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with tarfile.open(sdist, "w:gz") as archive:
        archive.add(project, stem)
        information = tarfile.TarInfo(f"{stem}/PKG-INFO")
        information.size = len(header)
        archive.addfile(information, io.BytesIO(header.encode()))
    return sdist


@dataclass
class Index:
    """A running index: where it is, and which paths were asked of it."""

    url: str
    requests: list[str] = field(default_factory=list)


Failure = Literal["", "server-error", "unauthorized", "truncated", "hang"]


@contextmanager
def serve_index(  # noqa: C901 - one server, its handler inside
    directory: Path, *, user: str | None = None, password: str | None = None, failure: Failure = "", seconds: float = 0.0
) -> Generator[Index, None, None]:
    """Serve the wheels and sdists of a directory as a simple index on the loopback.

    Args:
        user: with `password`, asks for them (HTTP basic authentication).
        failure: "server-error" answers 503 to all; "unauthorized" 401; "truncated" breaks downloads off; "hang" never answers.
        seconds: waits so long before each download.
    """
    index = Index("")
    stop = threading.Event()
    wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() if user is not None else None

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            index.requests.append(self.path)
            if failure == "hang":
                stop.wait(120)
            elif failure == "server-error":
                self.send_error(503)
            elif failure == "unauthorized" or (wanted is not None and self.headers.get("Authorization") != wanted):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="tests"')
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif self.path.startswith("/simple/"):
                self._page(self.path.removeprefix("/simple/").strip("/"))
            else:
                self._file(directory / Path(unquote(self.path)).name)

        def _page(self, name: str) -> None:
            links = _links(directory, name)
            if not links:
                self.send_error(404)
                return
            self._send(f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html")

        def _file(self, path: Path) -> None:
            if not path.is_file():
                self.send_error(404)
                return
            if self.command == "GET":
                stop.wait(seconds)
            self._send(path.read_bytes(), "application/octet-stream")

        def _send(self, data: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "HEAD":
                return
            self.wfile.write(data[: len(data) // 2] if failure == "truncated" and kind != "text/html" else data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    index.url = f"http://127.0.0.1:{server.server_address[1]}/simple"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        stop.set()
        server.shutdown()
        server.server_close()


def _links(directory: Path, name: str) -> str:
    """Return the links of one project's page, "" where there is no such project."""
    found = sorted(path for path in directory.iterdir() if _project_of(path) == name) if name else []
    return "".join(
        f'<a href="/files/{html.escape(path.name)}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}"{_needs(path)}>{path.name}</a><br>'
        for path in found
    )


def dead_index() -> str:
    """Return the URL of an index that refuses every connection: its port was free a moment ago."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return f"http://127.0.0.1:{server.server_address[1]}/simple"


def _digest(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def _with_extra(text: str, extra: str) -> str:
    requirement, semicolon, marker = text.partition(";")
    condition = f"({marker.strip()}) and extra == '{extra}'" if semicolon else f"extra == '{extra}'"
    return f"Requires-Dist: {requirement.strip()} ; {condition}"


def _project_of(path: Path) -> str:
    if path.suffix == ".whl":
        return path.name.partition("-")[0].replace("_", "-").lower()
    return path.name.rpartition("-")[0].replace("_", "-").lower() if path.name.endswith(".tar.gz") else ""


def _needs(path: Path) -> str:
    """Return the attribute that says which Pythons a wheel is for."""
    if path.suffix != ".whl":
        return ""
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        for line in archive.read(name).decode().splitlines():
            if line.startswith("Requires-Python: "):
                return f' data-requires-python="{html.escape(line.partition(": ")[2])}"'
    return ""
