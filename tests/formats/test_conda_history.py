"""`conda-meta/history`: ours is read by conda as its own, theirs is read by us, and nothing in the file can break the reading."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given, strategies as st

from envkit.formats import conda_history
from envkit.formats.conda_history import Block

pytestmark = pytest.mark.core

CONDA = """\
// a remark before the first block counts for nothing
==> 2026-01-02 03:04:05 <==
# cmd: /opt/conda/bin/conda create -n x python=3.12 numpy[version='>=2']
# conda version: 26.7.1
+conda-forge/linux-64::python-3.12.1-h0_0_cp312
+conda-forge/noarch::six-1.17.0-pyhd0_0
# update specs: ['python=3.12', "numpy[version='>=2']", 'conda-forge::six']
==> 2026-01-03 00:00:00 <==
# cmd: /opt/conda/bin/mamba install tiny
-conda-forge/noarch::six-1.17.0-pyhd0_0
# update specs: ["tiny"]
# remove specs: ["six"]
==> 2026-01-04 00:00:00 <==
# cmd: conda install old
# install specs: param >=1.5.1,<2.0,Pyyaml, numpy@
"""


def test_specs_of_conda_and_mamba_hold_until_they_are_dropped() -> None:
    """What was asked for is known by name, the last spec counts, what was removed is asked for no more; old lines are read too."""
    assert conda_history.requested(CONDA) == {
        "python": "python=3.12",
        "numpy": "numpy[version='>=2']",
        "tiny": "tiny",
        "param": "param >=1.5.1,<2.0",
        "pyyaml": "Pyyaml",
    }


def test_blocks_tell_what_was_called_and_what_changed() -> None:
    """Each block has its words, what it linked and what it unlinked."""
    first, second, _ = conda_history.load(CONDA)
    assert first.command[:3] == ("/opt/conda/bin/conda", "create", "-n")
    assert first.linked == ("conda-forge/linux-64::python-3.12.1-h0_0_cp312", "conda-forge/noarch::six-1.17.0-pyhd0_0")
    assert second.unlinked == ("conda-forge/noarch::six-1.17.0-pyhd0_0",)


def test_a_spec_is_of_the_name_that_it_begins_with() -> None:
    """Channels, brackets, versions and URLs do not hide the name; a spec for any name has none."""
    for spec, name in {
        "conda-forge/linux-64::Six==1.0=py_0": "six",
        "tiny[channel='a::b',version='>=1']": "tiny",
        "python_abi=3.12=*_cp312": "python_abi",
        "https://host/channel/noarch/tiny-1.0-h0_0.tar.bz2#0123": "tiny",
        "*[url='https://host/channel/noarch/two-words-1.0-h0_0.conda']": "two-words",
        "*[build='*mkl*']": "",
        "https://host/nothing": "",
        "": "",
    }.items():
        assert conda_history.name_of(spec) == name, spec


def test_no_credential_is_written() -> None:
    """Tokens, users and passwords of channels are in no line."""
    spec = "https://user:hunter22@host/t/tk-12345/channel::tiny"
    text = conda_history.dump(Block(date="2026-01-01 00:00:00", command=("envkit", "install", spec), asked=(spec,)))
    assert not re.search("hunter22|tk-12345", text)
    assert "host/channel::tiny" in text


@given(
    st.lists(st.text(max_size=30), max_size=4),
    st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,8}( >=[0-9.]{1,4}|\[build='[a-z*]+'\]|)", fullmatch=True), max_size=4),
)
def test_conda_reads_what_we_write(words: list[str], specs: list[str]) -> None:
    """Whatever the command's words are, each line is one that conda knows, and its specs are read as they were given."""
    block = Block(
        date="2026-01-01 00:00:00", command=("envkit", *words), tool="envkit version: 1.0", asked=tuple(specs), linked=("c/noarch::a-1-0",)
    )
    lines = conda_history.dump(block).split("\n")
    assert lines[-1] == ""
    assert all(line.startswith(("==> ", "# ", "+", "-")) for line in lines[:-1])
    said = [match[1] for line in lines if (match := re.match(r"#\s*update\s*specs:\s*(.+)", line))]
    assert [ast.literal_eval(text) for text in said] == ([specs] if specs else [])
    assert conda_history.load("\n".join(lines))[0].asked == tuple(specs)
    assert not any("conda version:" in line for line in lines if line.startswith("# envkit"))


@given(st.text(alphabet=st.sampled_from("=> <2026-#cmd: specsupdate['\"],+-\n@[]\0"), max_size=200))
def test_nothing_breaks_the_reading(text: str) -> None:
    """A damaged history is blocks or none, never an error."""
    assert isinstance(conda_history.requested(text), dict)
