"""`jupyter.use`: through the sessions of a real server, without a browser; and the steps by hand where it cannot be done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from running_lab import TOKEN, Lab, environ_of
from support.patience import LONG, until

import envkit
from envkit import Host, jupyter
from envkit.kernels.servers import Server, ServerError, ask, seat_of

ROOT = Path(envkit.__file__).parent.parent


def call(lab: Lab, method: str, path: str, body: object = None) -> Any:
    """Ask the server as a front end does."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{lab.url}{path}", data=data, method=method, headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        said = answer.read()
        return json.loads(said) if said else None


class Open:
    """A notebook that is open in the server, with a client of its kernel."""

    def __init__(self, lab: Lab, name: str) -> None:
        from jupyter_client import BlockingKernelClient

        self.lab = lab
        body = {"path": name, "name": name, "type": "notebook", "kernel": {"name": "python3"}}
        self.session = call(lab, "POST", "api/sessions", body)
        file = lab.home / "jupyter-runtime" / f"kernel-{self.session['kernel']['id']}.json"
        self.client = BlockingKernelClient(connection_file=str(file))
        self.client.load_connection_file()
        self.client.start_channels()
        end = time.monotonic() + 60
        while True:
            try:
                self.client.wait_for_ready(60)
                return
            except RuntimeError:  # on a busy machine its heart is not heard yet, which the client takes for death
                if time.monotonic() > end:
                    raise

    def run(self, code: str, patience: float = 60) -> str:
        """Run a cell and return all that it said until it ended, or for `patience` seconds."""
        said: list[str] = []

        def hear(message: Any) -> None:
            content = message["content"]
            said.append(content.get("text", "") + content.get("data", {}).get("text/plain", "") + "\n".join(content.get("traceback", [])))

        with suppress(TimeoutError):
            self.client.execute_interactive(code, output_hook=hear, timeout=patience)
        return "".join(said)

    def kernel(self) -> str:
        """Return the name of its kernel, as the server says."""
        return str(call(self.lab, "GET", f"api/sessions/{self.session['id']}")["kernel"]["name"])

    def close(self) -> None:
        """End its kernel."""
        self.client.stop_channels()
        call(self.lab, "DELETE", f"api/sessions/{self.session['id']}")


@pytest.fixture
def notebook(lab: Lab) -> Iterator[Open]:
    """A notebook in the server."""
    opened = Open(lab, "api.ipynb")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def kernel(lab: Lab) -> envkit.Kernel:
    """A kernel of another environment in the world of the server."""
    environ = environ_of(lab.home)
    host = Host(root=Path("/"), environ=environ, platform=sys.platform, home=lab.home, cwd=lab.root, data=lab.home / "envkit")
    return envkit.provision("other", host=host)


@pytest.mark.slow
def test_the_server_moves_the_notebook_when_the_cell_has_ended(notebook: Open, kernel: envkit.Kernel) -> None:
    """Not before: what the cell does after `use` still runs, also another `use`. A cell that comes too early is an error that says why."""
    ask = (
        f"request = urllib.request.Request('{notebook.lab.url}api/sessions/{notebook.session['id']}', "
        f"headers={{'Authorization': 'token {TOKEN}'}})\n"
        "opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))\n"
        "print(json.load(opener.open(request, timeout=60))['kernel']['name'])\n"
    )
    said = notebook.run(
        "import envkit, json, time, urllib.request\nenvkit.jupyter.use('other')\nswitch = envkit.jupyter.use('other')\ntime.sleep(1)\n"
        f"print(switch.done)\n{ask}switch"
    )
    assert said.startswith("True\npython3\n")  # as the server says while the cell runs
    assert kernel.display_name in said
    early = notebook.run("print('ran in the old one')", patience=5)
    assert "this notebook is moving" in early or not early, "refused, or the old kernel was gone already"
    assert "ran in the old one\n" not in early
    assert until(lambda: notebook.kernel() == "other")


def test_an_early_cell_is_told_why_even_when_it_is_interrupted(host: Host) -> None:
    """The server interrupts the old kernel before it ends it: no cell that still comes to it ends in a bare KeyboardInterrupt."""
    begin = (
        "import os, socket\nfrom envkit import Host, jupyter\nfrom envkit.kernels.servers import Seat, Server\n"
        "from envkit.kernels.switching import _Move\n"
        "silent = socket.create_server(('127.0.0.1', 0))  # takes the question and never answers: the move goes on\n"
        "seat = Seat(server=Server(url=f'http://127.0.0.1:{silent.getsockname()[1]}/', token=''), session='s', path='p', kernel='k')\n"
        "kernel = jupyter.kernels()[0] if jupyter.kernels() else jupyter.register(os.sys.prefix, name='here')\n"
        "_Move(get_ipython(), seat, kernel, Host.current()).after_this_cell()\nprint(os.getpid())"
    )
    with jupyter.session(sys.executable, environ={"PYTHONPATH": str(ROOT)}, report=None) as session:
        started = session.run(begin)
        assert started.ok, started.text
        process, over = int(started.text.split()[-1]), threading.Event()

        def interrupt() -> None:
            while not over.wait(0.002):
                os.kill(process, signal.SIGINT)

        interrupting = threading.Thread(target=interrupt)
        interrupting.start()
        try:
            said = [session.run("print('ran in the old one')", timeout=LONG).text for _ in range(40)]
        finally:
            over.set()
            interrupting.join()
    assert [text for text in said if "this notebook is moving" not in text or "KeyboardInterrupt" in text] == []


@pytest.mark.slow
def test_a_notebook_that_runs_there_stays(notebook: Open) -> None:
    """Nothing is registered, nothing moves, and the answer says so."""
    assert "already" in notebook.run("import envkit, sys\nprint(envkit.jupyter.use(sys.prefix).instructions)")
    assert notebook.kernel() == "python3"
    time.sleep(1)
    assert "1" in notebook.run("print(1)")


@pytest.mark.slow
def test_a_kernel_that_the_server_does_not_find_is_not_switched_to(notebook: Open, lab: Lab, kernel: envkit.Kernel) -> None:
    """It lies where this server does not look: the steps by hand say so, and the notebook goes on."""
    said = notebook.run(
        "import envkit, pathlib\n"
        "env = envkit.resolve('other')\n"
        "far = envkit.jupyter.register(env, name='far', scope=pathlib.Path('far-away').absolute())\n"
        "switch = envkit.jupyter.use(far)\nprint(switch.done, switch.instructions)"
    )
    assert said.startswith("False This notebook cannot be moved from here")
    assert "does not find the kernel 'far'" in said
    assert "Change Kernel" in said
    time.sleep(0.5)
    assert "2" in notebook.run("print(2)")
    assert notebook.kernel() == "python3"


@pytest.mark.slow
def test_a_broken_kernel_is_an_error(notebook: Open, kernel: envkit.Kernel) -> None:
    """A kernel that could not start is refused before anything is asked of the server."""
    said = notebook.run(
        "import envkit, json, pathlib, os\n"
        "place = pathlib.Path(os.environ['JUPYTER_DATA_DIR'], 'kernels', 'gone')\nplace.mkdir()\n"
        "place.joinpath('kernel.json').write_text(json.dumps({'argv': ['/gone/python'], 'display_name': 'Gone', 'language': 'python'}))\n"
        "gone = next(kernel for kernel in envkit.jupyter.kernels() if kernel.name == 'gone')\n"
        "try:\n    envkit.jupyter.use(gone)\nexcept envkit.KernelError as error:\n    print(error.code)"
    )
    assert said == "interpreter-missing\n"


def test_without_a_notebook_the_steps_are_told(host: Host, tmp_path: Path, kernel_of_this_python: envkit.Kernel) -> None:
    """In a script nothing moves; the value says what to do, in lines for people."""
    switch = jupyter.use(kernel_of_this_python, host=host)
    assert not switch.done
    assert switch.instructions.splitlines()[0] == "This notebook cannot be moved from here: this is no cell of a notebook."
    assert kernel_of_this_python.display_name in switch.instructions
    assert envkit.from_json(envkit.to_json(switch)) == switch
    assert "to be done by hand" in switch._repr_mimebundle_()["text/html"]


@pytest.fixture
def kernel_of_this_python(host: Host) -> envkit.Kernel:
    """This Python, registered in the test's own world."""
    return jupyter.register(sys.prefix, name="here", host=host)


@pytest.mark.core
def test_a_kernel_without_a_server_tells_the_steps() -> None:
    """Such as that of nbclient, papermill or VS Code: no server runs it, and no token is sent anywhere."""
    code = (
        "import envkit, pathlib, sys\n"
        "kernel = envkit.jupyter.register(sys.prefix, name='here-too')\n"
        "print(envkit.jupyter.use(kernel).instructions)\n"
        "__vsc_ipynb_file__ = 'x.ipynb'\n"
        "print(envkit.jupyter.use(kernel).instructions)\n"
    )
    with jupyter.session(sys.executable, environ={"PYTHONPATH": str(ROOT)}, report=None) as session:
        said = session.run(code)
    assert said.ok, said.text
    assert "This notebook cannot be moved from here" in said.text
    assert "Kernel > " in said.text
    assert "Select Another Kernel" in said.text


@pytest.mark.slow
def test_servers_that_cannot_be_asked_say_why(lab: Lab, tmp_path: Path) -> None:
    """A wrong token, a port where nobody is, what is no Jupyter at all: the reason, never an exception of the network."""
    with pytest.raises(ServerError, match="token"):
        ask(Server(url=lab.url, token="wrong"), "GET", "api/sessions")
    with pytest.raises(ServerError, match="404"):
        ask(Server(url=f"{lab.url}nowhere/", token=TOKEN), "GET", "api/sessions")
    with pytest.raises(ServerError, match="does not answer"):
        ask(Server(url="http://127.0.0.1:9/", token=""), "GET", "api/sessions")
    assert TOKEN not in repr(Server(url=lab.url, token=TOKEN))


@pytest.mark.slow
def test_only_files_of_living_servers_are_believed(lab: Lab, host: Host, tmp_path: Path) -> None:
    """Broken, old and foreign files are passed over; the server that is right is found among them."""
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    real = next((lab.home / "jupyter-runtime").glob("jpserver-*.json"))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    texts = {
        "jpserver-1.json": "{broken",
        "jpserver-2.json": "[]",
        "jpserver-3.json": json.dumps({"url": "file:///etc/passwd", "token": "x", "pid": 1}),
        "jpserver-4.json": json.dumps({"url": lab.url, "token": "secret", "pid": gone.pid}),
        "jpserver-5.json": json.dumps({"url": "http://127.0.0.1:9/", "token": "", "pid": None}),
        "jpserver-6.json": real.read_text("utf-8"),
        "other.json": json.dumps({"url": lab.url, "token": TOKEN}),
    }
    for name, text in texts.items():
        (runtime / name).write_text(text, "utf-8")
    opened = call(lab, "POST", "api/sessions", {"path": "x.ipynb", "name": "x", "type": "notebook", "kernel": {"name": "python3"}})
    try:
        seat = seat_of(opened["kernel"]["id"], host, [str(runtime)])
        assert (seat.session, seat.path, seat.kernel) == (opened["id"], "x.ipynb", "python3")
        with pytest.raises(ServerError, match="none of the Jupyter servers"):
            seat_of("another", host, [str(runtime)])
        with pytest.raises(ServerError, match="no Jupyter server was found"):
            seat_of("another", host, [str(tmp_path)])
    finally:
        call(lab, "DELETE", f"api/sessions/{opened['id']}")
