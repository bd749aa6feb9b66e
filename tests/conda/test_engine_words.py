"""Why nothing fits together, in words: what the solver says is recorded here as it said it."""

from __future__ import annotations

from textwrap import dedent

import pytest

from envkit.conda.explanation import Explanation, explained, missing_names
from envkit.conda.failures import typed
from envkit.errors import InstallError, MachineError, NetworkError

pytestmark = pytest.mark.core

TOGETHER = """\
    Cannot solve the request because of: The following packages are incompatible
    ├─ right * can be installed with any of the following options:
    │  └─ right 1.0 would require
    │     └─ tiny >=2.0, which can be installed with any of the following options:
    │        └─ tiny 2.0
    └─ left * cannot be installed because there are no viable options:
       └─ left 1.0 would require
          └─ tiny ==1.0, which cannot be installed because there are no viable options:
             └─ tiny 1.0, which conflicts with the versions reported above.
    """
PYTHON = """\
    Cannot solve the request because of: The following packages are incompatible
    ├─ python 3.12.* can be installed with any of the following options:
    │  └─ python 3.12.1 | 3.12.2 | 3.12.3
    └─ numpy * cannot be installed because there are no viable options:
       └─ numpy 1.20.0 would require
          └─ python_abi 3.9.* *_cp39, which cannot be installed because there are no viable options:
             └─ python_abi 3.9 would constrain
                └─ python 3.9.*, which conflicts with any installable versions previously reported
    """


def words(
    tree: str, asked: tuple[str, ...] = (), limits: tuple[str, ...] = (), available: dict[str, list[str]] | None = None
) -> Explanation:
    return explained(dedent(tree), asked=asked, limits=limits, available=available or {}, channels=["conda-forge"])


def test_two_that_exclude_one_another_are_named_with_what_each_needs() -> None:
    why = words(TOGETHER, asked=("left", "right"))
    assert why.code == "conflict"
    assert why.text == "left and right cannot be installed together: right 1.0 needs tiny >=2.0; left 1.0 needs tiny ==1.0"
    assert why.package == "left"


def test_a_python_that_does_not_fit_is_named_with_who_wants_another() -> None:
    why = words(PYTHON, asked=("python=3.12", "numpy"))
    assert why.text.startswith("python and numpy cannot be installed together: ")
    assert "python_abi 3.9 goes only with python 3.9.*" in why.text
    assert "python 3.12.* was asked for" in why.text


@pytest.mark.parametrize(
    "limits,said",
    [(("tiny<2",), "tiny <2 is pinned"), ((), "tiny <2 is installed, and Python stays at its minor version unless another is asked for")],
)
def test_a_limit_that_cannot_be_kept_is_named(limits: tuple[str, ...], said: str) -> None:
    tree = """\
        Cannot solve the request because of: The following packages are incompatible
        └─ tiny 2.* can be installed with any of the following options:
           └─ tiny 2.0
        └─ the constraint tiny <2 cannot be fulfilled
        """
    assert words(tree, asked=("tiny=2",), limits=limits).text == f"tiny cannot be installed: {said}"


def test_a_name_that_no_channel_has_is_told_apart_from_a_version_that_none_has() -> None:
    tree = "Cannot solve the request because of: No candidates were found for nmupy *.\n"
    why = words(tree, asked=("nmupy",))
    assert (why.code, why.text, why.package) == ("package-not-found", "there is no package nmupy in conda-forge", "nmupy")
    tree = "Cannot solve the request because of: No candidates were found for tiny 7.*.\n"
    assert missing_names(tree) == ["tiny"]
    why = words(tree, asked=("tiny=7",), available={"tiny": [str(number) for number in range(1, 20)]})
    assert why.code == "no-matching-version"
    assert why.text == "no version of tiny in conda-forge fits tiny 7.*: there is 1, ..., 16, 17, 18, 19"


NEEDS = """\
    Cannot solve the request because of: left * cannot be installed because there are no viable options:
    └─ left 1.0 would require
       └─ {spec}, for which no candidates were found.
    """


@pytest.mark.parametrize(
    "spec,asked,available,code,text",
    [
        ("other >=3", ("left",), {}, "package-not-found", "left 1.0 needs other >=3, which is not in conda-forge"),
        ("tiny 1", ("left",), {"tiny": ["2.0"]}, "no-matching-version", "left 1.0 needs tiny 1, which is not in conda-forge: there is 2.0"),
        ("tiny ==1.0", ("left", "tiny=2"), {"tiny": ["1.0", "2.0"]}, "conflict", "left 1.0 needs tiny ==1.0, but tiny=2 was asked for"),
        (
            "__cuda *",
            ("left",),
            {},
            "virtual-package",
            "left 1.0 needs __cuda (a graphics card with CUDA), which this machine does not have",
        ),
    ],
)
def test_what_a_package_needs_and_does_not_get_is_named_with_the_package(
    spec: str, asked: tuple[str, ...], available: dict[str, list[str]], code: str, text: str
) -> None:
    why = words(NEEDS.format(spec=spec), asked=asked, available=available)
    assert (why.code, why.text) == (code, text)


@pytest.mark.parametrize(
    "message,kind,code",
    [
        (
            "failed to link a-1-0.conda\nCaused by: failed to link 'bin/a'\nCaused by: No space left on device (os error 28)",
            MachineError,
            "disk-full",
        ),
        ("failed to create the prefix\nCaused by: Read-only file system (os error 30)", MachineError, "read-only"),
        ("failed to link a-1-0.conda\nCaused by: Permission denied (os error 13)", MachineError, "no-permission"),
        (
            "failed to link a-1-0.conda\nCaused by: target prefix cannot be longer than the placeholder prefix",
            InstallError,
            "prefix-too-long",
        ),
        ("the shard for package 'a' is not in the cache", NetworkError, "offline"),
        ("no usable repodata cache for https://example.org/noarch/", NetworkError, "offline"),
        ("something new went wrong", InstallError, "install-failed"),
    ],
)
def test_what_the_engine_says_becomes_a_typed_error(message: str, kind: type[Exception], code: str) -> None:
    error = typed({"kind": "InstallerError", "message": message}, channels=(), mask=str)
    assert type(error) is kind
    assert error.code == code
    assert error.hint
