"""A channel served over HTTP on the loopback: with credentials, broken, slow, or not at all, and a list of what was asked of it."""

from __future__ import annotations

import base64
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

Failure = Literal["", "server-error", "unauthorized", "truncated", "corrupt", "hang", "missing"]
_PACKAGES = (".conda", ".tar.bz2")
_PIECE = 16 * 1024  # bytes written at a time


@dataclass
class Served:
    """A running server: its address, and the paths and Authorization headers that were sent to it, in order."""

    url: str = ""
    requests: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)

    def with_credentials(self, text: str) -> str:
        """Return the address with `user:password` in it."""
        return self.url.replace("http://", f"http://{text}@")

    def with_token(self, token: str) -> str:
        """Return the address with a conda token in it."""
        scheme, _, rest = self.url.partition("://")
        host, _, path = rest.partition("/")
        return f"{scheme}://{host}/t/{token}/{path}"


@contextmanager
def serve_channel(  # noqa: C901 - one server, its handler inside
    directory: Path,
    *,
    user: str | None = None,
    password: str = "",
    bearer: str | None = None,
    token: str | None = None,
    failure: Failure = "",
    seconds: float = 0.0,
    rate: float | None = None,
) -> Generator[Served]:
    """Serve the channel in `directory` as `<url>`, whose last part is `channel`.

    Args:
        user: with `password`, asks for them (HTTP basic authentication).
        bearer: asks for this bearer token.
        token: serves below `/t/<token>/` alone.
        failure: "server-error" answers 503 to all, "unauthorized" 401, "missing" 404; "truncated" breaks packages off, "corrupt" sends
            other bytes of the same length; "hang" never answers.
        seconds: waits so long before each package.
        rate: bytes per second of each package.
    """
    served, stop = Served(), threading.Event()
    wanted = f"Bearer {bearer}" if bearer else None
    if user is not None:
        wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            served.requests.append(self.path)
            served.authorizations.append(self.headers.get("Authorization"))
            path = unquote(self.path.partition("?")[0])
            if failure == "hang":
                stop.wait(120)
                self.close_connection = True
            elif failure == "server-error":
                self._refuse(503)
            elif failure == "unauthorized" or (wanted is not None and self.headers.get("Authorization") != wanted):
                self._refuse(401)
            else:
                self._file(path)

        def _file(self, path: str) -> None:
            start = f"/t/{token}/channel/" if token is not None else "/channel/"
            inside = directory / path.removeprefix(start)
            if failure == "missing" or not path.startswith(start) or ".." in path or not inside.is_file():
                self._refuse(401 if token is not None and not path.startswith(start) else 404)
                return
            data = inside.read_bytes()
            package = path.endswith(_PACKAGES)
            if package and failure == "corrupt":
                data = data[:-32] + bytes(byte ^ 0xFF for byte in data[-32:])
            if package and self.command == "GET":
                stop.wait(seconds)
            self.send_response(200)
            self.send_header("Content-Type", "application/json" if path.endswith(".json") else "application/octet-stream")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "GET":
                self._body(data[: len(data) // 2] if package and failure == "truncated" else data, slow=package)
            if package and failure == "truncated":
                self.close_connection = True

        def _body(self, data: bytes, *, slow: bool) -> None:
            try:
                for start in range(0, len(data), _PIECE):
                    self.wfile.write(data[start : start + _PIECE])
                    if slow and rate is not None and stop.wait(_PIECE / rate):
                        return
            except OSError:  # who asked has gone
                self.close_connection = True

        def _refuse(self, code: int) -> None:
            self.send_response(code)
            if code == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="tests"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_address[1]}/channel"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
