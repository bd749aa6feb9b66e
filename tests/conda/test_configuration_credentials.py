"""Credentials of channels: found where tools keep them, given to the place they are for and to no other, and shown nowhere."""

from __future__ import annotations

import base64
import json
import pickle
import stat
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from hypothesis import given, strategies as st

from envkit.conda.configuration import Configuration, read
from envkit.conda.credential_stores import kept_in_keyring, netrc
from envkit.conda.credentials import Credential, best, split
from envkit.host import Host
from envkit.system.secrets import masker


def written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def asked_with(said: Configuration, url: str) -> str:
    credential = said.credential(url)
    return "" if credential is None else credential.applied(url) if not credential.bearer else credential.headers()["Authorization"]


@pytest.mark.core
def test_credentials_in_the_urls_of_channels(host: Host) -> None:
    """User, password and token are taken out of the URL, kept for its place, and put in again for a request there alone."""
    host = replace(host, environ={**host.environ, "CHANNEL_TOKEN": "canary-env"})
    said = read(
        host,
        channels=[
            "https://me:canary%40pw@one.example/chan",
            "https://two.example:8443/conda/t/canary-token/private/linux-64",
            "https://three.example/t/$CHANNEL_TOKEN/x",
            "nodefaults",
        ],
    )
    one, two, three = [channel.url for channel in said.channels]
    assert (one, two, three) == ("https://one.example/chan", "https://two.example:8443/conda/private", "https://three.example/x")
    assert asked_with(said, f"{one}/noarch/a-1-0.conda") == "https://me:canary%40pw@one.example/chan/noarch/a-1-0.conda"
    assert asked_with(said, f"{two}/noarch/x") == "https://two.example:8443/conda/t/canary-token/private/noarch/x"
    assert asked_with(said, f"{three}/y") == "https://three.example/t/canary-env/x/y"
    for elsewhere in (
        "https://one.example/channel",
        "http://one.example/chan/x",
        "https://one.example.evil/chan",
        "https://two.example/conda/private",
    ):
        assert said.credential(elsewhere) is None
    shown = f"{said!r} {said} {said.channels} {said.credentials} {said.credentials[0]}"
    assert "canary" not in shown
    text = masker({}, values=said.secrets)("canary@pw canary%40pw canary-token " + said.credentials[0].headers()["Authorization"])
    assert "canary" not in text
    assert base64.b64encode(b"me:canary@pw").decode() not in text


@pytest.mark.core
def test_credentials_in_files(host: Host) -> None:
    """rattler's, mamba's and anaconda-client's files and netrc are read; the longest place counts, then the order of the files."""
    home = host.home
    written(
        home / ".rattler" / "credentials.json",
        json.dumps(
            {
                "*.wild.example": {"BearerToken": "canary-bearer"},
                "basic.example": {"BasicHTTP": {"username": "u", "password": "canary-basic"}},
                "token.example": {"CondaToken": "canary-conda"},
                "s3.example": {"S3Credentials": {"access_key_id": "a", "secret_access_key": "b"}},
            }
        ),
    )
    encoded = base64.b64encode(b"canary-mamba").decode()
    written(
        home / ".mamba" / "auth" / "authentication.json",
        json.dumps({"mamba.example/deep": {"type": "BasicHTTPAuthentication", "user": "m", "password": encoded}}),
    )
    tokens = home / ".continuum" / "anaconda-client" / "tokens"
    written(tokens / f"{quote_plus('https://api.anaconda.org')}.token", "canary-anaconda\n")
    written(
        home / ".netrc",
        "machine basic.example login n password canary-netrc\nmachine net.example login n password canary-netrc\ndefault login d password canary-default\n",
    )
    said = read(host)
    assert asked_with(said, "https://a.wild.example/c") == "Bearer canary-bearer"
    assert asked_with(said, "https://basic.example/c") == "https://u:canary-basic@basic.example/c"
    assert asked_with(said, "https://token.example/c") == "https://token.example/t/canary-conda/c"
    assert asked_with(said, "https://mamba.example/deep/c") == "https://m:canary-mamba@mamba.example/deep/c"
    assert asked_with(said, "https://mamba.example/other") == ""
    assert asked_with(said, "https://conda.anaconda.org/me/noarch") == "https://conda.anaconda.org/t/canary-anaconda/me/noarch"
    assert asked_with(said, "https://net.example/c") == "https://n:canary-netrc@net.example/c"
    assert asked_with(said, "https://nobody.example/c") == ""
    assert "canary" not in repr(said)
    own = home / "auth.json"
    written(own, json.dumps({"basic.example": {"BearerToken": "canary-first"}}))
    said = read(replace(host, environ={**host.environ, "RATTLER_AUTH_FILE": str(own), "NETRC": str(home / "none")}))
    assert asked_with(said, "https://basic.example/c") == "Bearer canary-first"
    assert asked_with(said, "https://net.example/c") == ""


@pytest.mark.core
def test_files_that_cannot_be_read_hold_nothing(host: Host) -> None:
    """A broken store is no reason to fail: the channel that needs it will say so."""
    written(host.home / ".rattler" / "credentials.json", "{")
    written(
        host.home / ".mamba" / "auth" / "authentication.json",
        json.dumps({"a": {"type": "BasicHTTPAuthentication", "password": "?"}, "b": 3}),
    )
    written(
        host.home / ".netrc",
        'machine x\nmachine "q.example" login "a b" password "c\\"d" # remark\nmacdef m\nmachine no password no\n\n',
    )
    said = read(host)
    assert asked_with(said, "https://q.example/") == "https://a%20b:c%22d@q.example/"
    assert len(said.credentials) == 1


@pytest.mark.core
def test_a_password_that_begins_with_a_number_sign() -> None:
    """In a netrc a word after "password" is one, whatever it begins with."""
    (found,) = netrc("# machine a password b\nmachine h login u password #canary\n")
    assert (found.place, found.password) == ("h", "#canary")


def test_a_keyring_is_asked_for_private_hosts_alone(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a keyring is installed it is asked about hosts that nothing else opens; what it raises means that it has nothing."""
    (tmp_path / "keyring.py").write_text(
        "from collections import namedtuple\n"
        "Answer = namedtuple('Answer', 'username password')\n"
        "asked = []\n"
        "def get_password(service, user):\n"
        "    asked.append(user)\n"
        "    if user == 'locked.example': raise RuntimeError('no')\n"
        "    return '{\"BearerToken\": \"canary-ring\"}' if user == 'ring.example' else None\n"
        "def get_credential(service, user):\n"
        "    return Answer('k', 'canary-pip') if service == 'https://pip.example/c' else None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "keyring", raising=False)
    addresses = ["https://ring.example/c", "https://pip.example/c", "https://locked.example/c", "https://conda.anaconda.org/x", "file:///c"]
    found = {one.place: one.kind for one in kept_in_keyring(host, addresses)}
    assert found == {"ring.example": "bearer", "https://pip.example/c": "basic"}
    assert "conda.anaconda.org" not in __import__("keyring").asked
    assert not list(kept_in_keyring(replace(host, root=tmp_path), addresses))
    monkeypatch.delitem(sys.modules, "keyring", raising=False)


secrets = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F), min_size=5, max_size=20)


@given(secrets, secrets)
def test_credentials_survive_a_url_and_are_never_in_what_is_shown(user: str, password: str) -> None:
    """Any user and password come out of a URL as they went in; the URL without them and the value itself show neither."""
    credential = Credential(place="https://h.example/c", user=user, password=password)
    url = credential.applied("https://h.example/c/noarch/x")
    clean, found = split(url)
    assert clean == "https://h.example/c/noarch/x"
    assert found is not None
    assert (found.user, found.password) == (user, password)
    assert repr(found) == "Credential(place='https://h.example/c/noarch/x', basic)"
    assert best([pickle.loads(pickle.dumps(credential))], clean) == credential
