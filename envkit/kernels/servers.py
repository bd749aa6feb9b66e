"""The Jupyter server that runs this notebook: found by the files that servers leave, asked through its REST API.

A request goes straight to the address that the server wrote into a file that only this user can read: no proxy is asked and no
redirect followed, for a token travels with it. Whatever goes wrong is a sentence for people, never an exception of the network.

Source: "The REST API" (jupyter-server.readthedocs.io), sessions and kernelspecs; jupyter_server 2, serverapp.py for the files.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeGuard
from urllib.parse import quote, urlsplit

from ..kernelspec import paths
from ..system.look import Look

if TYPE_CHECKING:
    from http.client import HTTPConnection

    from ..host import Host

_FILES: Final = ("jpserver-", "nbserver-")
_FILE_LIMIT: Final = 64 * 1024  # bytes
_ANSWER_LIMIT: Final = 16 * 1024 * 1024  # bytes
_PATIENCE: Final = 5.0  # seconds for one question
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a server answers, and the token that it asks for."""

    url: str
    token: str

    def __repr__(self) -> str:
        return f"Server({self.url!r})"  # a token is never shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """The session of a notebook in its server: what ties the notebook to its kernel."""

    server: Server
    session: str
    path: str
    kernel: str


class ServerError(Exception):
    """Why a server cannot be asked, as the end of a sentence."""


def seat_of(kernel_id: str, host: Host, directories: Iterable[str]) -> Seat:
    """Return the session of the kernel `kernel_id`.

    Args:
        directories: where servers may have left their files, beside those that Jupyter's variables name.

    Raises:
        ServerError: no server of this machine that we may ask runs that kernel.
    """
    reason = "no Jupyter server was found that runs it"
    for server in _servers(host, directories):
        try:
            sessions = ask(server, "GET", "api/sessions")
        except ServerError as error:
            reason = str(error)
            continue
        mine = [one for one in _objects(sessions) if _text(one.get("kernel"), "id") == kernel_id]
        if mine:
            notebook = next((one for one in mine if one.get("type") == "notebook"), mine[0])
            return Seat(
                server=server,
                session=_text(notebook, "id"),
                path=_text(notebook, "path"),
                kernel=_text(notebook.get("kernel"), "name"),
            )
        reason = "none of the Jupyter servers that were found runs it"
    raise ServerError(reason)


def offered(seat: Seat, name: str) -> tuple[str, ...]:
    """Return the arguments by which the notebook's server starts the kernel `name`; empty where it knows none of that name.

    Raises:
        ServerError: it cannot be asked.
    """
    listed = ask(seat.server, "GET", "api/kernelspecs")
    specs = listed.get("kernelspecs") if _is_object(listed) else None
    one = specs.get(name) if _is_object(specs) else None
    spec = one.get("spec") if _is_object(one) else None
    argv = spec.get("argv") if _is_object(spec) else None
    return tuple(map(str, argv)) if isinstance(argv, list) else ()  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def move(seat: Seat, name: str, *, timeout: float) -> None:
    """Let the server start the kernel `name` for the notebook and stop the one before; `timeout` is in seconds.

    Raises:
        ServerError: it does not.
    """
    ask(seat.server, "PATCH", f"api/sessions/{quote(seat.session, safe='')}", {"kernel": {"name": name}}, timeout=timeout)


def ask(server: Server, method: str, path: str, body: object = None, *, timeout: float = _PATIENCE) -> Any:
    """Return what a server answers, read as JSON.

    Raises:
        ServerError: it cannot be reached, refuses, or says what is no JSON.
    """
    import http.client  # noqa: PLC0415 - whoever only registers does without it

    address = urlsplit(server.url)
    cross = secrets.token_hex(16)  # what a form of its own pages would send; a server without a token asks for it
    headers = {"Content-Type": "application/json", "Cookie": f"_xsrf={cross}", "X-XSRFToken": cross}
    if server.token:
        headers["Authorization"] = f"token {server.token}"
    try:
        with closing(_connection(server.url, timeout)) as connection:
            connection.request(method, address.path + path, body=None if body is None else json.dumps(body), headers=headers)
            answer = connection.getresponse()
            said = answer.read(_ANSWER_LIMIT)
    except (OSError, http.client.HTTPException) as error:
        raise ServerError(f"its Jupyter server at {address.netloc} does not answer ({error})") from error
    if answer.status in {401, 403}:
        raise ServerError("its Jupyter server asks for a password, or for a token that is not known here")
    if answer.status >= 300:
        raise ServerError(f"its Jupyter server refuses ({answer.status} {answer.reason})")
    try:
        return json.loads(said)
    except ValueError as error:
        raise ServerError(f"what answers at {address.netloc} is no Jupyter server") from error


def _connection(url: str, timeout: float) -> HTTPConnection:
    """Return a connection to the host of a url, which is http or https."""
    import http.client  # noqa: PLC0415 - whoever only registers does without it

    address = urlsplit(url)
    name = address.hostname or ""
    if address.scheme != "https":
        return http.client.HTTPConnection(name, address.port or 80, timeout=timeout)
    import ssl  # noqa: PLC0415 - few servers of a machine's own have a certificate

    context = ssl.create_default_context()
    if name in _LOOPBACK:  # it signed its certificate itself, and nobody stands between
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(name, address.port or 443, timeout=timeout, context=context)


def _servers(host: Host, directories: Iterable[str]) -> Iterator[Server]:
    """Yield the servers of this machine, each with each token that may open it; the one that started us first."""
    stated = host.environ.get("JUPYTER_RUNTIME_DIR")
    places = dict.fromkeys([*directories, stated or str(paths.user_directory(host) / "runtime")])
    found = [info for place in places for info in _infos(place, host)]
    parent = host.environ.get("JPY_PARENT_PID", "")
    found.sort(key=lambda info: str(info.get("pid")) != parent)
    hub = host.environ.get("JUPYTERHUB_API_TOKEN", "")
    seen: set[tuple[str, str]] = set()
    urls = [(_text(info, "url"), _text(info, "token")) for info in found]
    if hub:
        urls += [(url, hub) for url, _ in urls] + [(host.environ.get("JUPYTERHUB_SERVICE_URL", ""), hub)]
    for url, token in urls:
        if (url, token) not in seen and urlsplit(url).scheme in {"http", "https"}:
            seen.add((url, token))
            yield Server(url=url if url.endswith("/") else f"{url}/", token=token)


def _infos(directory: str, host: Host) -> Iterator[Mapping[str, Any]]:
    """Yield what the servers' files in a directory say; those of servers that are gone are passed over where that can be known."""
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return
    for name in names:
        if not (name.startswith(_FILES) and name.endswith(".json")):
            continue
        try:
            info = json.loads(Look(host).text(os.path.join(directory, name), _FILE_LIMIT) or "null")
        except ValueError:
            continue
        if _is_object(info) and not _is_gone(info.get("pid")):
            yield info


def _is_gone(process: object) -> bool:
    if os.name == "nt" or not isinstance(process, int) or process <= 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (one for one in value if _is_object(one))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _text(value: object, name: str) -> str:
    found = value.get(name) if _is_object(value) else None
    return found if isinstance(found, str) else ""


def _is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)
